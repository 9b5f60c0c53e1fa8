import type { Node } from '../schema/node.ts';
import { grow, output } from '../wire/output.ts';
import { badValue } from '../wire/refusal.ts';
import { writeText } from '../wire/text-out.ts';
import { writeLong, writeU64 } from '../wire/varint-out.ts';
import { LOOP_CHARS_MAX, WrittenText, writeShort } from '../wire/written-text.ts';
import { ClosureEncoder } from './encode.ts';
import { type Encoder, putVarint } from './encode-leaves.ts';
import { enumEncoder, structEncoder, tupleEncoder } from './unrolled-encode.ts';

const nothing: Encoder = (_value, p) => p;

const putShort = (b: Uint8Array, p: number, value: number): number => {
  if (value < 0x80) {
    b[p] = value;
    return p + 1;
  }
  if (value >= 0x4000) return writeLong(b, p, value);
  b[p] = (value & 127) | 128;
  b[p + 1] = value >>> 7;
  return p + 2;
};

const putU64: Encoder = (value, from) => {
  const p = from > output.lim ? grow(from, 0) : from;
  if (typeof value !== 'number' || value >>> 0 !== value) return writeU64(output.b, p, value);
  return putShort(output.b, p, value);
};

const putU32: Encoder = (value, from) => {
  const p = from > output.lim ? grow(from, 0) : from;
  if (typeof value !== 'number' || value >>> 0 !== value) return badValue('u32', value);
  return putShort(output.b, p, value);
};

const putF64: Encoder = (value, from) => {
  const p = from > output.lim ? grow(from, 0) : from;
  if (typeof value !== 'number') return badValue('f64', value);
  output.v.setFloat64(p, value, true);
  return p + 8;
};

/** The encoder of one place of a schema that has strings. */
const textEncoder = (): Encoder => {
  const place = new WrittenText();
  return (value, from) => {
    if (typeof value !== 'string') return badValue('string', value);
    const n = value.length;
    const p = from + n * 3 > output.lim ? grow(from, n * 3) : from;
    if (n >= LOOP_CHARS_MAX) return writeText(output.b, p, value);
    return writeShort(place, output.b, output.v, p, value);
  };
};

/**
 * Builds the encoder of a schema for no-eval mode. It keeps no path: what it refuses is written again by a ClosureEncoder, which
 * does, and which writes what has no quicker way.
 */
export class QuickEncoder extends ClosureEncoder {
  override build(node: Node): Encoder {
    return this.#quick(node) ?? super.build(node);
  }

  #quick(node: Node): Encoder | undefined {
    const build = (of: Node): Encoder => this.build(of);
    switch (node.kind) {
      case 'unit':
        return nothing;
      case 'seq':
        return this.#seq(node.of);
      case 'struct':
        return structEncoder(node.fields, build);
      case 'tuple':
        return tupleEncoder(node.items, build);
      case 'enum':
        return enumEncoder(node.variants, build);
      case 'string':
        return textEncoder();
      case 'f64':
        return putF64;
      case 'wide':
        return node.int === 'u64' && node.form === 'number' ? putU64 : undefined;
      case 'u32':
        return putU32;
      default:
        return undefined;
    }
  }

  #seq(item: Node): Encoder {
    const of = this.build(item);
    return (value, from) => {
      if (typeof value !== 'object' || value === null) badValue('array', value);
      const list = value as ArrayLike<unknown>;
      const n = list.length;
      if (n >>> 0 !== n) badValue('array', value);
      let p = putVarint(n, from);
      for (let i = 0; i < n; i++) p = of(list[i], p);
      return p;
    };
  }
}
