/** The sets of cases that a process of the bench can be asked to repeat; each is checked, or can be. */
import { average, BATCHES, type Case, DATA_SEED, kept, mustBeSame, rotating } from './case.ts';
import type { Format } from './formats/format.ts';
import { messageFormat, smallFormat } from './formats/formats.ts';
import { type Message, messageAt, messages, smallMessages } from './measurement-data.ts';

const SMALLS = 512;

/** Reads values back. @throws Error when one is not as it was */
const readBack = <Value>(
  format: Format<Value>,
  values: readonly Value[],
  written: readonly Uint8Array[],
): void => {
  for (const [i, value] of values.entries())
    mustBeSame(format.name, value, format.to(format.decode(written[i] as Uint8Array) as never));
};

/** Writing and reading by a format; reading checks both. */
export const formatCases = <Value>(format: Format<Value>, values: readonly Value[]): readonly Case[] => {
  const natives = values.map((value) => format.from(value) as never);
  const written = natives.map((native) => kept(format.encode(native)));
  const bytes = average(written);
  return [
    { name: 'encode', run: rotating(natives, (native) => format.encode(native)), bytes },
    {
      ...{ name: 'decode', run: rotating(written, (input) => format.decode(input)), bytes },
      check: () => readBack(format, values, written),
    },
  ];
};

/**
 * Checks at once. What that leaves behind is a young generation that has grown, as in a program that runs for long: without, u64 as
 * bigint were read half as fast, with twenty times as many page faults.
 */
const checked = (cases: readonly Case[]): readonly Case[] =>
  cases.map(({ check, ...one }) => {
    check?.();
    return one;
  });

/** Large messages, each dropped when it is written: with all of them alive a start takes a third longer. */
const writtenLarge = (format: Format<Message>, points: number): readonly Uint8Array[] =>
  Array.from({ length: BATCHES }, (_, i) =>
    kept(format.encode(format.from(messageAt(i, points, DATA_SEED)) as never)),
  );

/** Reading large messages. The check is of the first: thousands of points of every kind. */
const largeCases = async (id: string, points: number): Promise<readonly Case[]> => {
  const format = await messageFormat(id);
  const written = writtenLarge(format, points);
  return [
    {
      ...{ name: 'decode', bytes: average(written) },
      run: rotating(written, (input) => format.decode(input)),
      check: () => readBack(format, messages(1, points, DATA_SEED), written),
    },
  ];
};

/** Reading large messages of which the last sixteen stay alive, as a relay that aggregates keeps them. */
const keptCases = async (id: string, points: number): Promise<readonly Case[]> => {
  const format = await messageFormat(id);
  const written = writtenLarge(format, points);
  const ring: unknown[] = new Array(BATCHES);
  let at = 0;
  return [
    {
      ...{ name: 'decode', bytes: average(written) },
      run: rotating(written, (input) => {
        ring[at++ % BATCHES] = format.decode(input);
      }),
      check: () => readBack(format, messages(1, points, DATA_SEED), written),
    },
  ];
};

const smallCases = async (id: string): Promise<readonly Case[]> => {
  const values = smallMessages(SMALLS, DATA_SEED);
  const cases = checked(formatCases(await smallFormat(id), values));
  if (id !== 'postcard') return cases;
  const { postcardSmallInto } = await import('./formats/postcard-format.ts');
  return [...cases, ...postcardSmallInto(values)];
};

/** What a process can be asked to repeat. It loads what that needs and no more: a start is mostly that. */
export const SETS = {
  measurements: async (id: string, points: number): Promise<readonly Case[]> =>
    checked(formatCases(await messageFormat(id), messages(BATCHES, points, DATA_SEED))),
  large: largeCases,
  kept: keptCases,
  small: smallCases,
  text: async (id: string): Promise<readonly Case[]> => (await import('./text-cases.ts')).textCases(id),
  blobs: async (id: string): Promise<readonly Case[]> => (await import('./text-cases.ts')).blobCases(id),
  cobs: async (id: string): Promise<readonly Case[]> => (await import('./framing-cases.ts')).cobsCases(id),
  frames: async (id: string): Promise<readonly Case[]> => (await import('./framing-cases.ts')).frameCases(id),
} as const;

export type SetName = keyof typeof SETS;
