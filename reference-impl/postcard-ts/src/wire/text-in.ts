import { end, input } from './input.ts';
import { refuse } from './refusal.ts';

type Slice = (this: Uint8Array, from: number, to: number) => string;
const nodeBuffer = (globalThis as { Buffer?: { prototype?: { utf8Slice?: Slice } } }).Buffer;
/** Node's native slice, which replaces malformed bytes instead of refusing them; absent in browsers. */
const nativeSlice = nodeBuffer?.prototype?.utf8Slice;
// a BOM is part of the string, and TextDecoder drops it unless told otherwise
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const decodeStrictly = (b: Uint8Array, p: number, n: number): string => {
  try {
    return strict.decode(b.subarray(p, p + n));
  } catch {
    return refuse('DeserializeBadUtf8', p, `${n} bytes of UTF-8`, 'malformed bytes');
  }
};

const slowText = nativeSlice
  ? (b: Uint8Array, p: number, n: number): string => {
      const text = nativeSlice.call(b, p, p + n);
      // U+FFFD may be what was sent, or what stands for malformed bytes: only then the costly look
      return text.includes('\ufffd') ? decodeStrictly(b, p, n) : text;
    }
  : decodeStrictly;

// Strings repeat. A table of short ones (two places each) and one of longer ones, with one place each, hand out the string made last
// time, after comparing every byte. Bounded memory; a miss costs one native slice and nothing can make it cost more. Sixteen agents
// of a few hundred processes have 2,000 to 4,000 short strings: in 4,096 places one in 60 was looked up in vain, and a slice costs as
// much as 20 finds.
/** The longest string in the table of short ones, in bytes. Generated code looks there by itself: generate/text-source.ts. */
export const SHORT_MAX = 16;
const SHORT_BITS = 14;
/** What is left of a hash of 32 bits behind this shift is the number of a record. */
export const SHORT_HASH_SHIFT = 32 - SHORT_BITS;
const SHORT_SLOTS = 1 << SHORT_BITS;
// beyond, to compare the words takes as long as the slice
const LONG_MAX = 40;
const LONG_BITS = 10;
const LONG_SLOTS = 1 << LONG_BITS;
const LONG_WORDS = LONG_MAX / 4;
// a record of a short string: four words of text, length, owner, id, nothing. Both its places share a line of the cache
const SHORT_STRIDE = 8;
const LENGTH = 4;
const OWNER = 5;
const ID = 6;
const RECORD = 7;
/** The records of short strings, for `shortAt` and the generated code that does the same. */
export const shorts = new Int32Array(SHORT_SLOTS * SHORT_STRIDE);
/** The strings of the records, by a record's number. */
export const shortTexts: string[] = new Array(SHORT_SLOTS).fill('');
const longWords = new Int32Array(LONG_SLOTS * LONG_WORDS);
const longLengths = new Uint8Array(LONG_SLOTS);
const longOwners = new Int32Array(LONG_SLOTS);
const longIds = new Int32Array(LONG_SLOTS);
const longTexts: string[] = new Array(LONG_SLOTS).fill('');

/** Exchanges the records of both places. */
const exchange = (o: number, other: number): void => {
  const text = shortTexts[o >>> 3] as string;
  shortTexts[o >>> 3] = shortTexts[other >>> 3] as string;
  shortTexts[other >>> 3] = text;
  for (let k = 0; k < RECORD; k++) {
    const word = shorts[o + k] as number;
    shorts[o + k] = shorts[other + k] as number;
    shorts[other + k] = word;
  }
};

/** Puts a new string into its first place, o. */
const remember = (
  b: Uint8Array,
  p: number,
  n: number,
  o: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): void => {
  // first the string: a refusal must leave the table as it was
  const text = slowText(b, p, n);
  // what was here may come again, what was in the other place has not come for longer
  exchange(o, o ^ SHORT_STRIDE);
  shortTexts[o >>> 3] = text;
  shorts[o] = w0;
  shorts[o + 1] = w1;
  shorts[o + 2] = w2;
  shorts[o + 3] = w3;
  shorts[o + LENGTH] = n;
  shorts[o + OWNER] = 0;
};

