import type { Node } from '../schema/node.ts';
import { input } from '../wire/input.ts';
import { type Decoder, variantIndex } from './decode-leaves.ts';
import type { Build } from './unrolled-encode.ts';

/* Composites written out for each number of parts, for the reason given in unrolled-encode.ts. */

type Eight<T> = readonly [T, T, T, T, T, T, T, T];
type Fields = Record<string, unknown>;
// a copy of a template has its shape at once; stores then only fill it
type StructMaker = (template: Fields, keys: Eight<string>, of: Eight<Decoder>) => Decoder;

const STRUCTS: Eight<StructMaker> = [
  (template, [i], [a]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      return x;
    },
  (template, [i, j], [a, b]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      return x;
    },
  (template, [i, j, k], [a, b, c]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      x[k] = c(input.p);
      return x;
    },
  (template, [i, j, k, l], [a, b, c, d]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      x[k] = c(input.p);
      x[l] = d(input.p);
      return x;
    },
  (template, [i, j, k, l, m], [a, b, c, d, e]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      x[k] = c(input.p);
      x[l] = d(input.p);
      x[m] = e(input.p);
      return x;
    },
  (template, [i, j, k, l, m, n], [a, b, c, d, e, f]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      x[k] = c(input.p);
      x[l] = d(input.p);
      x[m] = e(input.p);
      x[n] = f(input.p);
      return x;
    },
  (template, [i, j, k, l, m, n, o], [a, b, c, d, e, f, g]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      x[k] = c(input.p);
      x[l] = d(input.p);
      x[m] = e(input.p);
      x[n] = f(input.p);
      x[o] = g(input.p);
      return x;
    },
  (template, [i, j, k, l, m, n, o, q], [a, b, c, d, e, f, g, h]) =>
    (p) => {
      const x = { ...template };
      x[i] = a(p);
      x[j] = b(input.p);
      x[k] = c(input.p);
      x[l] = d(input.p);
      x[m] = e(input.p);
      x[n] = f(input.p);
      x[o] = g(input.p);
      x[q] = h(input.p);
      return x;
    },
];

type Named = readonly (readonly [name: string, node: Node])[];

/** A struct of one to eight fields; undefined for others. */
export const structDecoder = (fields: Named, build: Build<Decoder>): Decoder | undefined =>
  STRUCTS[fields.length - 1]?.(
    Object.fromEntries(fields.map(([name]) => [name, undefined as unknown])),
    fields.map(([name]) => name) as unknown as Eight<string>,
    fields.map(([, node]) => build(node)) as unknown as Eight<Decoder>,
  );

/** A tuple of 2 or 3; undefined for others. */
export const tupleDecoder = (items: readonly Node[], build: Build<Decoder>): Decoder | undefined => {
  if (items.length !== 2 && items.length !== 3) return undefined;
  const [a, b, c] = items.map(build) as unknown as Eight<Decoder>;
  if (items.length === 2)
    return (p) => {
      const first = a(p);
      return [first, b(input.p)];
    };
  return (p) => {
    const first = a(p);
    const second = b(input.p);
    return [first, second, c(input.p)];
  };
};

type EnumMaker = (tags: Eight<string>, of: Eight<Decoder>) => Decoder;

const ENUMS: readonly EnumMaker[] = [
  ([s], [a]) =>
    (p) => {
      variantIndex(p, 1);
      return { tag: s, value: a(input.p) };
    },
  ([s, t], [a, b]) =>
    (p) =>
      variantIndex(p, 2) === 0 ? { tag: s, value: a(input.p) } : { tag: t, value: b(input.p) },
  ([s, t, u], [a, b, c]) =>
    (p) => {
      switch (variantIndex(p, 3)) {
        case 0:
          return { tag: s, value: a(input.p) };
        case 1:
          return { tag: t, value: b(input.p) };
        default:
          return { tag: u, value: c(input.p) };
      }
    },
  ([s, t, u, v], [a, b, c, d]) =>
    (p) => {
      switch (variantIndex(p, 4)) {
        case 0:
          return { tag: s, value: a(input.p) };
        case 1:
          return { tag: t, value: b(input.p) };
        case 2:
          return { tag: u, value: c(input.p) };
        default:
          return { tag: v, value: d(input.p) };
      }
    },
  ([s, t, u, v, w], [a, b, c, d, e]) =>
    (p) => {
      switch (variantIndex(p, 5)) {
        case 0:
          return { tag: s, value: a(input.p) };
        case 1:
          return { tag: t, value: b(input.p) };
        case 2:
          return { tag: u, value: c(input.p) };
        case 3:
          return { tag: v, value: d(input.p) };
        default:
          return { tag: w, value: e(input.p) };
      }
    },
];

/** An enum of up to five variants, none of them a unit; undefined for others. */
export const enumDecoder = (variants: Named, build: Build<Decoder>): Decoder | undefined =>
  variants.some(([, payload]) => payload.kind === 'unit')
    ? undefined
    : ENUMS[variants.length - 1]?.(
        variants.map(([tag]) => tag) as unknown as Eight<string>,
        variants.map(([, payload]) => build(payload)) as unknown as Eight<Decoder>,
      );
