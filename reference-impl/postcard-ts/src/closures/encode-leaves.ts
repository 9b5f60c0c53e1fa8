import { FIXED_BYTES, INT_RANGE, type Node, type SmallInt } from '../schema/node.ts';
import { cut, grow, output } from '../wire/output.ts';
import { badValue } from '../wire/refusal.ts';
import { checkChar, writeText } from '../wire/text-out.ts';
import {
  checkSmall,
  writeFixedWide,
  writeI64,
  writeI64Auto,
  writeI64Big,
  writeU64,
  writeU64Auto,
  writeU64Big,
  writeWide128,
} from '../wire/varint-out.ts';
import { LOOP_CHARS_MAX, writeLoop } from '../wire/written-text.ts';

/** Writes a value from a position on and returns the end. */
export type Encoder = (value: unknown, p: number) => number;

/** Writes a number below 2^32 as a varint. */
export const putVarint = (value: number, from: number): number => {
  let p = from > output.lim ? grow(from, 0) : from;
  const { b } = output;
  if (value < 128) {
    b[p] = value;
    return p + 1;
  }
  let rest = value;
  for (; rest > 127; rest >>>= 7) b[p++] = (rest & 127) | 128;
  b[p++] = rest;
  return p;
};

const putByte = (value: number, from: number): number => {
  const p = from > output.lim ? grow(from, 0) : from;
  output.b[p] = value;
  return p + 1;
};

/** A string with its length. @throws Refusal SerializeBadValue */
export const putString: Encoder = (value, from) => {
  if (typeof value !== 'string') badValue('string', value);
  const text = value as string;
  const n = text.length;
  const p = from + n * 3 > output.lim ? grow(from, n * 3) : from;
  const { b } = output;
  if (n >= LOOP_CHARS_MAX) return writeText(b, p, text);
  return writeLoop(b, p, text);
};

const small = (int: SmallInt): Encoder => {
  const [min, max] = INT_RANGE[int].map(Number) as [number, number];
  if (int === 'u8' || int === 'i8') return (value, p) => putByte(checkSmall(value, min, max, int) & 255, p);
  if (int === 'u32')
    return (value, p) =>
      putVarint((value as number) >>> 0 === value ? value : checkSmall(value, min, max, int), p);
  if (int === 'u16') return (value, p) => putVarint(checkSmall(value, min, max, int), p);
  const mask = int === 'i16' ? 0xffff : 0xffff_ffff;
  return (value, p) => {
    const number = checkSmall(value, min, max, int);
    return putVarint((((number << 1) ^ (number >> 31)) & mask) >>> 0, p);
  };
};

const WIDE = {
  u64: { number: writeU64, bigint: writeU64Big, auto: writeU64Auto },
  i64: { number: writeI64, bigint: writeI64Big, auto: writeI64Auto },
};

const wide = ({ int, form }: Extract<Node, { kind: 'wide' }>): Encoder => {
  if (int === 'u128' || int === 'i128')
    return (value, from) => {
      const p = from > output.lim ? grow(from, 0) : from;
      return writeWide128(output.b, p, value, int, form);
    };
  const write = WIDE[int][form];
  if (int === 'u64' && form !== 'bigint')
    return (value, from) => {
      if (typeof value === 'number' && value >>> 0 === value) return putVarint(value, from);
      const p = from > output.lim ? grow(from, 0) : from;
      return write(output.b, p, value);
    };
  return (value, from) => {
    const p = from > output.lim ? grow(from, 0) : from;
    return write(output.b, p, value);
  };
};

