/** One thing that a process of the bench repeats, and what all of them share. */
import { isDeepStrictEqual } from 'node:util';

export type Case = {
  readonly name: string;
  /** Repeats it so many times, over different inputs in rotation. */
  readonly run: (count: number) => void;
  /** Bytes that it writes or reads each time, on average. */
  readonly bytes: number;
  /**
   * Reads back and compares what is too much for every start; not before it is timed, as keeping objects was twice as slow after it.
   * @throws Error when a value does not come back as it was
   */
  readonly check?: () => void;
};

/** Different messages that a case goes through in rotation. */
export const BATCHES = 16;
export const DATA_SEED = 20_261_121;

/** Results end up here, so that no engine leaves the work out. */
export const sink: { last: unknown } = { last: undefined };

/** Inputs in rotation. Every caller that is to be fast gets a loop of its own by being alone in its process. */
export const rotating = <Input>(inputs: readonly Input[], work: (input: Input) => unknown) => {
  let at = 0;
  return (count: number): void => {
    let last: unknown;
    for (let i = 0; i < count; i++) {
      last = work(inputs[at] as Input);
      if (++at === inputs.length) at = 0;
    }
    sink.last = last;
  };
};

/** Memory of its own for what may lie in a shared buffer; a Buffer, which some libraries are made for. */
export const kept = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

/** Without what says only which class a library uses: bytes as lists, objects with their own properties. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array || Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
};

/** @throws Error when what was read is not what was written */
export const mustBeSame = (name: string, value: unknown, back: unknown): void => {
  if (!isDeepStrictEqual(plain(back), plain(value)))
    throw new Error(`${name} reads something else than was written: no figure of it would mean anything`);
};

/** Mean length in bytes. */
export const average = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0) / parts.length;
