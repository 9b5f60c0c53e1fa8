import { varintLength } from '../schema/bounds.ts';
import { badSchema } from '../wire/refusal.ts';

/** How a frame announces its length: 1, 2, 4 or 8 bytes of either endian (big by default), or a postcard varint. */
export type Prefix = {
  readonly bytes: 1 | 2 | 4 | 8 | 'varint';
  readonly endian?: 'le' | 'be';
};

export const U32_BE: Prefix = { bytes: 4, endian: 'be' };

const CAPACITY = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff, 8: Number.MAX_SAFE_INTEGER, varint: 0xffff_ffff };

/** The longest frame a prefix can announce. @throws PostcardError BadSchema for an unknown form */
export const prefixCapacity = (prefix: Prefix): number => {
  const capacity = CAPACITY[prefix.bytes];
  if (capacity === undefined) throw badSchema('prefix.bytes', "1, 2, 4, 8 or 'varint'", String(prefix.bytes));
  return capacity;
};

/** Bytes a prefix takes for a length. */
export const prefixLength = (prefix: Prefix, length: number): number =>
  prefix.bytes === 'varint' ? varintLength(length) : prefix.bytes;

/** Writes a length that the prefix can hold. */
export const writePrefix = (b: Uint8Array, at: number, prefix: Prefix, length: number): void => {
  if (prefix.bytes === 'varint') {
    let p = at;
    let rest = length;
    for (; rest > 127; rest >>>= 7) b[p++] = (rest & 127) | 128;
    b[p] = rest;
    return;
  }
  let rest = length;
  for (let i = 0; i < prefix.bytes; i++, rest = Math.floor(rest / 256))
    b[prefix.endian === 'le' ? at + i : at + prefix.bytes - 1 - i] = rest % 256;
};
