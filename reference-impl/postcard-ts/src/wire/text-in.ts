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
const shortTexts: string[] = new Array(4096).fill('');
const shortWords = new Int32Array(4096 * 4);
const shortLengths = new Uint8Array(4096);
const LONG_MAX = 64;
const longTexts: string[] = new Array(1024).fill('');
const longWords = new Int32Array(1024 * 16);
const longLengths = new Uint8Array(1024);

const remember = (
  b: Uint8Array,
  p: number,
  n: number,
  slot: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): string => {
  const text = slowText(b, p, n);
  shortLengths[slot] = n;
  const o = slot << 2;
  shortWords[o] = w0;
  shortWords[o + 1] = w1;
  shortWords[o + 2] = w2;
  shortWords[o + 3] = w3;
  shortTexts[slot] = text;
  return text;
};

const longText = (b: Uint8Array, v: DataView, p: number, n: number): string => {
  if (n > LONG_MAX) return slowText(b, p, n);
  const last = p + n - 4;
  let hash = n;
  for (let q = p; q < last; q += 4) hash = Math.imul(hash ^ v.getInt32(q, true), 0x9e3779b1) ^ (hash >>> 15);
  hash = Math.imul(hash ^ v.getInt32(last, true), 0x9e3779b1) >>> 22;
  const o = hash << 4;
  if (longLengths[hash] === n) {
    let k = o;
    let q = p;
    for (; q < last; q += 4) if (longWords[k++] !== v.getInt32(q, true)) break;
    if (q >= last && longWords[k] === v.getInt32(last, true)) return longTexts[hash] as string;
  }
  const text = slowText(b, p, n);
  let k = o;
  for (let q = p; q < last; q += 4) longWords[k++] = v.getInt32(q, true);
  longWords[k] = v.getInt32(last, true);
  longLengths[hash] = n;
  longTexts[hash] = text;
  return text;
};

/**
 * The string of n bytes at p, which the caller has checked to be there.
 * @throws Refusal DeserializeBadUtf8
 */
export const textAt = (b: Uint8Array, v: DataView, p: number, n: number): string => {
  if (n > SHORT_MAX) return longText(b, v, p, n);
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
  } else if (n === 0) return '';
  else w0 = (b[p] as number) | ((b[p + (n >> 1)] as number) << 8) | ((b[p + n - 1] as number) << 16);
  let slot =
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
    return shortTexts[slot] as string;
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
    return shortTexts[second] as string;
  if (shortLengths[slot] !== 0) slot = second;
  return remember(b, p, n, slot, w0, w1, w2, w3);
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
