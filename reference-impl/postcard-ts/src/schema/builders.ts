import { badSchema } from '../wire/refusal.ts';
import type { Endian, Node, SmallInt, WideForm, WideInt } from './node.ts';
import {
  type EnumValue,
  type Fields,
  type OptionValue,
  type Schema,
  type StructValue,
  schemaOf,
  type TupleValue,
} from './schema.ts';

/** A wide integer by its default form, and by each form on demand. */
export interface Wide<Default> extends Schema<Default> {
  /** A number; what lies beyond 2^53-1 is refused, in both directions. */
  readonly number: Schema<number>;
  /** Always a bigint. */
  readonly bigint: Schema<bigint>;
  /** A number up to 2^53-1, a bigint beyond; takes both. */
  readonly auto: Schema<number | bigint>;
}

/** Bytes as a view of the input, or as a copy on demand. */
export interface Bytes extends Schema<Uint8Array> {
  /** Decodes to bytes of their own, which outlive the input's buffer. */
  readonly copy: Schema<Uint8Array>;
}

const wide = <T>(form: WideForm, node: (form: WideForm) => Node): Wide<T> => ({
  ...schemaOf<T>(node(form)),
  number: schemaOf(node('number')),
  bigint: schemaOf(node('bigint')),
  auto: schemaOf(node('auto')),
});
const varint = <T>(int: WideInt, form: WideForm): Wide<T> =>
  wide(form, (chosen) => ({ kind: 'wide', int, form: chosen }));
const small = (kind: SmallInt | 'f32' | 'f64'): Schema<number> => schemaOf({ kind });

const fixedInts = (endian: Endian) => {
  const narrow = (int: 'u16' | 'i16' | 'u32' | 'i32'): Schema<number> =>
    schemaOf({ kind: 'fixed', int, endian, form: 'number' });
  const broad = <T>(int: WideInt, form: WideForm): Wide<T> =>
    wide(form, (chosen) => ({ kind: 'fixed', int, endian, form: chosen }));
  return {
    u16: narrow('u16'),
    i16: narrow('i16'),
    u32: narrow('u32'),
    i32: narrow('i32'),
    u64: broad<number>('u64', 'number'),
    i64: broad<number>('i64', 'number'),
    u128: broad<bigint>('u128', 'bigint'),
    i128: broad<bigint>('i128', 'bigint'),
  };
};

const count = (what: string, length: number): number => {
  if (!Number.isSafeInteger(length) || length < 0 || length > 0xffff_ffff)
    throw badSchema(what, 'a whole length from 0 to 2^32-1', String(length));
  return length;
};

const entries = (what: string, fields: Fields): [string, Node][] =>
  Object.entries(fields).map(([name, schema]) => {
    // JavaScript moves such keys to the front, which would change the wire order behind the author's back
    if (/^(0|[1-9]\d*)$/.test(name))
      throw badSchema(what, 'names that are not integers', JSON.stringify(name));
    return [name, schema.node];
  });

const u64 = varint<number>('u64', 'number');
const u32 = small('u32');
const bytes: Bytes = {
  ...schemaOf<Uint8Array>({ kind: 'bytes', copy: false }),
  copy: schemaOf({ kind: 'bytes', copy: true }),
};

/** Fields in the order they are written in: that is their order on the wire. @throws BadSchema for integer-like names */
const struct = <const F extends Fields>(fields: F): Schema<StructValue<F>> =>
  schemaOf({ kind: 'struct', fields: entries('struct', fields) });
/** Variants in Rust's order of declaration; `p.unit` for one without payload. @throws BadSchema for integer-like names */
const enumOf = <const V extends Fields>(variants: V): Schema<EnumValue<V>> =>
  schemaOf({ kind: 'enum', variants: entries('enum', variants) });
const seq = <T>(of: Schema<T>): Schema<T[]> => schemaOf({ kind: 'seq', of: of.node });

