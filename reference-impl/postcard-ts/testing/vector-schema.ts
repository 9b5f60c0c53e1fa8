/** The schema language and JSON values of the golden data (vectors/README.md), led to and from this package's own. */

import { isNullable } from '../src/schema/bounds.ts';
import { p } from '../src/schema/builders.ts';
import { type Node, resolved } from '../src/schema/node.ts';
import { type Schema, schemaOf } from '../src/schema/schema.ts';

type Field = { readonly name: string; readonly schema: VectorSchema };
type Variant = {
  readonly name?: string;
  readonly newtype?: VectorSchema;
  readonly tuple?: readonly VectorSchema[];
  readonly struct?: readonly Field[];
  readonly repeat?: number;
  readonly prefix?: string;
};
export type VectorSchema =
  | string
  | {
      readonly type: string;
      readonly name?: string;
      readonly of?: VectorSchema;
      readonly len?: number;
      readonly items?: readonly VectorSchema[];
      readonly key?: VectorSchema;
      readonly value?: VectorSchema;
      readonly fields?: readonly Field[];
      readonly variants?: readonly Variant[];
    };

const PLAIN: Readonly<Record<string, Schema<unknown>>> = {
  ...p,
  ...{ u64: p.u64.auto, i64: p.i64.auto, usize: p.usize.auto, isize: p.isize.auto },
} as never;

type Scope = Readonly<Record<string, () => Node>>;

const struct = (fields: readonly Field[], scope: Scope): Node => ({
  kind: 'struct',
  fields: fields.map(({ name, schema }) => [name, node(schema, scope)] as const),
});

const variants = (list: readonly Variant[], scope: Scope): readonly (readonly [string, Node])[] => {
  const made: (readonly [string, Node])[] = [];
  for (const { name = '', newtype, tuple, struct: fields, repeat, prefix } of list) {
    if (repeat !== undefined)
      for (let i = 0; i < repeat; i++) made.push([`${prefix}${made.length}`, { kind: 'unit' }]);
    else if (newtype !== undefined) made.push([name, node(newtype, scope)]);
    else if (tuple !== undefined)
      made.push([name, { kind: 'tuple', items: tuple.map((item) => node(item, scope)) }]);
    else if (fields !== undefined) made.push([name, struct(fields, scope)]);
    else made.push([name, { kind: 'unit' }]);
  }
  return made;
};

const node = (schema: VectorSchema, scope: Scope): Node => {
  if (typeof schema === 'string') return (PLAIN[schema] as Schema<unknown>).node;
  const { type, name = '', of = 'unit', len = 0, items = [], key = 'unit', value = 'unit' } = schema;
  switch (type) {
    case 'option':
    case 'seq':
      return { kind: type, of: node(of, scope) };
    case 'array':
      return { kind: 'array', of: node(of, scope), length: len };
    case 'tuple':
    case 'tuple_struct':
      return { kind: 'tuple', items: items.map((item) => node(item, scope)) };
    case 'map':
      return { kind: 'map', key: node(key, scope), value: node(value, scope) };
    case 'unit_struct':
      return { kind: 'unit' };
    case 'newtype':
      return node(of, scope);
    case 'struct':
      return struct(schema.fields ?? [], scope);
    case 'enum':
      return { kind: 'enum', variants: variants(schema.variants ?? [], scope) };
    case 'def': {
      const made: Node = node(of, { ...scope, [name]: () => made });
      return made;
    }
    case 'ref':
      return { kind: 'lazy', target: scope[name] as () => Node };
    default:
      throw new Error(`unknown type ${type}`);
  }
};

/** The schema of a vector. */
export const vectorSchema = (schema: VectorSchema): Schema<unknown> => schemaOf(node(schema, {}));

const scratch = new DataView(new ArrayBuffer(8));
const floatOf = (bits: string, size: 4 | 8): number => {
  scratch.setBigUint64(0, BigInt(bits));
  return size === 4 ? scratch.getFloat32(4) : scratch.getFloat64(0);
};
const bitsOf = (value: number, size: 4 | 8): string => {
  if (size === 4) scratch.setFloat32(0, value);
  else scratch.setFloat64(0, value);
  const bits = size === 4 ? BigInt(scratch.getUint32(0)) : scratch.getBigUint64(0);
  return `0x${bits.toString(16).padStart(size * 2, '0')}`;
};
const settled = (text: string): number | bigint => {
  const big = BigInt(text);
  return Number.isSafeInteger(Number(big)) ? Number(big) : big;
};

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A vector's JSON value as this package takes it. */
export const fromJson = (schema: Node, json: Json): unknown => {
  const at = resolved(schema);
  const list = json as readonly Json[];
  const object = json as { readonly [key: string]: Json };
  switch (at.kind) {
    case 'unit':
      return undefined;
    case 'f32':
      return floatOf(json as string, 4);
    case 'f64':
      return floatOf(json as string, 8);
    case 'wide':
      return at.form === 'bigint' ? BigInt(json as string) : settled(json as string);
    case 'bytes':
      return new Uint8Array(Buffer.from(json as string, 'hex'));
    case 'option': {
      if (json === null) return null;
      const value = fromJson(at.of, object.some as Json);
      return isNullable(at.of) ? { some: value } : value;
    }
    case 'seq':
    case 'array':
      return list.map((item) => fromJson(at.of, item));
    case 'tuple':
      return at.items.map((item, i) => fromJson(item, list[i] as Json));
    case 'struct':
      return Object.fromEntries(
        at.fields.map(([name, field]) => [name, fromJson(field, object[name] as Json)]),
      );
    case 'enum': {
      const [tag, payload] = at.variants.find(([name]) => name === object.variant) as readonly [string, Node];
      return payload.kind === 'unit'
        ? { tag }
        : { tag, value: fromJson(payload, (object.value ?? null) as Json) };
    }
    case 'map':
      return new Map(
        list.map((pair) => {
          const [k, v] = pair as readonly [Json, Json];
          return [fromJson(at.key, k), fromJson(at.value, v)];
        }),
      );
    default:
      return json;
  }
};

/** A decoded value as the vectors write it. The payload of a unit variant and a newtype of unit look alike: both without value. */
export const toJson = (schema: Node, value: unknown): Json => {
  const at = resolved(schema);
  const list = value as readonly unknown[];
  const object = value as { readonly [key: string]: unknown };
  switch (at.kind) {
    case 'unit':
      return null;
    case 'f32':
      return bitsOf(value as number, 4);
    case 'f64':
      return bitsOf(value as number, 8);
    case 'wide':
      return String(value);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'option':
      if (value === null) return null;
      return { some: toJson(at.of, isNullable(at.of) ? object.some : value) };
    case 'seq':
    case 'array':
      return list.map((item) => toJson(at.of, item));
    case 'tuple':
      return at.items.map((item, i) => toJson(item, list[i]));
    case 'struct':
      return Object.fromEntries(at.fields.map(([name, field]) => [name, toJson(field, object[name])]));
    case 'enum': {
      const [, payload] = at.variants.find(([name]) => name === object.tag) as readonly [string, Node];
      const variant = object.tag as string;
      return payload.kind === 'unit' ? { variant } : { variant, value: toJson(payload, object.value) };
    }
    case 'map':
      return [...(value as Map<unknown, unknown>)].map(([k, v]) => [toJson(at.key, k), toJson(at.value, v)]);
    default:
      return value as Json;
  }
};

/** JSON without what a unit payload leaves open: `value: null` of a newtype variant of unit. */
export const comparable = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json, (k, v) => (k === 'value' && v === null ? undefined : v)));
