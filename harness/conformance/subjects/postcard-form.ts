/** The kit's schemas as ours, and its JSON values led to and from the values that our codec takes. */
import { p, type Schema } from 'postcard-ts';

type Field = { readonly name: string; readonly schema: KitSchema };
type Variant = {
  readonly name?: string;
  readonly newtype?: KitSchema;
  readonly tuple?: readonly KitSchema[];
  readonly struct?: readonly Field[];
  readonly repeat?: number;
  readonly prefix?: string;
};
export type KitSchema =
  | string
  | {
      readonly type: string;
      readonly name?: string;
      readonly of?: KitSchema;
      readonly len?: number;
      readonly items?: readonly KitSchema[];
      readonly key?: KitSchema;
      readonly value?: KitSchema;
      readonly fields?: readonly Field[];
      readonly variants?: readonly Variant[];
    };

/** A schema, and the two ways between JSON and its values. */
export type Form = {
  readonly schema: Schema<unknown>;
  /** Its values may be null or undefined, so an option of it wraps them. */
  readonly nullable: () => boolean;
  readonly fromJson: (json: never) => unknown;
  readonly toJson: (value: never) => unknown;
};
type Scope = Readonly<Record<string, () => Form>>;
type Pair = readonly [unknown, unknown];

const form = (
  schema: Schema<never> | Schema<unknown>,
  fromJson: (json: never) => unknown,
  toJson: (value: never) => unknown,
  nullable: () => boolean = () => false,
): Form => ({ schema: schema as Schema<unknown>, fromJson, toJson, nullable });

const same = (value: unknown): unknown => value;
const wide = (schema: Schema<number | bigint>): Form =>
  form(
    schema,
    (text: string) => {
      const big = BigInt(text);
      return Number.isSafeInteger(Number(big)) ? Number(big) : big;
    },
    String,
  );

const scratch = new DataView(new ArrayBuffer(8));
const float = (schema: Schema<number>, size: 4 | 8): Form =>
  form(
    schema,
    (bits: string) => {
      scratch.setBigUint64(0, BigInt(bits));
      return size === 4 ? scratch.getFloat32(4) : scratch.getFloat64(0);
    },
    (value: number) => {
      if (size === 4) scratch.setFloat32(0, value);
      else scratch.setFloat64(0, value);
      const bits = size === 4 ? BigInt(scratch.getUint32(0)) : scratch.getBigUint64(0);
      return `0x${bits.toString(16).padStart(size * 2, '0')}`;
    },
  );

const UNIT = form(
  p.unit,
  () => undefined,
  () => null,
  () => true,
);

const PLAIN: Readonly<Record<string, Form>> = {
  ...{ bool: form(p.bool, same, same), char: form(p.char, same, same), string: form(p.string, same, same) },
  ...{ u8: form(p.u8, same, same), u16: form(p.u16, same, same), u32: form(p.u32, same, same) },
  ...{ i8: form(p.i8, same, same), i16: form(p.i16, same, same), i32: form(p.i32, same, same) },
  ...{ u64: wide(p.u64.auto), u128: wide(p.u128.auto), usize: wide(p.usize.auto) },
  ...{ i64: wide(p.i64.auto), i128: wide(p.i128.auto), isize: wide(p.isize.auto) },
  ...{ f32: float(p.f32, 4), f64: float(p.f64, 8), unit: UNIT },
  bytes: form(
    p.bytes,
    (hex: string) => new Uint8Array(Buffer.from(hex, 'hex')),
    (data: Uint8Array) => Buffer.from(data).toString('hex'),
  ),
};

const option = (of: Form): Form => {
  const wrapped = of.nullable;
  return form(
    p.option(of.schema),
    (json: { readonly some: never } | null) => {
      if (json === null) return null;
      const value = of.fromJson(json.some);
      return wrapped() ? { some: value } : value;
    },
    (value: { readonly some: never } | null) =>
      value === null ? null : { some: of.toJson(wrapped() ? value.some : (value as never)) },
    () => true,
  );
};

const list = (schema: Schema<unknown>, of: (i: number) => Form): Form =>
  form(
    schema,
    (json: readonly never[]) => json.map((item, i) => of(i).fromJson(item)),
    (value: readonly never[]) => value.map((item, i) => of(i).toJson(item)),
  );

const tuple = (items: readonly Form[]): Form =>
  list(p.tuple(...items.map(({ schema }) => schema)), (i) => items[i] as Form);