/** The schema builders: one for every type of serde's data model, named as postcard names them. */
export const p = {
  bool: schemaOf<boolean>({ kind: 'bool' }),
  u8: small('u8'),
  i8: small('i8'),
  u16: small('u16'),
  i16: small('i16'),
  u32,
  i32: small('i32'),
  u64,
  i64: varint<number>('i64', 'number'),
  u128: varint<bigint>('u128', 'bigint'),
  i128: varint<bigint>('i128', 'bigint'),
  /** As u64. A 32-bit peer refuses what exceeds 2^32-1: write `p.u32` for it, the bytes are the same. */
  usize: u64,
  isize: varint<number>('i64', 'number'),
  f32: small('f32'),
  f64: small('f64'),
  /** One Unicode scalar value, as a string. */
  char: schemaOf<string>({ kind: 'char' }),
  string: schemaOf<string>({ kind: 'string' }),
  str: schemaOf<string>({ kind: 'string' }),
  /** `Vec<u8>`, `&[u8]`, serde_bytes: a length and the bytes. */
  bytes,
  /** `[u8; N]`: the bytes without a length. */
  byteArray: (length: number): Bytes => ({
    ...schemaOf<Uint8Array>({ kind: 'byteArray', length: count('byteArray', length), copy: false }),
    copy: schemaOf({ kind: 'byteArray', length, copy: true }),
  }),
  /** `()`, unit structs, PhantomData: no bytes. */
  unit: schemaOf<undefined>({ kind: 'unit' }),
  option: <T>(of: Schema<T>): Schema<OptionValue<T>> => schemaOf({ kind: 'option', of: of.node }),
  seq,
  vec: seq,
  /** `[T; N]`: N items without a length. */
  array: <T>(of: Schema<T>, length: number): Schema<T[]> =>
    schemaOf({ kind: 'array', of: of.node, length: count('array', length) }),
  tuple: <const I extends readonly Schema<unknown>[]>(...items: I): Schema<TupleValue<I>> =>
    schemaOf({ kind: 'tuple', items: items.map((item) => item.node) }),
  struct,
  enum: enumOf,
  /** An enum without payloads, as the union of its names. */
  names: <const N extends readonly string[]>(...names: N): Schema<N[number]> => {
    if (new Set(names).size !== names.length) throw badSchema('names', 'different names', names.join(', '));
    return schemaOf({ kind: 'names', names });
  },
  /** A Map in wire order; of equal keys the last wins (objects as keys are never equal). */
  map: <K, V>(key: Schema<K>, value: Schema<V>): Schema<Map<K, V>> =>
    schemaOf({ kind: 'map', key: key.node, value: value.node }),
  /** A map with string keys as an object without prototype. JavaScript moves integer-like keys to the front. */
  record: <V>(value: Schema<V>): Schema<Record<string, V>> => schemaOf({ kind: 'record', value: value.node }),
  /** Refuses zero in both directions. */
  nonZero: <T extends number | bigint>(of: Schema<T>): Schema<T> =>
    schemaOf({ kind: 'nonZero', of: of.node }),
  /** postcard's fixint modules: raw little- or big-endian. */
  fixed: { le: fixedInts('le'), be: fixedInts('be') },
  result: <const T extends Schema<unknown>, const E extends Schema<unknown>>(ok: T, err: E) =>
    enumOf({ Ok: ok, Err: err }),
  duration: struct({ secs: u64, nanos: u32 }),
  systemTime: struct({ secs_since_epoch: u64, nanos_since_epoch: u32 }),
  /** A newtype struct adds nothing: the same schema, said aloud. */
  newtype: <S extends Schema<unknown>>(of: S): S => of,
  /** For types that contain themselves; their TypeScript type has to be written by hand. */
  lazy: <T>(target: () => Schema<T>): Schema<T> => {
    let node: Node | undefined;
    return schemaOf({
      kind: 'lazy',
      target: () => {
        node ??= target().node;
        return node;
      },
    });
  },
} as const;
