import { INT_RANGE, type WideForm, type WideInt } from '../schema/node.ts';
import { badVarint, end, input } from './input.ts';
import { refuse } from './refusal.ts';

const scratch = new DataView(new ArrayBuffer(8));

/** Reads a varint of at most 32 bits. @param max bytes of its type @param last the most the last byte may hold */
const narrow = (from: number, type: string, max: number, last: number): number => {
  const { b, e } = input;
  let p = from;
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    if (p >= e) end(p, `a ${type}`);
    const byte = b[p++] as number;
    if (shift === 7 * (max - 1) && byte > last) badVarint(p - 1, type);
    value |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  input.p = p;
  return value >>> 0;
};

/** Reads a u16 varint: at most 3 bytes, the third at most 03. @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readU16 = (p: number): number => narrow(p, 'u16', 3, 3);
/** Reads a u32 varint: at most 5 bytes, the fifth at most 0F. @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readU32 = (p: number): number => narrow(p, 'u32', 5, 15);

/** Undoes zigzag for up to 32 bits. */
export const unzigzag = (value: number): number => (value >>> 1) ^ -(value & 1);

// the three limbs of the varint read last: 28 bits, 28 bits, 8 bits
let low = 0;
let middle = 0;
let high = 0;

const limb = (from: number): number => {
  const { b, e } = input;
  let p = from;
  let value = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    if (p >= e) end(p, 'a u64');
    const byte = b[p++] as number;
    value |= (byte & 127) << shift;
    if (byte < 128) {
      input.p = p;
      return value;
    }
  }
  input.p = p;
  // bit 28 says that the varint goes on
  return value | 0x1000_0000;
};

/** Reads a u64 varint into the limbs: at most 10 bytes, the tenth at most 01. */
const limbs = (from: number): void => {
  middle = 0;
  high = 0;
  low = limb(from);
  if (low < 0x1000_0000) return;
  low &= 0xfff_ffff;
  middle = limb(input.p);
  if (middle < 0x1000_0000) return;
  middle &= 0xfff_ffff;
  let { p } = input;
  const { b, e } = input;
  if (p >= e) end(p, 'a u64');
  high = b[p++] as number;
  if (high > 127) {
    if (p >= e) end(p, 'a u64');
    const tenth = b[p++] as number;
    if (tenth > 1) badVarint(p - 1, 'u64');
    high = (high & 127) | (tenth << 7);
  }
  input.p = p;
};

const isSafe = (): boolean => high === 0 && middle < 0x200_0000;
const asNumber = (): number => middle * 0x1000_0000 + low;
const asBigint = (): bigint => {
  scratch.setUint32(0, (low | (middle << 28)) >>> 0, true);
  scratch.setUint32(4, ((middle >>> 4) | (high << 24)) >>> 0, true);
  return scratch.getBigUint64(0, true);
};

const unsafe = (at: number, value: bigint): never =>
  refuse('DeserializeUnsafeInteger', at, 'an integer within 2^53-1', String(value));

/**
 * Reads a u64 of 5 to 8 bytes into low and middle, without a loop: times and counters have so many.
 * @returns false when it is shorter, longer, or so near the end of the input that it may not be there: nothing was read then
 */
const fewLimbs = (p: number): boolean => {
  const { b, e } = input;
  if (e - p < 8) return false;
  const b0 = b[p] as number;
  const b1 = b[p + 1] as number;
  const b2 = b[p + 2] as number;
  const b3 = b[p + 3] as number;
  if ((b0 & b1 & b2 & b3) < 128) return false;
  let last = b[p + 4] as number;
  let q = p + 5;
  let value = last & 127;
  for (let shift = 7; last > 127 && shift < 28; shift += 7) {
    last = b[q++] as number;
    value |= (last & 127) << shift;
  }
  if (last > 127) return false;
  low = (b0 & 127) | ((b1 & 127) << 7) | ((b2 & 127) << 14) | ((b3 & 127) << 21);
  middle = value;
  input.p = q;
  return true;
};

/** Reads a u64 as a safe number. @throws Refusal DeserializeUnsafeInteger, DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readU64 = (p: number): number => {
  if (fewLimbs(p) && middle < 0x200_0000) return middle * 0x1000_0000 + low;
  limbs(p);
  return isSafe() ? asNumber() : unsafe(p, asBigint());
};

/** Bigints of one byte: making one is a call into the engine. */
const SMALL_BIGINTS: readonly bigint[] = Array.from({ length: 128 }, (_, i) => BigInt(i));

const TWO_52 = 2 ** 52;

/**
 * A whole number below 2^52. Behind 2^52 it stands in the low bits of a double: eight bytes are written in one store and read in one
 * load, where two halves make the load wait. It was a twelfth of reading measurements with u64 as bigint.
 */
const bigintOf = (value: number): bigint => {
  scratch.setFloat64(0, value + TWO_52, true);
  return BigInt.asUintN(52, scratch.getBigUint64(0, true));
};