const map = (key: Form, value: Form): Form =>
  form(
    p.map(key.schema, value.schema),
    (json: readonly Pair[]) =>
      new Map(json.map(([k, v]) => [key.fromJson(k as never), value.fromJson(v as never)])),
    (entries: ReadonlyMap<unknown, unknown>) =>
      [...entries].map(([k, v]) => [key.toJson(k as never), value.toJson(v as never)]),
  );

/** JavaScript moves integer keys to the front, so our builders refuse them; names are not on the wire, so another one does. */
const keyOf = (name: string): string => (/^(0|[1-9]\d*)$/.test(name) ? `#${name}` : name);

const struct = (fields: readonly (readonly [string, Form])[]): Form => {
  type From = Readonly<Record<string, never>>;
  return form(
    p.struct(Object.fromEntries(fields.map(([name, of]) => [keyOf(name), of.schema]))),
    (json: From) =>
      Object.fromEntries(fields.map(([name, of]) => [keyOf(name), of.fromJson(json[name] as never)])),
    (value: From) =>
      Object.fromEntries(fields.map(([name, of]) => [name, of.toJson(value[keyOf(name)] as never)])),
  );
};

const enumOf = (variants: readonly (readonly [string, Form])[]): Form => {
  const payloads = new Map(variants);
  const schema = p.enum(Object.fromEntries(variants.map(([name, of]) => [name, of.schema])));
  return form(
    schema,
    ({ variant, value }: { readonly variant: string; readonly value?: never }) => {
      const payload = payloads.get(variant) as Form;
      return payload === UNIT
        ? { tag: variant }
        : { tag: variant, value: payload.fromJson((value ?? null) as never) };
    },
    ({ tag, value }: { readonly tag: string; readonly value?: never }) => {
      const payload = payloads.get(tag) as Form;
      return payload === UNIT ? { variant: tag } : { variant: tag, value: payload.toJson(value as never) };
    },
  );
};

const variantsOf = (list: readonly Variant[], scope: Scope): readonly (readonly [string, Form])[] => {
  const made: (readonly [string, Form])[] = [];
  for (const { name = '', newtype, tuple: items, struct: fields, repeat, prefix } of list)
    if (repeat !== undefined) for (let i = 0; i < repeat; i++) made.push([`${prefix}${made.length}`, UNIT]);
    else if (newtype !== undefined) made.push([name, formIn(newtype, scope)]);
    else if (items !== undefined) made.push([name, tuple(items.map((item) => formIn(item, scope)))]);
    else if (fields !== undefined) made.push([name, fieldsIn(fields, scope)]);
    else made.push([name, UNIT]);
  return made;
};

const fieldsIn = (fields: readonly Field[], scope: Scope): Form =>
  struct(fields.map(({ name, schema }) => [name, formIn(schema, scope)] as const));

const formIn = (schema: KitSchema, scope: Scope): Form => {
  if (typeof schema === 'string') return PLAIN[schema] as Form;
  const { type, name = '', of = 'unit', len = 0, items = [], key = 'unit', value = 'unit' } = schema;
  switch (type) {
    case 'option':
      return option(formIn(of, scope));
    case 'seq': {
      const item = formIn(of, scope);
      return list(p.seq(item.schema), () => item);
    }
    case 'array': {
      const item = formIn(of, scope);
      return list(p.array(item.schema, len), () => item);
    }
    case 'tuple':
    case 'tuple_struct':
      return tuple(items.map((item) => formIn(item, scope)));
    case 'map':
      return map(formIn(key, scope), formIn(value, scope));
    case 'unit_struct':
      return UNIT;
    case 'newtype':
      return formIn(of, scope);
    case 'struct':
      return fieldsIn(schema.fields ?? [], scope);
    case 'enum':
      return enumOf(variantsOf(schema.variants ?? [], scope));
    case 'def': {
      const made: Form = formIn(of, { ...scope, [name]: () => made });
      return made;
    }
    case 'ref': {
      const target = scope[name] as () => Form;
      return form(
        p.lazy(() => target().schema),
        (json) => target().fromJson(json),
        (decoded) => target().toJson(decoded),
        () => target().nullable(),
      );
    }
    default:
      throw new Error(`unknown type ${type}`);
  }
};

/** @throws Error for a type that the kit's language has not got */
export const formOf = (schema: KitSchema): Form => formIn(schema, {});
