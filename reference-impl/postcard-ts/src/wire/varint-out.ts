import { INT_RANGE, type WideForm, type WideInt } from '../schema/node.ts';
import { output } from './output.ts';
import { badValue } from './refusal.ts';

const scratch = new DataView(new ArrayBuffer(8));

/** Writes a whole number below 2^53 as a varint. @returns the position after it */
export const writeVarint = (b: Uint8Array, from: number, value: number): number => {
  let p = from;
  let rest = value;
  // below 2^32 bit operations are exact
  for (; rest > 0xffff_ffff; rest = Math.floor(rest / 128)) b[p++] = (rest % 128) | 128;
  for (rest >>>= 0; rest > 127; rest >>>= 7) b[p++] = (rest & 127) | 128;
  b[p++] = rest;
  return p;
};

const CONTINUED = 0x8080_8080 | 0;
/** The low 28 bits, seven in each byte of a word. */
const spread = (value: number): number =>
  (value & 127) | ((value << 1) & 0x7f00) | ((value << 2) & 0x7f_0000) | ((value << 3) & 0x7f00_0000);

/*
 * From 2^28 on a varint begins with four bytes that go on: one word, written at once. Times and large counters are such numbers, and byte
 * by byte they were a tenth of writing measurements.
 */

/** Writes a number from 2^14 up to 2^32-1 to the output, whose bytes are b, as a varint. @returns the position after it */
export const writeLong = (b: Uint8Array, p: number, value: number): number => {
  if (value >= 0x1000_0000) {
    output.v.setInt32(p, spread(value) | CONTINUED, true);
    b[p + 4] = value >>> 28;
    return p + 5;
  }
  b[p] = (value & 127) | 128;
  b[p + 1] = ((value >>> 7) & 127) | 128;
  if (value < 0x20_0000) {
    b[p + 2] = value >>> 14;
    return p + 3;
  }
  b[p + 2] = ((value >>> 14) & 127) | 128;
  b[p + 3] = value >>> 21;
  return p + 4;
};

const writeHalves = (b: Uint8Array, from: number, lowHalf: number, highHalf: number): number => {
  let p = from;
  let low = lowHalf;
  let high = highHalf;
  if (high > 0 || low >= 0x1000_0000) {
    output.v.setInt32(p, spread(low) | CONTINUED, true);
    p += 4;
    low = ((low >>> 28) | (high << 4)) >>> 0;
    high >>>= 28;
  }
  // 36 bits are left at most
  for (; low > 127 || high > 0; high >>>= 7) {
    b[p++] = (low & 127) | 128;
    low = ((low >>> 7) | (high << 25)) >>> 0;
  }
  b[p++] = low;
  return p;
};

const TWO_53 = 0x20_0000_0000_0000;

/** Writes a u64 from a number. @throws Refusal SerializeBadValue unless it is a safe integer from 0 */
export const writeU64 = (b: Uint8Array, p: number, value: unknown): number => {
  if (typeof value !== 'number' || !(value >= 0 && value < TWO_53) || Math.floor(value) !== value)
    badValue('a whole number from 0 to 2^53-1', value);
  const number = value as number;
  return writeHalves(b, p, number >>> 0, (number / 0x1_0000_0000) >>> 0);
};
/** Writes a u64 from a bigint. @throws Refusal SerializeBadValue */
export const writeU64Big = (b: Uint8Array, p: number, value: unknown): number => {
  if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value)
    badValue('a bigint from 0 to 2^64-1', value);
  scratch.setBigUint64(0, value as bigint, true);
  return writeHalves(b, p, scratch.getUint32(0, true), scratch.getUint32(4, true));
};
/** Writes an i64 from a number. @throws Refusal SerializeBadValue unless it is a safe integer */
export const writeI64 = (b: Uint8Array, p: number, value: unknown): number => {
  if (!Number.isSafeInteger(value)) badValue('a whole number within 2^53-1', value);
  const number = value as number;
  // doubled it may leave the safe range
  if (number < -TWO_53 / 2 || number >= TWO_53 / 2) return writeI64Big(b, p, BigInt(number));
  return writeU64(b, p, number < 0 ? -2 * number - 1 : 2 * number);
};
/** Writes an i64 from a bigint. @throws Refusal SerializeBadValue */
export const writeI64Big = (b: Uint8Array, p: number, value: unknown): number => {
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)
    badValue('a bigint from -2^63 to 2^63-1', value);
  return writeU64Big(b, p, BigInt.asUintN(64, ((value as bigint) << 1n) ^ ((value as bigint) >> 63n)));
};
/** Writes a u64 from either. @throws Refusal SerializeBadValue */
export const writeU64Auto = (b: Uint8Array, p: number, value: unknown): number =>
  typeof value === 'bigint' ? writeU64Big(b, p, value) : writeU64(b, p, value);
/** Writes an i64 from either. @throws Refusal SerializeBadValue */
export const writeI64Auto = (b: Uint8Array, p: number, value: unknown): number =>
  typeof value === 'bigint' ? writeI64Big(b, p, value) : writeI64(b, p, value);

/** A wide integer as a bigint, checked against its field's form and range. @throws Refusal SerializeBadValue */
export const asWide = (value: unknown, int: WideInt, form: WideForm): bigint => {
  const isBig = typeof value === 'bigint';
  if (isBig ? form === 'number' : form === 'bigint' || !Number.isSafeInteger(value))
    badValue(form === 'bigint' ? `a bigint (${int})` : `a whole number within 2^53-1 (${int})`, value);
  const big = isBig ? (value as bigint) : BigInt(value as number);
  const [min, max] = INT_RANGE[int];
  if (big < min || big > max) badValue(`${int} from ${min} to ${max}`, value);
  return big;
};

/** Writes a u128 or i128. @throws Refusal SerializeBadValue */
export const writeWide128 = (
  b: Uint8Array,
  from: number,
  value: unknown,
  int: 'u128' | 'i128',
  form: WideForm,
): number => {
  const big = asWide(value, int, form);
  let rest = int === 'u128' ? big : BigInt.asUintN(128, (big << 1n) ^ (big >> 127n));
  let p = from;
  for (; rest > 127n; rest >>= 7n) b[p++] = Number(rest & 127n) | 128;
  b[p++] = Number(rest);
  return p;
};

/** Writes a fixed-width wide integer. @throws Refusal SerializeBadValue */
export const writeFixedWide = (
  v: DataView,
  p: number,
  value: unknown,
  int: WideInt,
  little: boolean,
  form: WideForm,
): number => {
  const big = asWide(value, int, form);
  if (int === 'u64' || int === 'i64') {
    v.setBigUint64(p, BigInt.asUintN(64, big), little);
    return p + 8;
  }
  v.setBigUint64(little ? p : p + 8, BigInt.asUintN(64, big), little);
  v.setBigUint64(little ? p + 8 : p, BigInt.asUintN(64, big >> 64n), little);
  return p + 16;
};

/** Checks a small integer. @throws Refusal SerializeBadValue */
export const checkSmall = (value: unknown, min: number, max: number, type: string): number => {
  if (typeof value !== 'number' || !(value >= min && value <= max) || Math.floor(value) !== value)
    badValue(`${type} from ${min} to ${max}`, value);
  return value as number;
};
