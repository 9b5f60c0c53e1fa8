/** Random schemas and values that fit them, for properties. */
import fc from 'fast-check';
import { isNullable } from '../src/schema/bounds.ts';
import { INT_RANGE, type Node, resolved } from '../src/schema/node.ts';

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const NAMES = [
  'a',
  'b',
  'value',
  'tag',
  'some',
  'in',
  'constructor',
  '__proto__',
  'über',
  'a b',
  "it's",
  'x\u2028',
];

const json: Node = {
  kind: 'enum',
  variants: [
    ['Null', { kind: 'unit' }],
    ['Num', { kind: 'f64' }],
    ['Arr', { kind: 'seq', of: { kind: 'lazy', target: () => json } }],
    [
      'Obj',
      {
        kind: 'map',
        key: { kind: 'string' },
        value: { kind: 'option', of: { kind: 'lazy', target: () => json } },
      },
    ],
  ],
};

const leaf: fc.Arbitrary<Node> = fc.oneof(
  fc.constantFrom<Node>(
    ...(
      ['unit', 'bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'char', 'string'] as const
    ).map((kind): Node => ({ kind })),
    { kind: 'names', names: ['One', 'Two', 'Three'] },
    { kind: 'names', names: Array.from({ length: 200 }, (_, i) => `N${i}`) },
    { kind: 'nonZero', of: { kind: 'u16' } },
    json,
  ),
  fc.record({
    kind: fc.constant('wide' as const),
    int: fc.constantFrom('u64', 'i64', 'u128', 'i128'),
    form: fc.constantFrom('number', 'bigint', 'auto'),
  }),
  fc.record({
    kind: fc.constant('fixed' as const),
    int: fc.constantFrom('u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'u128', 'i128'),
    endian: fc.constantFrom('le', 'be'),
    form: fc.constantFrom('number', 'bigint', 'auto'),
  }),
  fc.record({ kind: fc.constant('bytes' as const), copy: fc.boolean() }),
  fc.record({ kind: fc.constant('byteArray' as const), length: fc.nat(40), copy: fc.boolean() }),
) as fc.Arbitrary<Node>;

const named = (part: fc.Arbitrary<Node>): fc.Arbitrary<[string, Node][]> =>
  fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), part), { maxLength: 6, selector: ([name]) => name });

/** A schema's node up to a depth. */
export const anyNode = (depth: number): fc.Arbitrary<Node> => {
  if (depth === 0) return leaf;
  const part = anyNode(depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 1, arbitrary: part.map((of): Node => ({ kind: 'option', of })) },
    { weight: 1, arbitrary: part.map((of): Node => ({ kind: 'seq', of })) },
    {
      weight: 1,
      arbitrary: fc.tuple(part, fc.nat(4)).map(([of, length]): Node => ({ kind: 'array', of, length })),
    },
    {
      weight: 1,
      arbitrary: fc.array(part, { maxLength: 4 }).map((items): Node => ({ kind: 'tuple', items })),
    },
    { weight: 2, arbitrary: named(part).map((fields): Node => ({ kind: 'struct', fields })) },
    {
      weight: 2,
      arbitrary: named(part)
        .filter((variants) => variants.length > 0)
        .map((variants): Node => ({ kind: 'enum', variants })),
    },
    { weight: 1, arbitrary: fc.tuple(part, part).map(([key, value]): Node => ({ kind: 'map', key, value })) },
    { weight: 1, arbitrary: part.map((value): Node => ({ kind: 'record', value })) },
  );
};

const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'cpu_core', 'cpu_package', '\ufeffbom', '\ufffd', 'x'.repeat(70)),
);

const wide = (int: keyof typeof INT_RANGE, form: 'number' | 'bigint' | 'auto'): fc.Arbitrary<unknown> => {
  const [min, max] = INT_RANGE[int];
  const any = fc.oneof(fc.bigInt({ min, max }), fc.bigInt({ min: min < -300n ? -300n : min, max: 300n }));
  if (form === 'bigint') return any;
  const low = min < -SAFE ? -SAFE : min;
  const safe = fc.bigInt({ min: low, max: max < SAFE ? max : SAFE }).map(Number);
  if (form === 'number') return safe;
  return any.map((big) => (big >= -SAFE && big <= SAFE ? Number(big) : big));
};

const map = (key: fc.Arbitrary<unknown>, of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.array(fc.tuple(key, of), { maxLength: 4 }).map((pairs) => new Map(pairs));

/** Values of a schema. */
export const valuesOf = (node: Node, depth = 0): fc.Arbitrary<unknown> => {
  const part = (child: Node): fc.Arbitrary<unknown> => valuesOf(child, depth + 1);
  switch (node.kind) {
    case 'unit':
      return fc.constant(undefined);
    case 'bool':
      return fc.boolean();
    case 'f32':
      return fc.float();
    case 'f64':
      return fc.double();
    case 'char':
      return fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
    case 'string':
      return text;
    case 'wide':
    case 'fixed':
      return wide(node.int, node.int.endsWith('64') || node.int.endsWith('128') ? node.form : 'number');
    case 'bytes':
      return fc.uint8Array({ maxLength: 50 });
    case 'byteArray':
      return fc.uint8Array({ minLength: node.length, maxLength: node.length });
    case 'option': {
      const some = part(node.of);
      const isWrapped = isNullable(node.of);
      return fc.oneof(fc.constant(null), isWrapped ? some.map((value) => ({ some: value })) : some);
    }
    case 'nonZero':
      return part(node.of).filter((value) => value !== 0 && value !== 0n);
    case 'seq':
      return depth > 8 ? fc.constant([]) : fc.array(part(node.of), { maxLength: 5 });
    case 'array':
      return fc.array(part(node.of), { minLength: node.length, maxLength: node.length });
    case 'tuple':
      return fc.tuple(...node.items.map(part));
    case 'struct':
      return fc
        .tuple(...node.fields.map(([, field]) => part(field)))
        .map((values) => Object.fromEntries(node.fields.map(([name], i) => [name, values[i]])));
    case 'enum': {
      const variants = depth > 8 ? node.variants.slice(0, 1) : node.variants;
      return fc.oneof(
        ...variants.map(([tag, payload]) =>
          payload.kind === 'unit' ? fc.constant({ tag }) : part(payload).map((value) => ({ tag, value })),
        ),
      );
    }
    case 'names':
      return fc.constantFrom(...node.names);
    case 'map':
      return map(part(node.key), part(node.value));
    case 'record':
      return fc.array(fc.tuple(text, part(node.value)), { maxLength: 4 }).map((pairs) => {
        const record: Record<string, unknown> = Object.create(null);
        for (const [key, value] of pairs) record[key] = value;
        return record;
      });
    case 'lazy':
      return part(resolved(node));
    default: {
      const [min, max] = INT_RANGE[node.kind];
      return fc.integer({ min: Number(min), max: Number(max) });
    }
  }
};

/** A schema with some of its values. */
export const schemaAndValues: fc.Arbitrary<readonly [Node, readonly unknown[]]> = anyNode(3).chain((node) =>
  fc.tuple(fc.constant(node), fc.array(valuesOf(node), { minLength: 1, maxLength: 4 })),
);