/** Whether the record at a place is the string of n bytes with these words. `shortAt` has the same written out, to stay small when inlined. */
const holds = (at: number, n: number, w0: number, w1: number, w2: number, w3: number): boolean =>
  (((shorts[at] as number) ^ w0) |
    ((shorts[at + 3] as number) ^ w3) |
    ((shorts[at + 1] as number) ^ w1) |
    ((shorts[at + 2] as number) ^ w2) |
    ((shorts[at + LENGTH] as number) ^ n)) ===
  0;

/** Finds in second places so far. */
let seconds = 0;
/** Of so many strings found in their second place, one is moved to the first: two that both come often should not chase each other. */
const SECONDS_TO_MOVE = 4;

/**
 * The record of a string whose first place, at o, holds another: its second place, or sometimes the first after an exchange, or the
 * first anew. Else strings of past messages hold the first places for good, and strings of this one are looked for here again and
 * again. Not in `shortAt`, which is then small enough to be inlined where it is called.
 * @throws Refusal DeserializeBadUtf8
 */
export const elsewhere = (
  b: Uint8Array,
  p: number,
  n: number,
  o: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): number => {
  const other = o ^ SHORT_STRIDE;
  if (!holds(other, n, w0, w1, w2, w3)) remember(b, p, n, o, w0, w1, w2, w3);
  else if (++seconds % SECONDS_TO_MOVE === 0) exchange(o, other);
  else return other;
  return o;
};

/** The record of the string of n bytes at p, 1 to SHORT_MAX of them. @throws Refusal DeserializeBadUtf8 */
const shortAt = (b: Uint8Array, v: DataView, p: number, n: number): number => {
  let w0 = 0;
  let w1 = 0;
  let w2 = 0;
  let w3 = 0;
  if (n > 3) {
    // four overlapping words cover every length from 4 to 16
    const k = (n >> 3) << 2;
    const q = p + n - 4;
    w0 = v.getInt32(p, true);
    w1 = v.getInt32(p + k, true);
    w2 = v.getInt32(q - k, true);
    w3 = v.getInt32(q, true);
  } else w0 = (b[p] as number) | ((b[p + (n >> 1)] as number) << 8) | ((b[p + n - 1] as number) << 16);
  const hash = Math.imul(
    ((w0 + Math.imul(w3, 5) + Math.imul(w1, 9)) | 0) ^ n ^ Math.imul(w2, 17),
    0x9e3779b1,
  );
  const o = (hash >>> SHORT_HASH_SHIFT) << 3;
  if (
    (((shorts[o] as number) ^ w0) |
      ((shorts[o + 3] as number) ^ w3) |
      ((shorts[o + 1] as number) ^ w1) |
      ((shorts[o + 2] as number) ^ w2) |
      ((shorts[o + LENGTH] as number) ^ n)) ===
    0
  )
    return o;
  return elsewhere(b, p, n, o, w0, w1, w2, w3);
};

/** The place of the string of n bytes at p, SHORT_MAX + 1 to LONG_MAX of them. @throws Refusal DeserializeBadUtf8 */
const longAt = (b: Uint8Array, v: DataView, p: number, n: number): number => {
  const last = p + n - 4;
  let hash = n;
  for (let q = p; q < last; q += 4) hash = Math.imul(hash ^ v.getInt32(q, true), 0x9e3779b1) ^ (hash >>> 15);
  hash = Math.imul(hash ^ v.getInt32(last, true), 0x9e3779b1) >>> (32 - LONG_BITS);
  const o = hash * LONG_WORDS;
  if (longLengths[hash] === n) {
    let k = o;
    let q = p;
    for (; q < last; q += 4) if (longWords[k++] !== v.getInt32(q, true)) break;
    if (q >= last && longWords[k] === v.getInt32(last, true)) return hash;
  }
  longTexts[hash] = slowText(b, p, n);
  let k = o;
  for (let q = p; q < last; q += 4) longWords[k++] = v.getInt32(q, true);
  longWords[k] = v.getInt32(last, true);
  longLengths[hash] = n;
  longOwners[hash] = 0;
  return hash;
};