/** The low seven bits of each byte of a word. */
const septets = (word: number): number =>
  (word & 127) | ((word >>> 1) & 0x3f80) | ((word >>> 2) & 0x1f_c000) | ((word >>> 3) & 0xfe0_0000);

/** Reads a u64 as a bigint. @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readU64Big = (p: number): bigint => {
  const { b, v, e } = input;
  const first = b[p] as number;
  if (first < 128 && p < e) {
    input.p = p + 1;
    return SMALL_BIGINTS[first] as bigint;
  }
  // up to seven bytes by words, without a loop: times and counters have so many
  if (e - p >= 8) {
    const word = v.getInt32(p, true);
    const ends = ~word & 0x8080_8080;
    if (ends !== 0) {
      const upTo = ends ^ (ends - 1);
      input.p = p + 4 - (Math.clz32(upTo) >>> 3);
      return bigintOf(septets(word & upTo));
    }
    const next = v.getInt32(p + 4, true);
    const nextEnds = ~next & 0x80_8080;
    if (nextEnds !== 0) {
      const upTo = nextEnds ^ (nextEnds - 1);
      input.p = p + 8 - (Math.clz32(upTo) >>> 3);
      return bigintOf((septets(next & upTo) & 0x1f_ffff) * 0x1000_0000 + septets(word));
    }
  }
  limbs(p);
  return asBigint();
};
/** Reads a u64 as whichever its value needs. @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readU64Auto = (p: number): number | bigint => {
  limbs(p);
  return isSafe() ? asNumber() : asBigint();
};
/** Reads a zigzag i64 as a bigint. @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readI64Big = (p: number): bigint => {
  const value = readU64Big(p);
  return (value >> 1n) ^ -(value & 1n);
};
/** Reads a zigzag i64 as whichever its value needs. @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readI64Auto = (p: number): number | bigint => {
  limbs(p);
  if (isSafe()) {
    const value = asNumber();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  const value = asBigint();
  return settled((value >> 1n) ^ -(value & 1n));
};
/** Reads a zigzag i64 as a safe number. @throws Refusal DeserializeUnsafeInteger, DeserializeBadVarint, DeserializeUnexpectedEnd */
export const readI64 = (p: number): number => {
  const value = readI64Auto(p);
  return typeof value === 'number' ? value : unsafe(p, value);
};

const settled = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;

/** A bigint in the form its field asks for. @throws Refusal DeserializeUnsafeInteger */
export const formed = (at: number, value: bigint, form: WideForm): number | bigint => {
  if (form === 'bigint') return value;
  const number = settled(value);
  return form === 'number' && typeof number === 'bigint' ? unsafe(at, number) : number;
};

/** Reads a u128 or i128: at most 19 bytes, the last at most 03. @throws Refusal as the others */
export const readWide128 = (from: number, int: 'u128' | 'i128', form: WideForm): number | bigint => {
  const { b, e } = input;
  let p = from;
  let value = 0n;
  for (let i = 0; ; i++) {
    if (p >= e) end(p, `a ${int}`);
    const byte = b[p++] as number;
    if (i === 18 && byte > 3) badVarint(p - 1, int);
    value |= BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) break;
  }
  input.p = p;
  return formed(from, int === 'u128' ? value : (value >> 1n) ^ -(value & 1n), form);
};

/**
 * Reads a length: a u64 varint. Beyond 2^53 it is only roughly right, which no input can hold anyway.
 * @throws Refusal DeserializeBadVarint, DeserializeUnexpectedEnd
 */
export const readLength = (p: number): number => {
  const { b, e } = input;
  // two or three bytes, without the limbs: they were a fifth of reading a blob of a KiB
  if (e - p >= 3) {
    const low7 = (b[p] as number) & 127;
    const second = b[p + 1] as number;
    const third = b[p + 2] as number;
    if (second < 128) {
      input.p = p + 2;
      return low7 | (second << 7);
    }
    if (third < 128) {
      input.p = p + 3;
      return low7 | ((second & 127) << 7) | (third << 14);
    }
  }
  limbs(p);
  return high * 2 ** 56 + asNumber();
};

/** Reads a fixed-width integer. @throws Refusal DeserializeUnexpectedEnd, DeserializeUnsafeInteger */
export const readFixedWide = (p: number, int: WideInt, little: boolean, form: WideForm): number | bigint => {
  const { v, e } = input;
  const bytes = int === 'u64' || int === 'i64' ? 8 : 16;
  if (e - p < bytes) end(p, `${bytes} bytes`);
  input.p = p + bytes;
  if (int === 'u64') return formed(p, v.getBigUint64(p, little), form);
  if (int === 'i64') return formed(p, v.getBigInt64(p, little), form);
  const unsigned =
    v.getBigUint64(little ? p : p + 8, little) | (v.getBigUint64(little ? p + 8 : p, little) << 64n);
  return formed(p, INT_RANGE[int][0] === 0n ? unsigned : BigInt.asIntN(128, unsigned), form);
};
