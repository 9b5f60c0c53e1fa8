import { writeText } from './text-out.ts';

/*
 * Most strings of bulk data are short, ASCII and the same few in each place of a schema: kinds, keys, states. A loop over one of
 * 7 to 11 characters took 20 to 40 ns, and strings two thirds of writing measurements. So each place remembers the bytes of strings it
 * wrote, and finds them by length, first character and comparison, which for the same string object is one of pointers: a fifth less
 * for the whole message. Ids would only push them out of their slots: what begins with a digit is left to the loop.
 */

/** Strings of fewer code units are written by a loop; longer ones natively. */
export const LOOP_CHARS_MAX = 24;
/** Lengths that are remembered: with the byte for the length they fill four words that may overlap. */
export const REMEMBERED_CHARS_MIN = 3;
export const REMEMBERED_CHARS_MAX = 15;
/** Strings whose first code unit is not above this one, '9', are not remembered. */
export const LAST_DIGIT = 57;
export const SLOTS = 64;

/** Misses for each string that is remembered. Strings that never come again cost half as much again as by the loop; with 8, twice. */
const MISSES_TO_LEARN = 32;
/** From this length on V8 makes a piece of a longer string a view, which would keep the whole alive. */
const VIEW_CHARS_MIN = 13;

/** What one place of a schema remembers. */
export class WrittenText {
  readonly keys: string[] = new Array(SLOTS).fill('');
  /** Four words for each key, placed as writeShort says. */
  readonly words: Int32Array = new Int32Array(4 * SLOTS);
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

/** Keeps an ASCII string that was just written from p to end. */
const remember = (
  { keys, words }: WrittenText,
  slot: number,
  b: Uint8Array,
  p: number,
  end: number,
  text: string,
) => {
  const v = new DataView(b.buffer, b.byteOffset, end);
  const second = ((end - p) >> 3) << 2;
  words[4 * slot] = v.getInt32(p, true);
  words[4 * slot + 1] = v.getInt32(p + second, true);
  words[4 * slot + 2] = v.getInt32(end - 4 - second, true);
  words[4 * slot + 3] = v.getInt32(end - 4, true);
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

/**
 * Writes a short string: as it was written last in its place of the schema, or anew. Generated code has the same inline.
 * @returns the position after it  @throws Refusal SerializeBadValue for a lone surrogate
 */
export const writeShort = (
  place: WrittenText,
  b: Uint8Array,
  v: DataView,
  p: number,
  text: string,
): number => {
  const n = text.length;
  if (n < REMEMBERED_CHARS_MIN || n > REMEMBERED_CHARS_MAX) return writeLoop(b, p, text);
  const first = text.charCodeAt(0);
  if (first <= LAST_DIGIT) return writeLoop(b, p, text);
  const slot = (first ^ (n << 3)) & (SLOTS - 1);
  if (place.keys[slot] !== text) return writeNew(place, slot, b, p, text);
  // the words overlap unless there are 16 bytes: nothing behind the string is touched, and no branch depends on its length
  const second = ((n + 1) >> 3) << 2;
  const last = p + n - 3;
  const { words } = place;
  v.setInt32(p, words[4 * slot] as number, true);
  v.setInt32(p + second, words[4 * slot + 1] as number, true);
  v.setInt32(last - second, words[4 * slot + 2] as number, true);
  v.setInt32(last, words[4 * slot + 3] as number, true);
  return p + n + 1;
};
