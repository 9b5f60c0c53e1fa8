import type { Node } from '../schema/node.ts';
import { grow, output } from '../wire/output.ts';
import { badValue } from '../wire/refusal.ts';
import { writeText } from '../wire/text-out.ts';
import { writeLong, writeU64 } from '../wire/varint-out.ts';
import {
  LAST_DIGIT,
  LOOP_CHARS_MAX,
  REMEMBERED_CHARS_MAX,
  REMEMBERED_CHARS_MIN,
  SLOTS,
  WrittenText,
  writeLoop,
  writeNew,
} from '../wire/written-text.ts';
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

/**
 * The encoder of one place of a schema that has strings: what generated code has inline, see generate/written-text-source.ts. All of it
 * stands here, with what is remembered in variables of its own: a call to a function of all places took a tenth longer.
 */
const textEncoder = (): Encoder => {
  const place = new WrittenText();
  const { keys, words, doubles } = place;
  return (value, from) => {
    if (typeof value !== 'string') return badValue('string', value);
    const n = value.length;
    const p = from + n * 3 > output.lim ? grow(from, n * 3) : from;
    const isShort = n >= REMEMBERED_CHARS_MIN && n <= REMEMBERED_CHARS_MAX;
    const first = isShort ? value.charCodeAt(0) : 0;
    if (first <= LAST_DIGIT)
      return n < LOOP_CHARS_MAX ? writeLoop(output.b, p, value) : writeText(output.b, p, value);
    const slot = (first ^ (n << 3)) & (SLOTS - 1);
    if (keys[slot] !== value) return writeNew(place, slot, output.b, p, value);
    const { v } = output;
    // the pieces overlap unless there are 16 bytes: no branch depends on the length, where behind the message all may be written over
    if (output.aimedAt === undefined || n > 6) {
      // a branch in place of the maximum is foretold wrongly too often: generated code took a third longer
      v.setFloat64(p + Math.max(n, 7) - 7, doubles[2 * slot + 1] as number, true);
      v.setFloat64(p, doubles[2 * slot] as number, true);
    } else {
      // bytes of the caller's lie behind the message: nothing behind the string may be touched
      v.setInt32(p, words[2 * slot] as number, true);
      v.setInt32(p + n - 3, words[2 * slot + 1] as number, true);
    }
    return p + n + 1;
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
