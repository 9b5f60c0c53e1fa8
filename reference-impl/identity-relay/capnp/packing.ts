/**
 * Cap'n Proto's packing: each word of 8 bytes becomes a tag (bit i: byte i is not zero) and its non-zero bytes. Tag 00 is followed
 * by a count of further zero words, tag ff by the word and a count of further words that stand as they are. Source: Cap'n Proto
 * encoding spec, "Packing".
 */
import { fault } from '../wire-faults.ts';
import type { Scratch } from './scratch.ts';

const RUN_WORDS_MAX = 255;
/** A copy of this many bytes is cheaper by `set` than by a loop. */
const LONG_COPY_BYTES = 64;
/** Packed bytes of n words: never more than 10 for 8, and two counts. */
export const packedBytesMax = (bytes: number): number => bytes + (bytes >>> 2) + 16;

const ONES = new Uint8Array(256);
for (let tag = 1; tag < 256; tag++) ONES[tag] = (ONES[tag >> 1] as number) + (tag & 1);

/**
 * How many bytes a packed stream unpacks to. Nothing is allocated, so a hostile stream costs its own length and no more.
 * @throws WireError PACKED_TRUNCATED | PACKED_TOO_LONG
 */
export const unpackedBytes = (packed: Uint8Array, bytesMax: number): number => {
  const end = packed.length;
  let at = 0;
  let words = 0;
  while (at < end) {
    const tag = packed[at] as number;
    words++;
    at += 1 + (ONES[tag] as number);
    if (tag === 0) words += packed[at++] ?? 0;
    else if (tag === 0xff) {
      const run = packed[at++] ?? 0;
      words += run;
      at += run * 8;
    }
    if (words * 8 > bytesMax)
      throw fault('PACKED_TOO_LONG', `at most ${bytesMax} unpacked bytes`, `${words * 8} or more`, at);
  }
  if (at > end) throw fault('PACKED_TRUNCATED', `${at} packed bytes`, String(end), end);
  return words * 8;
};

/**
 * Where in a packed stream, found whole before, the words from `offset` on begin.
 * @param offset in unpacked bytes, a multiple of 8
 * @returns undefined if they begin within a run
 */
export const packedOffset = (packed: Uint8Array, offset: number): number | undefined => {
  let at = 0;
  let unpacked = 0;
  while (unpacked < offset) {
    const tag = packed[at] as number;
    at += 1 + (ONES[tag] as number);
    unpacked += 8;
    if (tag !== 0 && tag !== 0xff) continue;
    const run = (packed[at++] as number) * 8;
    unpacked += run;
    if (tag === 0xff) at += run;
  }
  return unpacked === offset ? at : undefined;
};

/**
 * Unpacks to the beginning of `out`.
 * @returns bytes written, a multiple of 8
 * @throws WireError PACKED_TRUNCATED | PACKED_TOO_LONG, before anything is written or allocated
 */
export const unpack = (packed: Uint8Array, out: Scratch, bytesMax: number): number => {
  const length = unpackedBytes(packed, bytesMax);
  out.ensure(length);
  const to = out.bytes;
  const end = packed.length;
  let from = 0;
  let at = 0;
  while (from < end) {
    const tag = packed[from++] as number;
    if (tag === 0) {
      const zeros = 8 + (packed[from++] as number) * 8;
      to.fill(0, at, at + zeros);
      at += zeros;
    } else if (tag === 0xff) {
      const run = (packed[from + 8] as number) * 8;
      for (let i = 0; i < 8; i++) to[at++] = packed[from++] as number;
      from++;
      if (run > LONG_COPY_BYTES) {
        to.set(packed.subarray(from, from + run), at);
        from += run;
        at += run;
      } else for (let i = 0; i < run; i++) to[at++] = packed[from++] as number;
    } else {
      to[at] = tag & 1 ? (packed[from++] as number) : 0;
      to[at + 1] = tag & 2 ? (packed[from++] as number) : 0;
      to[at + 2] = tag & 4 ? (packed[from++] as number) : 0;
      to[at + 3] = tag & 8 ? (packed[from++] as number) : 0;
      to[at + 4] = tag & 16 ? (packed[from++] as number) : 0;
      to[at + 5] = tag & 32 ? (packed[from++] as number) : 0;
      to[at + 6] = tag & 64 ? (packed[from++] as number) : 0;
      to[at + 7] = tag & 128 ? (packed[from++] as number) : 0;
      at += 8;
    }
  }
  return length;
};

const LOW_BITS = 0x7f7f7f7f;
/** 0x80 in every byte that is zero, exactly. */
const zerosOf = (word: number): number => ~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS);

/** Words from `first` on that stand as they are behind a full word: those with at most one zero byte. */
const literalRun = (words: Int32Array, first: number, end: number): number => {
  let at = first;
  const last = Math.min(end, first + RUN_WORDS_MAX * 2);
  for (; at < last; at += 2) {
    const low = zerosOf(words[at] as number);
    const high = zerosOf(words[at + 1] as number);
    if ((low | high) !== 0 && ((low !== 0 && high !== 0) || ((low | high) & ((low | high) - 1)) !== 0)) break;
  }
  return (at - first) / 2;
};

/** All-zero words from `first` on. */
const zeroRun = (words: Int32Array, first: number, end: number): number => {
  let at = first;
  const last = Math.min(end, first + RUN_WORDS_MAX * 2);
  while (at < last && ((words[at] as number) | (words[at + 1] as number)) === 0) at += 2;
  return (at - first) / 2;
};

/**
 * Packs whole words; runs do not reach over the ends of what is given, as other writers have it for each segment.
 * @param from, to byte offsets in `source`, multiples of 8
 * @param at where to write in `out`, which is made large enough (its first `at` bytes are kept)
 * @returns offset behind what was written
 */
export const pack = (source: Scratch, from: number, to: number, out: Scratch, at: number): number => {
  out.ensure(at + packedBytesMax(to - from), at);
  const { bytes, words } = source;
  const packed = out.bytes;
  const end = to >>> 2;
  let put = at;
  for (let word = from >>> 2; word < end; ) {
    const byte = word << 2;
    const low = words[word] as number;
    const high = words[word + 1] as number;
    word += 2;
    if ((low | high) === 0) {
      const run = zeroRun(words, word, end);
      packed[put++] = 0;
      packed[put++] = run;
      word += run * 2;
    } else if ((zerosOf(low) | zerosOf(high)) === 0) {
      packed[put++] = 0xff;
      for (let i = byte; i < byte + 8; i++) packed[put++] = bytes[i] as number;
      const run = literalRun(words, word, end);
      packed[put++] = run;
      const first = byte + 8;
      if (run * 8 > LONG_COPY_BYTES) {
        packed.set(bytes.subarray(first, first + run * 8), put);
        put += run * 8;
      } else for (let i = first; i < first + run * 8; i++) packed[put++] = bytes[i] as number;
      word += run * 2;
    } else {
      const tagAt = put++;
      let tag = 0;
      for (let i = 0; i < 8; i++) {
        const value = bytes[byte + i] as number;
        if (value === 0) continue;
        tag |= 1 << i;
        packed[put++] = value;
      }
      packed[tagAt] = tag;
    }
  }
  return put;
};
