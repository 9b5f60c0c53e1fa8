import { writeText } from './text-out.ts';

/*
 * Most strings of bulk data are short, ASCII and the same few in each place of a schema: kinds, keys, states. A loop over one of
 * 7 to 11 characters took 20 to 40 ns, and strings two thirds of writing measurements. So each place remembers the bytes of strings it
 * wrote, and finds them by length, first character and comparison, which for the same string object is one of pointers: a fifth less
 * for the whole message. Ids would only push them out of their slots: what begins with a digit is left to the loop.
 */

/** Strings of fewer code units are written by a loop; longer ones natively. */
export const LOOP_CHARS_MAX = 24;
/** Lengths that are remembered: with the byte for the length they fill two doubles, or two words, that may overlap. */
export const REMEMBERED_CHARS_MIN = 3;
export const REMEMBERED_CHARS_MAX = 15;
/** Strings whose first code unit is not above this one, '9', are not remembered. */
export const LAST_DIGIT = 57;
/** With 64 and a hash of as many, 'dram' and 'local_machine' pushed each other out: 6 % of writing measurements. */
export const SLOTS = 128;

/** Misses for each string that is remembered. Strings that never come again cost half as much again as by the loop; with 8, twice. */
const MISSES_TO_LEARN = 32;
/** From this length on V8 makes a piece of a longer string a view, which would keep the whole alive. */
const VIEW_CHARS_MIN = 13;

/** What one place of a schema remembers. */
export class WrittenText {
  readonly keys: string[] = new Array(SLOTS).fill('');
  /** The first and the last four bytes of each key with its length in front. */
  readonly words: Int32Array = new Int32Array(2 * SLOTS);
  /**
   * The first and the last eight bytes; where there are fewer, what lies in them behind is 0. ASCII never makes a NaN, whose bits could
   * change: its first byte of the exponent may be 7f, the second is below 80.
   */
  readonly doubles: Float64Array = new Float64Array(2 * SLOTS);
  misses = 0;
}

/**
 * Writes a string by a loop, with its length, where there is room for 3 bytes a code unit. For strings short enough that their length
 * is one byte.
 * @returns the position after it  @throws Refusal SerializeBadValue for a lone surrogate
 */
export const writeLoop = (b: Uint8Array, p: number, text: string): number => {
  const n = text.length;
  let all = 0;
  for (let i = 0; i < n; i++) {
    const code = text.charCodeAt(i);
    all |= code;
    b[p + 1 + i] = code;
  }
  if (all > 127) return writeText(b, p, text);
  b[p] = n;
  return p + 1 + n;
};

const scratch = new DataView(new ArrayBuffer(16));

/** Keeps an ASCII string that was just written from p to end. */
const remember = (
  { keys, words, doubles }: WrittenText,
  slot: number,
  b: Uint8Array,
  p: number,
  end: number,
  text: string,
) => {
  const length = end - p;
  for (let i = 0; i < 16; i++) scratch.setUint8(i, i < length ? (b[p + i] as number) : 0);
  words[2 * slot] = scratch.getInt32(0, true);
  words[2 * slot + 1] = scratch.getInt32(length - 4, true);
  doubles[2 * slot] = scratch.getFloat64(0, true);
  doubles[2 * slot + 1] = scratch.getFloat64(Math.max(0, length - 8), true);
  keys[slot] = text.length < VIEW_CHARS_MIN ? text : String.fromCharCode(...b.subarray(p + 1, end));
};

/**
 * Writes a string that was not in its slot, and sometimes puts it there.
 * @returns the position after it  @throws Refusal SerializeBadValue for a lone surrogate
 */
export const writeNew = (
  place: WrittenText,
  slot: number,
  b: Uint8Array,
  p: number,
  text: string,
): number => {
  const end = writeLoop(b, p, text);
  const isAscii = end === p + 1 + text.length;
  if (place.misses++ % MISSES_TO_LEARN === 0 && isAscii) remember(place, slot, b, p, end, text);
  return end;
};
