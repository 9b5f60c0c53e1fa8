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

// Strings repeat. A direct-mapped table of 4096 short ones (two places each) and one of 1024 longer ones hand out the string made
// last time, after comparing every byte. Bounded memory; a miss costs one native slice and nothing can make it cost more.
const SHORT_MAX = 16;
const SHORT_SLOTS = 4096;
const shortWords = new Int32Array(SHORT_SLOTS * 4);
const shortLengths = new Uint8Array(SHORT_SLOTS);
const LONG_MAX = 64;
const LONG_SLOTS = 1024;
const longWords = new Int32Array(LONG_SLOTS * 16);
const longLengths = new Uint8Array(LONG_SLOTS);
/** How many places the tables have together. */
export const TEXT_SLOTS = SHORT_SLOTS + LONG_SLOTS;
/** The strings in the tables: short ones, then longer ones. */
export const slotTexts: string[] = new Array(TEXT_SLOTS).fill('');

const remember = (
  b: Uint8Array,
  p: number,
  n: number,
  slot: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): number => {
  // first the string: a refusal must leave the table as it was
  slotTexts[slot] = slowText(b, p, n);
  shortLengths[slot] = n;
  const o = slot << 2;
  shortWords[o] = w0;
  shortWords[o + 1] = w1;
  shortWords[o + 2] = w2;
  shortWords[o + 3] = w3;
  forget(slot);
  return slot;
};

const longSlot = (b: Uint8Array, v: DataView, p: number, n: number): number => {
  const last = p + n - 4;
  let hash = n;
  for (let q = p; q < last; q += 4) hash = Math.imul(hash ^ v.getInt32(q, true), 0x9e3779b1) ^ (hash >>> 15);
  hash = Math.imul(hash ^ v.getInt32(last, true), 0x9e3779b1) >>> 22;
  const o = hash << 4;
  const slot = SHORT_SLOTS + hash;
  if (longLengths[hash] === n) {
    let k = o;
    let q = p;
    for (; q < last; q += 4) if (longWords[k++] !== v.getInt32(q, true)) break;
    if (q >= last && longWords[k] === v.getInt32(last, true)) return slot;
  }
  slotTexts[slot] = slowText(b, p, n);
  let k = o;
  for (let q = p; q < last; q += 4) longWords[k++] = v.getInt32(q, true);
  longWords[k] = v.getInt32(last, true);
  longLengths[hash] = n;
  forget(slot);
  return slot;
};

/** Which dictionary last gave the string of a slot an id, and which. Dictionaries look here before they look in their maps. */
export const slotOwners = new Int32Array(TEXT_SLOTS);
export const slotIds = new Int32Array(TEXT_SLOTS);
const forget = (slot: number): void => {
  slotOwners[slot] = 0;
};

/**
 * The slot that holds the string of n bytes (at least one) at p.
 * @returns -1 if it is too long for the tables
 * @throws Refusal DeserializeBadUtf8
 */
export const textSlot = (b: Uint8Array, v: DataView, p: number, n: number): number => {
  if (n > SHORT_MAX) return n > LONG_MAX ? -1 : longSlot(b, v, p, n);
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
  const slot =
    Math.imul(((w0 + Math.imul(w3, 5) + Math.imul(w1, 9)) | 0) ^ n ^ Math.imul(w2, 17), 0x9e3779b1) >>> 20;
  let o = slot << 2;
  if (
    (((shortWords[o] as number) ^ w0) |
      ((shortWords[o + 3] as number) ^ w3) |
      ((shortWords[o + 1] as number) ^ w1) |
      ((shortWords[o + 2] as number) ^ w2) |
      ((shortLengths[slot] as number) ^ n)) ===
    0
  )
    return slot;
  const second = slot ^ 1;
  o = second << 2;
  if (
    (((shortWords[o] as number) ^ w0) |
      ((shortWords[o + 3] as number) ^ w3) |
      ((shortWords[o + 1] as number) ^ w1) |
      ((shortWords[o + 2] as number) ^ w2) |
      ((shortLengths[second] as number) ^ n)) ===
    0
  )
    return second;
  return remember(b, p, n, shortLengths[slot] === 0 ? slot : second, w0, w1, w2, w3);
};

/**
 * The string of n bytes at p, which the caller has checked to be there.
 * @throws Refusal DeserializeBadUtf8
 */
export const textAt = (b: Uint8Array, v: DataView, p: number, n: number): string => {
  if (n === 0) return '';
  const slot = textSlot(b, v, p, n);
  return slot < 0 ? slowText(b, p, n) : (slotTexts[slot] as string);
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