const fixed = ({ int, endian, form }: Extract<Node, { kind: 'fixed' }>): Encoder => {
  const little = endian === 'le';
  if (int === 'u64' || int === 'i64' || int === 'u128' || int === 'i128')
    return (value, from) => {
      const p = from > output.lim ? grow(from, 0) : from;
      return writeFixedWide(output.v, p, value, int, little, form);
    };
  const [min, max] = INT_RANGE[int].map(Number) as [number, number];
  const bytes = FIXED_BYTES[int];
  return (value, from) => {
    const p = from > output.lim ? grow(from, 0) : from;
    const number = checkSmall(value, min, max, int);
    if (bytes === 2) output.v.setUint16(p, number & 0xffff, little);
    else output.v.setUint32(p, number >>> 0, little);
    return p + bytes;
  };
};

const float =
  (kind: 'f32' | 'f64'): Encoder =>
  (value, from) => {
    const p = from > output.lim ? grow(from, 0) : from;
    if (typeof value !== 'number') badValue(kind, value);
    if (kind === 'f32') output.v.setFloat32(p, value as number, true);
    else output.v.setFloat64(p, value as number, true);
    return kind === 'f32' ? p + 4 : p + 8;
  };

const bytes =
  (length: number | undefined): Encoder =>
  (value, from) => {
    if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length))
      badValue(length === undefined ? 'Uint8Array' : `Uint8Array of ${length}`, value);
    const data = value as Uint8Array;
    const start = length === undefined ? putVarint(data.length, from) : from;
    if (data.length >= output.cut) {
      cut(start, data);
      return start;
    }
    const p = start + data.length > output.lim ? grow(start, data.length) : start;
    output.b.set(data, p);
    return p + data.length;
  };

/** The encoder of a node without children. */
export const leafEncoder = (node: Node): Encoder => {
  switch (node.kind) {
    case 'unit':
      return (_value, p) => p;
    case 'bool':
      return (value, p) => (typeof value === 'boolean' ? putByte(value ? 1 : 0, p) : badValue('bool', value));
    case 'f32':
    case 'f64':
      return float(node.kind);
    case 'char':
      return (value, p) => putString(checkChar(value), p);
    case 'string':
      return putString;
    case 'wide':
      return wide(node);
    case 'fixed':
      return fixed(node);
    case 'bytes':
      return bytes(undefined);
    case 'byteArray':
      return bytes(node.length);
    case 'names': {
      const index = new Map(node.names.map((name, i) => [name as unknown, i]));
      return (value, p) =>
        putVarint(index.get(value) ?? badValue(`one of ${node.names.slice(0, 8).join(', ')}`, value), p);
    }
    default:
      return small(node.kind as SmallInt);
  }
};

/** How a part of a composite is written: frequent leaves by a code, which needs no call through a variable. */
export type Part = { readonly code: number; readonly encode: Encoder };

const CODES: Readonly<Record<string, number>> = { string: 1, f64: 2, u64: 3, u32: 4 };
const OTHERS = 0;

/** The part for a node and its encoder. */
export const partOf = (node: Node, encode: Encoder): Part => {
  const isWide = node.kind === 'wide' && node.int === 'u64' && node.form === 'number';
  return { code: (isWide ? CODES.u64 : CODES[node.kind]) ?? OTHERS, encode };
};

const putSmall = (value: number, from: number): number => {
  const p = from > output.lim ? grow(from, 0) : from;
  const { b } = output;
  if (value < 0x80) {
    b[p] = value;
    return p + 1;
  }
  if (value < 0x4000) {
    b[p] = (value & 127) | 128;
    b[p + 1] = value >>> 7;
    return p + 2;
  }
  let q = p;
  let rest = value;
  for (; rest > 127; rest >>>= 7) b[q++] = (rest & 127) | 128;
  b[q++] = rest;
  return q;
};

const putFloat = float('f64');

/** Writes a part. @throws Refusal as its encoder */
export const putPart = ({ code, encode }: Part, value: unknown, p: number): number => {
  switch (code) {
    case 1:
      return putString(value, p);
    case 2:
      return putFloat(value, p);
    case 3:
    case 4:
      return typeof value === 'number' && value >>> 0 === value ? putSmall(value, p) : encode(value, p);
    default:
      return encode(value, p);
  }
};
