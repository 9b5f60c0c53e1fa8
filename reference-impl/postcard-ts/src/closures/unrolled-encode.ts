import type { Node } from '../schema/node.ts';
import { badValue } from '../wire/refusal.ts';
import { type Encoder, putVarint } from './encode-leaves.ts';

/*
 * Composites written out for each number of parts. Closures of one function literal share what V8 learns about its property reads
 * and calls, so one literal for all structs knows nothing about any of them. With one for each number of parts, most structs of a
 * schema have a literal to themselves: their reads are as direct as in generated code, and their leaves are inlined.
 */

/** Parts that a literal of its own is there for. */
export const UNROLLED_MAX = 8;

type Eight<T> = readonly [T, T, T, T, T, T, T, T];
type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : badValue('object', value);

type StructMaker = (keys: Eight<string>, of: Eight<Encoder>) => Encoder;

const STRUCTS: Eight<StructMaker> = [
  ([i], [a]) =>
    (value, p) =>
      a(fieldsOf(value)[i], p),
  ([i, j], [a, b]) =>
    (value, from) => {
      const x = fieldsOf(value);
      const p = a(x[i], from);
      return b(x[j], p);
    },
  ([i, j, k], [a, b, c]) =>
    (value, from) => {
      const x = fieldsOf(value);
      let p = a(x[i], from);
      p = b(x[j], p);
      return c(x[k], p);
    },
  ([i, j, k, l], [a, b, c, d]) =>
    (value, from) => {
      const x = fieldsOf(value);
      let p = a(x[i], from);
      p = b(x[j], p);
      p = c(x[k], p);
      return d(x[l], p);
    },
  ([i, j, k, l, m], [a, b, c, d, e]) =>
    (value, from) => {
      const x = fieldsOf(value);
      let p = a(x[i], from);
      p = b(x[j], p);
      p = c(x[k], p);
      p = d(x[l], p);
      return e(x[m], p);
    },
  ([i, j, k, l, m, n], [a, b, c, d, e, f]) =>
    (value, from) => {
      const x = fieldsOf(value);
      let p = a(x[i], from);
      p = b(x[j], p);
      p = c(x[k], p);
      p = d(x[l], p);
      p = e(x[m], p);
      return f(x[n], p);
    },
  ([i, j, k, l, m, n, o], [a, b, c, d, e, f, g]) =>
    (value, from) => {
      const x = fieldsOf(value);
      let p = a(x[i], from);
      p = b(x[j], p);
      p = c(x[k], p);
      p = d(x[l], p);
      p = e(x[m], p);
      p = f(x[n], p);
      return g(x[o], p);
    },
  ([i, j, k, l, m, n, o, q], [a, b, c, d, e, f, g, h]) =>
    (value, from) => {
      const x = fieldsOf(value);
      let p = a(x[i], from);
      p = b(x[j], p);
      p = c(x[k], p);
      p = d(x[l], p);
      p = e(x[m], p);
      p = f(x[n], p);
      p = g(x[o], p);
      return h(x[q], p);
    },
];

/** Builds the encoder of a part. */
export type Build<Made> = (node: Node) => Made;
type Named = readonly (readonly [name: string, node: Node])[];

/** A struct, eight fields at a time; undefined without fields. */
export const structEncoder = (fields: Named, build: Build<Encoder>): Encoder | undefined => {
  const some = fields.slice(0, UNROLLED_MAX);
  const first = STRUCTS[some.length - 1]?.(
    some.map(([name]) => name) as unknown as Eight<string>,
    some.map(([, node]) => build(node)) as unknown as Eight<Encoder>,
  );
  if (first === undefined || fields.length <= UNROLLED_MAX) return first;
  const rest = structEncoder(fields.slice(UNROLLED_MAX), build) as Encoder;
  return (value, p) => rest(value, first(value, p));
};

type Items = ArrayLike<unknown>;
const itemsOf = (value: unknown, length: number): Items =>
  typeof value === 'object' && value !== null && (value as Items).length === length
    ? (value as Items)
    : badValue(`array of ${length}`, value);

/** A tuple of 2 or 3; undefined for others. */
export const tupleEncoder = (items: readonly Node[], build: Build<Encoder>): Encoder | undefined => {
  if (items.length !== 2 && items.length !== 3) return undefined;
  const [a, b, c] = items.map(build) as unknown as Eight<Encoder>;
  if (items.length === 2)
    return (value, p) => {
      const x = itemsOf(value, 2);
      return b(x[1], a(x[0], p));
    };
  return (value, from) => {
    const x = itemsOf(value, 3);
    const p = b(x[1], a(x[0], from));
    return c(x[2], p);
  };
};

type Tagged = { readonly tag?: unknown; readonly value?: unknown };
const taggedOf = (value: unknown): Tagged =>
  typeof value === 'object' && value !== null ? (value as Tagged) : badValue('{ tag }', value);

type EnumMaker = (tags: Eight<string>, of: Eight<Encoder>) => Encoder;

const unknownTag = (tag: unknown): never => badValue('a known tag', tag);

const ENUMS: readonly EnumMaker[] = [
  ([s], [a]) =>
    (value, p) => {
      const x = taggedOf(value);
      return x.tag === s ? a(x.value, putVarint(0, p)) : unknownTag(x.tag);
    },
  ([s, t], [a, b]) =>
    (value, p) => {
      const x = taggedOf(value);
      const { tag } = x;
      if (tag === s) return a(x.value, putVarint(0, p));
      return tag === t ? b(x.value, putVarint(1, p)) : unknownTag(tag);
    },
  ([s, t, u], [a, b, c]) =>
    (value, p) => {
      const x = taggedOf(value);
      const { tag } = x;
      if (tag === s) return a(x.value, putVarint(0, p));
      if (tag === t) return b(x.value, putVarint(1, p));
      return tag === u ? c(x.value, putVarint(2, p)) : unknownTag(tag);
    },
  ([s, t, u, v], [a, b, c, d]) =>
    (value, p) => {
      const x = taggedOf(value);
      const { tag } = x;
      if (tag === s) return a(x.value, putVarint(0, p));
      if (tag === t) return b(x.value, putVarint(1, p));
      if (tag === u) return c(x.value, putVarint(2, p));
      return tag === v ? d(x.value, putVarint(3, p)) : unknownTag(tag);
    },
  ([s, t, u, v, w], [a, b, c, d, e]) =>
    (value, p) => {
      const x = taggedOf(value);
      const { tag } = x;
      if (tag === s) return a(x.value, putVarint(0, p));
      if (tag === t) return b(x.value, putVarint(1, p));
      if (tag === u) return c(x.value, putVarint(2, p));
      if (tag === v) return d(x.value, putVarint(3, p));
      return tag === w ? e(x.value, putVarint(4, p)) : unknownTag(tag);
    },
];

/** An enum of up to five variants; undefined for others. */
export const enumEncoder = (variants: Named, build: Build<Encoder>): Encoder | undefined =>
  ENUMS[variants.length - 1]?.(
    variants.map(([tag]) => tag) as unknown as Eight<string>,
    variants.map(([, payload]) => build(payload)) as unknown as Eight<Encoder>,
  );