/** Who gives strings ids. */
export type IdGiver = { readonly owner: number; idOf(text: string): number };

/**
 * The id that somebody gave to the string of n bytes (at least one) at p, which the caller has checked to be there; they are asked
 * when the table knows no id of theirs.
 * @throws Refusal DeserializeBadUtf8
 */
export const textId = (b: Uint8Array, v: DataView, p: number, n: number, giver: IdGiver): number => {
  if (n <= SHORT_MAX) {
    const o = shortAt(b, v, p, n);
    return shorts[o + OWNER] === giver.owner ? (shorts[o + ID] as number) : newShortId(o, giver);
  }
  return n > LONG_MAX ? giver.idOf(slowText(b, p, n)) : longId(longAt(b, v, p, n), giver);
};

/**
 * As `elsewhere`, for who wants an id: the first place, at o, holds another string, or no id that the giver gave. Generated code asks
 * for both in one comparison.
 * @returns the record, with such an id  @throws Refusal DeserializeBadUtf8
 */
export const idElsewhere = (
  b: Uint8Array,
  p: number,
  n: number,
  o: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  giver: IdGiver,
): number => {
  const at = holds(o, n, w0, w1, w2, w3) ? o : elsewhere(b, p, n, o, w0, w1, w2, w3);
  if (shorts[at + OWNER] !== giver.owner) newShortId(at, giver);
  return at;
};

/** Asks for the id of the short string whose record is at o, and notes it there. */
const newShortId = (o: number, giver: IdGiver): number => {
  const id = giver.idOf(shortTexts[o >>> 3] as string);
  shorts[o + ID] = id;
  shorts[o + OWNER] = giver.owner;
  return id;
};

const longId = (place: number, giver: IdGiver): number => {
  if (longOwners[place] !== giver.owner) {
    longIds[place] = giver.idOf(longTexts[place] as string);
    longOwners[place] = giver.owner;
  }
  return longIds[place] as number;
};

/**
 * The string of n bytes at p, which the caller has checked to be there.
 * @throws Refusal DeserializeBadUtf8
 */
export const textAt = (b: Uint8Array, v: DataView, p: number, n: number): string => {
  if (n === 0) return '';
  if (n <= SHORT_MAX) return shortTexts[shortAt(b, v, p, n) >>> 3] as string;
  return n > LONG_MAX ? slowText(b, p, n) : (longTexts[longAt(b, v, p, n)] as string);
};

/** Reads a char: a string of 1 to 4 bytes and exactly one scalar, or the first of several. @throws Refusal DeserializeBadChar */
export const readChar = (at: number, from: number, n: number, first: boolean): string => {
  const { b, v, e } = input;
  if (n > 4) refuse('DeserializeBadChar', at, 'a char of 1 to 4 bytes', `${n} bytes`);
  if (n > e - from) end(from, `${n} bytes of char`);
  let text: string;
  try {
    text = textAt(b, v, from, n);
  } catch {
    // the crate reports malformed chars as such, not as malformed strings
    return refuse('DeserializeBadChar', from, 'a char in UTF-8', 'malformed bytes');
  }
  input.p = from + n;
  const scalar = String.fromCodePoint(text.codePointAt(0) ?? 0);
  if (n === 0 || (scalar.length !== text.length && !first))
    refuse('DeserializeBadChar', at, 'exactly one scalar', n === 0 ? 'none' : JSON.stringify(text));
  return scalar;
};
