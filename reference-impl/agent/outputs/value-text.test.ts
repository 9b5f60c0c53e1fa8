import t from 'tap';
import type { Attribute, TypedValue } from '../../measurement-relay/messages.ts';
import { attributesJson, floatText, plainText, Rfc3339 } from './value-text.ts';

const FLOATS: readonly (readonly [number, string])[] = [
  [0, '0'],
  [-0, '-0'],
  [1.5, '1.5'],
  [0.1 + 0.2, '0.30000000000000004'],
  [1e300, '1e+300'],
  [5e-324, '5e-324'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'inf'],
  [Number.NEGATIVE_INFINITY, '-inf'],
];

t.test('a float is written so that it is read back as itself', async (t) => {
  for (const [value, text] of FLOATS) {
    t.equal(floatText(value), text);
    if (Number.isFinite(value)) t.ok(Object.is(Number(text), value), text);
  }
});

const TIMES: readonly (readonly [secs: number, nanos: number, text: string])[] = [
  [0, 0, '1970-01-01T00:00:00.000000000Z'],
  [1_700_000_000, 5, '2023-11-14T22:13:20.000000005Z'],
  [1_700_000_000, 999_999_999, '2023-11-14T22:13:20.999999999Z'],
  [253_402_300_799, 1, '9999-12-31T23:59:59.000000001Z'],
  [253_402_300_800, 0, '+010000-01-01T00:00:00.000000000Z'],
  [8_640_000_000_000, 0, '+275760-09-13T00:00:00.000000000Z'],
];

t.test('every time that a Date can say has nine decimals, in any order', async (t) => {
  const times = new Rfc3339();
  for (const [secs, nanos, text] of [...TIMES, ...TIMES.toReversed()])
    t.equal(times.of({ secs, nanos }), text);
});

const VALUES: readonly (readonly [value: TypedValue, plain: string, json: string])[] = [
  [{ tag: 'F64', value: 1 }, '1', '1.0'],
  [{ tag: 'F64', value: -2.5e-9 }, '-2.5e-9', '-2.5e-9'],
  [{ tag: 'F64', value: Number.NaN }, 'NaN', '"NaN"'],
  [{ tag: 'U64', value: 7 }, '7', '7'],
  [{ tag: 'U64', value: 2n ** 64n - 1n }, '18446744073709551615', '18446744073709551615'],
  [{ tag: 'Bool', value: false }, 'false', 'false'],
  [{ tag: 'Str', value: 'a "b"\n' }, 'a "b"\n', '"a \\"b\\"\\n"'],
  [{ tag: 'Str', value: 'half \ud800' }, 'half \ud800', '"half \ufffd"'],
  [
    { tag: 'ListU64', value: [1, 2, 2n ** 63n] },
    '[1, 2, 9223372036854775808]',
    '[1, 2, 9223372036854775808]',
  ],
  [{ tag: 'ListU64', value: [] }, '[]', '[]'],
];

t.test('attributes keep type and digits as text and as JSON', async (t) => {
  for (const [value, plain, json] of VALUES) {
    t.equal(plainText(value), plain);
    t.equal(attributesJson([['k', value]]), `{"k":${json}}`);
  }
});

t.test('of two attributes with one key the later one counts', async (t) => {
  const attribute = (value: string): Attribute => ['relay_client', { tag: 'Str', value }];
  t.equal(attributesJson([attribute('a'), attribute('b')]), '{"relay_client":"b"}');
  t.equal(attributesJson([['__proto__', { tag: 'U64', value: 1 }]]), '{"__proto__":1}');
});
