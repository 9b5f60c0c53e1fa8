// @variegated-coffee/serde-postcard-ts before the gate: answers JSON lines (harness/conformance/suites/postcard/README.md).
// Its nulls are both None and Some(None), and unit is undefined: what it cannot tell apart, it gets as it takes it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as pc from '@variegated-coffee/serde-postcard-ts';
import { float, serve } from './kit.mjs';

const { bool, u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, char, string, bytes, unit } = pc;

// it has no usize: as wide as u64 between 64-bit ends
const PLAIN = {
  ...{ bool, u8, u16, u32, u64, u128, usize: u64, i8, i16, i32, i64, i128, isize: i64 },
  ...{ f32, f64, char, string, bytes, unit },
};
const BIG = new Set(['u64', 'u128', 'usize', 'i64', 'i128', 'isize']);
const same = (value) => value;
// its objects would move such names to the front; names are not on the wire
const keyOf = (name) => (/^(0|[1-9]\d*)$/.test(name) ? `#${name}` : name);

// A schema of the kit: the library's, and both ways between JSON and its values.
const plain = (type) => {
  const schema = PLAIN[type]();
  if (BIG.has(type)) return { schema, from: BigInt, to: String };
  if (type === 'f32' || type === 'f64') return { schema, ...float(type === 'f32' ? 4 : 8) };
  if (type === 'bytes')
    return {
      ...{ schema, from: (hex) => new Uint8Array(Buffer.from(hex, 'hex')) },
      to: (data) => Buffer.from(data).toString('hex'),
    };
  if (type === 'unit') return { schema, from: () => undefined, to: () => null };
  return { schema, from: same, to: same };
};

const list = (schema, of) => ({
  ...{ schema, from: (json) => json.map((item, i) => of(i).from(item)) },
  to: (value) => value.map((item, i) => of(i).to(item)),
});
const tuple = (items) => list(pc.tuple(...items.map((item) => item.schema)), (i) => items[i]);
const fieldsOf = (fields) => Object.fromEntries(fields.map(([name, of]) => [keyOf(name), of.schema]));
const struct = (fields) => ({
  schema: pc.struct(fieldsOf(fields)),
  from: (json) => Object.fromEntries(fields.map(([name, of]) => [keyOf(name), of.from(json[name])])),
  to: (value) => Object.fromEntries(fields.map(([name, of]) => [name, of.to(value[keyOf(name)])])),
});

const payloadOf = ({ name, newtype, tuple: items, struct: fields }, scope) => {
  if (newtype !== undefined) {
    const of = make(newtype, scope);
    return { ...of, schema: pc.newtypeVariant(name, of.schema) };
  }
  if (items !== undefined) {
    const of = tuple(items.map((item) => make(item, scope)));
    return { ...of, schema: pc.tupleVariant(name, ...of.schema.items) };
  }
  if (fields === undefined) return { schema: pc.unitVariant(name) };
  const of = struct(fields.map((field) => [field.name, make(field.schema, scope)]));
  return { ...of, schema: pc.structVariant(name, of.schema.fields) };
};

const enumOf = ({ name, variants }, scope) => {
  const made = new Map();
  for (const variant of variants) {
    const { repeat = 1, prefix } = variant;
    for (let i = 0; i < repeat; i++) {
      const called = prefix === undefined ? variant.name : `${prefix}${made.size}`;
      made.set(called, payloadOf({ ...variant, name: called }, scope));
    }
  }
  const schema = pc.enumType(
    name ?? '',
    Object.fromEntries([...made].map(([key, of]) => [keyOf(key), of.schema])),
  );
  const from = ({ variant, value = null }) => {
    const of = made.get(variant);
    return of.from === undefined ? { type: keyOf(variant) } : { type: keyOf(variant), value: of.from(value) };
  };
  const to = ({ type, value }) => {
    const [variant, of] = [...made].find(([key]) => keyOf(key) === type);
    return of.to === undefined ? { variant } : { variant, value: of.to(value) };
  };
  return { schema, from, to };
};

const make = (schema, scope) => {
  if (typeof schema === 'string') return plain(schema);
  const inner = (of) => make(of, scope);
  switch (schema.type) {
    case 'option': {
      const of = inner(schema.of);
      const from = (json) => (json === null ? null : of.from(json.some));
      return {
        schema: pc.option(of.schema),
        from,
        to: (value) => (value === null ? null : { some: of.to(value) }),
      };
    }
    case 'seq': {
      const of = inner(schema.of);
      return list(pc.seq(of.schema), () => of);
    }
    case 'array': {
      const of = inner(schema.of);
      return list(pc.tuple(...Array(schema.len).fill(of.schema)), () => of);
    }
    case 'tuple':
    case 'tuple_struct':
      return tuple(schema.items.map(inner));
    case 'map': {
      const [key, value] = [inner(schema.key), inner(schema.value)];
      return {
        schema: pc.map(key.schema, value.schema),
        from: (json) => new Map(json.map(([k, v]) => [key.from(k), value.from(v)])),
        to: (entries) => [...entries].map(([k, v]) => [key.to(k), value.to(v)]),
      };
    }
    case 'unit_struct':
      return { schema: pc.unitStruct(schema.name), from: () => ({}), to: () => null };
    case 'newtype': {
      const of = inner(schema.of);
      return { ...of, schema: pc.newtypeStruct(schema.name, of.schema) };
    }
    case 'struct':
      return struct(schema.fields.map(({ name, schema: of }) => [name, inner(of)]));
    case 'enum':
      return enumOf(schema, scope);
    case 'def': {
      // its schemas are plain objects, so one may contain itself
      const itself = { schema: {} };
      const made = make(schema.of, { ...scope, [schema.name]: itself });
      Object.assign(itself, { from: made.from, to: made.to });
      Object.assign(itself.schema, made.schema);
      return itself;
    }
    default: {
      const target = scope[schema.name];
      return { schema: target.schema, from: (json) => target.from(json), to: (value) => target.to(value) };
    }
  }
};

const entry = import.meta.resolve('@variegated-coffee/serde-postcard-ts');
const { version } = JSON.parse(readFileSync(fileURLToPath(new URL('../package.json', entry)), 'utf8'));

const answer = ({ op, schema, value, hex }) => {
  if (op === 'hello') return { name: 'serde-postcard-ts', version, lacks: ['cobs', 'crc', 'accumulator'] };
  if (op !== 'encode' && op !== 'decode') return { skip: `no ${op}` };
  const made = make(schema, {});
  if (op === 'encode') {
    const taken = made.from(value);
    try {
      return { hex: Buffer.from(pc.serialize(made.schema, taken)).toString('hex') };
    } catch (error) {
      return { error: error.message, kind: error.name };
    }
  }
  let read;
  try {
    read = pc.deserialize(made.schema, new Uint8Array(Buffer.from(hex, 'hex')));
  } catch (error) {
    return { error: error.message, kind: error.name };
  }
  return { value: made.to(read.value), consumed: read.bytesRead };
};

serve(answer);
