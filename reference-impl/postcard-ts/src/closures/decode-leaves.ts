import { FIXED_BYTES, type Node } from '../schema/node.ts';
import { badBool, badEnum, end, input } from '../wire/input.ts';
import { readChar, textAt } from '../wire/text-in.ts';
import {
  readFixedWide,
  readI64,
  readI64Auto,
  readI64Big,
  readLength,
  readU16,
  readU32,
  readU64,
  readU64Auto,
  readU64Big,
  readWide128,
  unzigzag,
} from '../wire/varint-in.ts';

/** Reads a value from a position on and leaves the end in input.p. */
export type Decoder = (p: number) => unknown;

/** The byte at a position. @throws Refusal DeserializeUnexpectedEnd */
export const byte = (p: number, what = 'a byte'): number => {
  if (p >= input.e) end(p, what);
  input.p = p + 1;
  return input.b[p] as number;
};

/** A length, of one byte as a rule. @throws Refusal DeserializeUnexpectedEnd, DeserializeBadVarint */
export const length = (p: number): number => {
  const first = byte(p, 'a length');
  return first < 128 ? first : readLength(p);
};

/** The index of a variant. @throws Refusal DeserializeBadEnum */
export const variantIndex = (p: number, variants: number): number => {
  const index = u32(p) as number;
  if (index >= variants) badEnum(input.p - 1, index, variants);
  return index;
};

const u32: Decoder = (p) => {
  if (p < input.e) {
    const first = input.b[p] as number;
    if (first < 128) {
      input.p = p + 1;
      return first;
    }
  }
  return readU32(p);
};

/** A string. @throws Refusal DeserializeUnexpectedEnd, DeserializeBadVarint, DeserializeBadUtf8 */
export const string = (from: number): string => {
  const n = length(from);
  const { b, v, e, p } = input;
  if (n > e - p) end(p, `${n} bytes of string`);
  const text = textAt(b, v, p, n);
  input.p = p + n;
  return text;
};

const bytesAt = (p: number, n: number, copy: boolean): Uint8Array => {
  if (n > input.e - p) end(p, `${n} bytes`);
  input.p = p + n;
  return copy ? input.b.slice(p, p + n) : new Uint8Array(input.buffer as ArrayBuffer, p, n);
};

const WIDE = {
  u64: { number: readU64, bigint: readU64Big, auto: readU64Auto },
  i64: { number: readI64, bigint: readI64Big, auto: readI64Auto },
};

const wide = ({ int, form }: Extract<Node, { kind: 'wide' }>): Decoder => {
  if (int === 'u128' || int === 'i128') return (p) => readWide128(p, int, form);
  const read = WIDE[int][form];
  if (int === 'i64' || form === 'bigint') return read;
  return (p) => {
    const { b, e } = input;
    if (e - p > 1 && (b[p] as number) < 128) {
      input.p = p + 1;
      return b[p];
    }
    return read(p);
  };
};

const fixed = ({ int, endian, form }: Extract<Node, { kind: 'fixed' }>): Decoder => {
  const little = endian === 'le';
  if (int === 'u64' || int === 'i64' || int === 'u128' || int === 'i128')
    return (p) => readFixedWide(p, int, little, form);
  const bytes = FIXED_BYTES[int];
  return (p) => {
    const { v, e } = input;
    if (e - p < bytes) end(p, `${bytes} bytes`);
    input.p = p + bytes;
    if (int === 'u16') return v.getUint16(p, little);
    if (int === 'i16') return v.getInt16(p, little);
    return int === 'u32' ? v.getUint32(p, little) : v.getInt32(p, little);
  };
};

const float =
  (bytes: 4 | 8): Decoder =>
  (p) => {
    const { v, e } = input;
    if (e - p < bytes) end(p, `${bytes} bytes of float`);
    input.p = p + bytes;
    return bytes === 4 ? v.getFloat32(p, true) : v.getFloat64(p, true);
  };

const bool: Decoder = (p) => {
  const value = byte(p, 'a bool');
  return value > 1 ? badBool(p) : value === 1;
};

/** The decoder of a node without children. */
export const leafDecoder = (node: Node, firstChar: boolean): Decoder => {
  switch (node.kind) {
    case 'unit':
      return (p) => {
        input.p = p;
      };
    case 'bool':
      return bool;
    case 'u8':
      return (p) => byte(p, 'a u8');
    case 'i8':
      return (p) => (byte(p, 'an i8') << 24) >> 24;
    case 'u16':
      return readU16;
    case 'u32':
      return u32;
    case 'i16':
      return (p) => unzigzag(readU16(p));
    case 'i32':
      return (p) => unzigzag(readU32(p));
    case 'wide':
      return wide(node);
    case 'fixed':
      return fixed(node);
    case 'f32':
      return float(4);
    case 'f64':
      return float(8);
    case 'char':
      return (p) => {
        const n = length(p);
        return readChar(p, input.p, n, firstChar);
      };
    case 'string':
      return string;
    case 'bytes':
      return (p) => {
        const n = length(p);
        return bytesAt(input.p, n, node.copy);
      };
    case 'byteArray':
      return (p) => bytesAt(p, node.length, node.copy);
    case 'names':
      return (p) => node.names[variantIndex(p, node.names.length)];
    default:
      throw new Error(`${node.kind} is no leaf`);
  }
};
