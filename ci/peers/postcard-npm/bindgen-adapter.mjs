// What postcard-bindgen generates before the gate (kit.mjs): its package for each schema, made when it is first asked for.
// It has no unit and no char; unit is asked as the unit struct that has the same bytes. Names are not on the wire: f0, V0.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float, serve } from './kit.mjs';

const GENERATOR = new URL('../built/postcard-bindgen', import.meta.url).pathname;
const BIG = new Set(['u64', 'u128', 'usize', 'i64', 'i128', 'isize']);
const same = (value) => value;
const each = (ways) => ({
  from: (json) => json.map((item, i) => ways(i).from(item)),
  to: (value) => value.map((item, i) => ways(i).to(item)),
});

/** As it returns them itself: a number where that is exact. */
const integer = (text) => {
  const value = BigInt(text);
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
};

const plain = (type) => {
  if (BIG.has(type)) return { from: integer, to: String };
  if (type === 'f32' || type === 'f64') return float(type === 'f32' ? 4 : 8);
  if (type === 'bytes')
    return { from: (hex) => [...Buffer.from(hex, 'hex')], to: (list) => Buffer.from(list).toString('hex') };
  if (type === 'unit') return { from: () => ({}), to: () => null };
  return { from: same, to: same };
};

const struct = (fields) => {
  const ways = fields.map(({ name, schema }, i) => [name, `f${i}`, waysOf(schema)]);
  return {
    from: (json) => Object.fromEntries(ways.map(([name, key, way]) => [key, way.from(json[name])])),
    to: (value) => Object.fromEntries(ways.map(([name, key, way]) => [name, way.to(value[key])])),
  };
};

const tuple = (items) => {
  const ways = items.map(waysOf);
  return each((i) => ways[i]);
};

/** A variant's payload of one item is that item, without a list around it. */
const payload = ({ newtype, tuple: items, struct: fields }) => {
  if (newtype !== undefined) return waysOf(newtype);
  if (fields !== undefined) return struct(fields);
  if (items === undefined) return undefined;
  const all = tuple(items);
  if (items.length !== 1) return all;
  return { from: (json) => all.from(json)[0], to: (value) => all.to([value]) };
};

const enumeration = (variants) => {
  const made = [];
  for (const variant of variants)
    for (let i = 0; i < (variant.repeat ?? 1); i++)
      made.push([variant.name ?? `${variant.prefix}${made.length}`, payload(variant)]);
  const indices = new Map(made.map(([name], i) => [name, i]));
  return {
    from: ({ variant, value }) => {
      const index = indices.get(variant);
      const way = made[index][1];
      return way === undefined ? { tag: `V${index}` } : { tag: `V${index}`, value: way.from(value) };
    },
    to: ({ tag, value }) => {
      const [variant, way] = made[Number(tag.slice(1))];
      return way === undefined ? { variant } : { variant, value: way.to(value) };
    },
  };
};

const map = (keys, values) => {
  const [key, value] = [waysOf(keys), waysOf(values)];
  const pairs = (entries, way) => [...entries].map(([k, v]) => [key[way](k), value[way](v)]);
  // its type for a map of strings is a plain object
  if (keys === 'string')
    return {
      from: (json) => Object.fromEntries(pairs(json, 'from')),
      to: (object) => pairs(Object.entries(object), 'to'),
    };
  return { from: (json) => new Map(pairs(json, 'from')), to: (taken) => pairs(taken, 'to') };
};

function waysOf(schema) {
  if (typeof schema === 'string') return plain(schema);
  switch (schema.type) {
    case 'option': {
      const way = waysOf(schema.of);
      return {
        from: (json) => (json === null ? undefined : way.from(json.some)),
        to: (value) => (value === undefined ? null : { some: way.to(value) }),
      };
    }
    case 'seq':
    case 'array': {
      const way = waysOf(schema.of);
      return each(() => way);
    }
    case 'tuple':
    case 'tuple_struct':
      return tuple(schema.items);
    case 'newtype': {
      const way = waysOf(schema.of);
      return { from: (json) => [way.from(json)], to: ([value]) => way.to(value) };
    }
    case 'map':
      return map(schema.key, schema.value);
    case 'unit_struct':
      return plain('unit');
    case 'struct':
      return struct(schema.fields);
    default:
      return enumeration(schema.variants);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'postcard-bindgen-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const require = createRequire(import.meta.url);
const made = new Map();

const makeOf = (schema) => {
  const text = JSON.stringify(schema);
  const known = made.get(text);
  if (known !== undefined) return known;
  const name = `made${made.size}`;
  let entry;
  try {
    execFileSync(GENERATOR, ['javascript', folder, name], {
      input: text,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    entry = { code: require(join(folder, name)), ways: waysOf(schema) };
  } catch (error) {
    entry = error.status === 3 ? { skip: `no ${error.stdout}` } : { error: error.message, kind: 'generator' };
  }
  made.set(text, entry);
  return entry;
};

// it throws strings and Errors
const refusal = (error) => ({ error: String(error?.message ?? error), kind: error?.name ?? 'string' });

serve(({ op, schema, value, hex }) => {
  if (op === 'hello')
    return { name: 'postcard-bindgen', version: '0.9.1', lacks: ['def', 'cobs', 'crc', 'accumulator'] };
  if (op !== 'encode' && op !== 'decode') return { skip: `no ${op}` };
  const { code, ways, ...without } = makeOf(schema);
  if (code === undefined) return without;
  if (op === 'encode') {
    const taken = [ways.from(value)];
    try {
      return { hex: Buffer.from(code.serialize('Root', taken)).toString('hex') };
    } catch (error) {
      return refusal(error);
    }
  }
  const bytes = Buffer.from(hex, 'hex');
  let read;
  try {
    read = code.deserialize('Root', bytes);
  } catch (error) {
    return refusal(error);
  }
  return { value: ways.to(read.value[0]), consumed: bytes.length - read.bytes.length };
});
