/** The sets of cases that a process of the bench can be asked to repeat; each is checked before it is timed. */
import { average, BATCHES, type Case, DATA_SEED, kept, mustBeSame, rotating } from './case.ts';
import type { Format } from './formats/format.ts';
import { messageFormat, smallFormat } from './formats/formats.ts';
import { postcardSmallInto } from './formats/postcard-format.ts';
import { cobsCases, frameCases } from './framing-cases.ts';
import { type Message, messages, smallMessages } from './measurement-data.ts';
import { blobCases, textCases } from './text-cases.ts';

const SMALLS = 512;
/** Of a set that is read back before it is timed: thousands of points of every kind. All of the large messages would take longer than the races. */
const CHECKED_BYTES = 1 << 19;

/** Writing and reading by a format. @throws Error when a value does not come back as it was */
export const formatCases = <Value>(format: Format<Value>, values: readonly Value[]): readonly Case[] => {
  const natives = values.map((value) => format.from(value) as never);
  const written = natives.map((native) => kept(format.encode(native)));
  let checked = 0;
  for (const [i, bytes] of written.entries()) {
    if (checked > CHECKED_BYTES) break;
    mustBeSame(format.name, values[i], format.to(format.decode(bytes) as never));
    checked += bytes.length;
  }
  const bytes = average(written);
  return [
    { name: 'encode', run: rotating(natives, (native) => format.encode(native)), bytes },
    { name: 'decode', run: rotating(written, (input) => format.decode(input)), bytes },
  ];
};

/** Reading large messages of which the last sixteen stay alive, as a relay that aggregates keeps them. */
const keepingCases = (format: Format<Message>, values: readonly Message[]): readonly Case[] => {
  const [, decode] = formatCases(format, values);
  const written = values.map((value) => kept(format.encode(format.from(value) as never)));
  const ring: unknown[] = new Array(BATCHES);
  let at = 0;
  const run = rotating(written, (input) => {
    ring[at++ % BATCHES] = format.decode(input);
  });
  return [{ name: 'decode', run, bytes: decode?.bytes ?? 0 }];
};

const smallCases = async (id: string): Promise<readonly Case[]> => {
  const values = smallMessages(SMALLS, DATA_SEED);
  const cases = formatCases(await smallFormat(id), values);
  return id === 'postcard' ? [...cases, ...postcardSmallInto(values)] : cases;
};

/** What a process can be asked to repeat. */
export const SETS = {
  measurements: async (id: string, points: number): Promise<readonly Case[]> =>
    formatCases(await messageFormat(id), messages(BATCHES, points, DATA_SEED)),
  kept: async (id: string, points: number): Promise<readonly Case[]> =>
    keepingCases(await messageFormat(id), messages(BATCHES, points, DATA_SEED)),
  small: smallCases,
  text: textCases,
  blobs: blobCases,
  cobs: cobsCases,
  frames: frameCases,
} as const;

export type SetName = keyof typeof SETS;
