import t from 'tap';
import { compared, shownJson } from './same-value.ts';
import type { Schema } from './vectors.ts';

type Row = readonly [claim: string, schema: Schema, want: unknown, got: unknown];

const MAP: Schema = { type: 'map', key: 'u8', value: 'u8' };
const NESTED: Schema = { type: 'option', of: { type: 'option', of: 'u8' } };
const PROTO: Schema = { type: 'struct', fields: [{ name: '__proto__', schema: 'u8' }] };
const LINK: Schema = {
  type: 'def',
  name: 'L',
  of: { type: 'option', of: { type: 'tuple', items: ['u8', { type: 'ref', name: 'L' }] } },
};
const SHADOWED: Schema = {
  type: 'def',
  name: 'L',
  of: {
    type: 'tuple',
    items: ['u8', { type: 'def', name: 'L', of: { type: 'option', of: { type: 'ref', name: 'L' } } }],
  },
};
const ENUM: Schema = {
  type: 'enum',
  variants: [
    { name: 'A' },
    { name: 'B', newtype: 'unit' },
    { name: 'C', tuple: ['u8'] },
    { repeat: 2, prefix: 'V' },
  ],
};

const SAME: readonly Row[] = [
  ['equal numbers', 'u32', 300, 300],
  ['unit left out', 'unit', null, undefined],
  [
    'pairs in another order',
    MAP,
    [
      [1, 2],
      [3, 4],
    ],
    [
      [3, 4],
      [1, 2],
    ],
  ],
  [
    'equal keys, the last kept',
    MAP,
    [
      [1, 5],
      [1, 6],
    ],
    [[1, 6]],
  ],
  [
    'equal keys, all kept',
    MAP,
    [
      [1, 5],
      [1, 6],
    ],
    [
      [1, 5],
      [1, 6],
    ],
  ],
  ['no payload and a payload of unit', ENUM, { variant: 'B' }, { variant: 'B', value: null }],
  ['a repeated variant', ENUM, { variant: 'V3' }, { variant: 'V3' }],
  ['a recursive value', LINK, { some: [1, { some: [2, null] }] }, { some: [1, { some: [2, null] }] }],
  ['the nearest def', SHADOWED, [1, { some: { some: null } }], [1, { some: { some: null } }]],
  ['a field called __proto__', PROTO, JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
];

const OTHER: readonly Row[] = [
  ['a number as text', 'u32', 300, '300'],
  ['a wide number as a number', 'u64', '300', 300],
  ['true as 1', 'bool', true, 1],
  ['-0 as 0', 'f64', '0x8000000000000000', '0x0000000000000000'],
  ['a NaN with another payload', 'f32', '0x7fc00001', '0x7fc00000'],
  ['Some(None) as None', NESTED, { some: null }, null],
  ['None as Some(None)', NESTED, null, { some: null }],
  ['a value not wrapped in some', NESTED, { some: { some: 1 } }, 1],
  ['an item too many', { type: 'seq', of: 'u8' }, [1], [1, 2]],
  ['a map with another value', MAP, [[1, 2]], [[1, 3]]],
  ['a map as an object', MAP, [[1, 2]], { 1: 2 }],
  ['another variant', ENUM, { variant: 'A' }, { variant: 'B' }],
  ['a payload left out', ENUM, { variant: 'C', value: [1] }, { variant: 'C' }],
  ['a payload nobody asked for', ENUM, { variant: 'A' }, { variant: 'A', value: 1 }],
  ['a field too many', { type: 'struct', fields: [{ name: 'a', schema: 'u8' }] }, { a: 1 }, { a: 1, b: 2 }],
  ['a field called __proto__ lost', PROTO, JSON.parse('{"__proto__":1}'), {}],
  ['a difference deep inside', LINK, { some: [1, { some: [2, null] }] }, { some: [1, { some: [3, null] }] }],
];

t.test('what the kit leaves open is the same value', async (t) => {
  for (const [claim, schema, want, got] of SAME)
    t.equal(compared(schema, want, got).differs, undefined, claim);
});

t.test('everything else differs, and says where', async (t) => {
  for (const [claim, schema, want, got] of OTHER)
    t.match(compared(schema, want, got).differs, /expected .*, got /, claim);
  t.match(
    compared(LINK, { some: [1, null] }, { some: [2, null] }).differs,
    /^at \?\[0\]: expected 1, got 2$/,
  );
});

t.test('a NaN may come back with another sign, and is told; its payload may not change', async (t) => {
  t.same(compared('f64', '0x7ff8000000000000', '0xfff8000000000000'), { differs: undefined, quieted: true });
  t.same(compared('f32', '0xff800001', '0x7fc00001'), { differs: undefined, quieted: true });
  t.ok(compared('f64', '0xfff8000000000001', '0x7ff8000000000000').differs, 'another payload');
  t.ok(compared('f64', '0x7ff8000000000001', '0x7ff0000000000001').differs, 'quiet made signalling');
  t.ok(compared('f64', '0x7ff0000000000000', '0xfff0000000000000').differs, 'infinity has a sign');
  t.ok(compared('f64', '0x7ff8000000000000', 'NaN').differs, 'no bits');
});

t.test('a signalling NaN may come back quieted, and is told', async (t) => {
  t.same(compared('f32', '0x7f800001', '0x7fc00001'), { differs: undefined, quieted: true });
  t.same(compared('f64', '0xfff0000000000001', '0xfff8000000000001'), { differs: undefined, quieted: true });
  t.equal(compared('f32', '0x7f800001', '0x7f800001').quieted, false);
  t.ok(compared('f32', '0x7f800000', '0x7fc00000').differs, 'infinity is no NaN');
});

t.test('what is shown is bounded and visible', async (t) => {
  t.equal(shownJson('\ufeffa\u2028'), '"\\ufeffa\\u2028"');
  t.equal(shownJson(undefined), 'nothing');
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
  for (const long of ['x'.repeat(10_000), deep]) t.ok(shownJson(long).length < 200);
});
