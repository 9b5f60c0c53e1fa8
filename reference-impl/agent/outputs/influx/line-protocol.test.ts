import t from 'tap';
import { f64, point, sampleRegistry, text, u64 } from '../testing/sample-points.ts';
import { keyText, type LineOptions, LineProtocol, measurementText, stringField } from './line-protocol.ts';

const OPTIONS: LineOptions = {
  attributesAs: 'field',
  attributesAsTags: new Set(['as_tag']),
  attributesAsFields: new Set(['as_field']),
  uintSuffix: true,
};

const ESCAPES: readonly (readonly [text: string, measurement: string, key: string, field: string])[] = [
  ['plain', 'plain', 'plain', '"plain"'],
  ['a b', 'a\\ b', 'a\\ b', '"a b"'],
  ['a,b', 'a\\,b', 'a\\,b', '"a,b"'],
  ['a=b', 'a=b', 'a\\=b', '"a=b"'],
  ['a"b', 'a"b', 'a"b', '"a\\"b"'],
  ['a\\b', 'a\\b', 'a\\b', '"a\\\\b"'],
  ['a\\,b', 'a\\\\,b', 'a\\\\,b', '"a\\\\,b"'],
  ['end\\', 'end\\\\ ', 'end\\\\ ', '"end\\\\"'],
  ['a\nb', 'a\\nb', 'a\\nb', '"a\nb"'],
  ['#x', '\\#x', '#x', '"#x"'],
  ['ü😀', 'ü😀', 'ü😀', '"ü😀"'],
];

t.test('each place of a line has its own escapes', async (t) => {
  for (const [plain, measurement, key, field] of ESCAPES) {
    t.equal(measurementText(plain), measurement);
    t.equal(keyText(plain), key);
    t.equal(stringField(plain), field);
  }
  t.equal(measurementText(''), '_');
});

const TAGS = ',resource_consumer_kind=local_machine,resource_id=0,resource_kind=cpu_core';
const AT = '1700000000000000005';
const early = { secs: 0, nanos: 5 };

const LINES: readonly (readonly [
  what: string,
  point: ReturnType<typeof point>,
  line: string,
  changes?: Partial<LineOptions>,
])[] = [
  ['a count, without its empty tag', point(), `cpu_time${TAGS} value=7u ${AT}`],
  ['a count for InfluxDB 1', point(), `cpu_time${TAGS} value=7i ${AT}`, { uintSuffix: false }],
  ['the largest', point({ value: u64(2n ** 64n - 1n) }), `cpu_time${TAGS} value=18446744073709551615u ${AT}`],
  [
    'the largest for InfluxDB 1',
    point({ value: u64(2n ** 64n - 1n) }),
    `cpu_time${TAGS} value=18446744073709552000 ${AT}`,
    { uintSuffix: false },
  ],
  [
    'a float soon after 1970',
    point({ metric_id: 1, value: f64(-1e-9), timestamp: early }),
    `power${TAGS} value=-1e-9 5`,
  ],
  [
    'attributes of every type',
    point({
      attributes: [
        text('as_tag', 'x y'),
        text('s', 'q"'),
        ['b', { tag: 'Bool', value: true }],
        ['l', { tag: 'ListU64', value: [1, 2, 3] }],
        ['f', { tag: 'F64', value: 0.5 }],
        ['n', { tag: 'F64', value: Number.NaN }],
        ['u', { tag: 'U64', value: 3 }],
        text('value', 'mine'),
      ],
    }),
    `cpu_time,as_tag=x\\ y${TAGS} value=7u,s="q\\"",b=true,l="1,2,3",f=0.5,u=3u,alumet_attribute__value="mine" ${AT}`,
  ],
  [
    'attributes as tags, the later one of two',
    point({ attributes: [text('a', '1'), text('a', '2'), text('as_field', 'f'), text('resource_id', 'r')] }),
    `cpu_time,a=2,alumet_attribute__resource_id=r${TAGS} value=7u,as_field="f" ${AT}`,
    { attributesAs: 'tag' },
  ],
];

t.test('a line has what the point has, and nothing twice', async (t) => {
  for (const [what, one, line, changes] of LINES) {
    const { lines, left } = new LineProtocol({ ...OPTIONS, ...changes }, sampleRegistry()).of([one, one]);
    t.equal(lines, `${line}\n${line}\n`, what);
    t.equal(left, 0);
  }
});

t.test('what the protocol cannot say is left out and counted', async (t) => {
  const { lines, left } = new LineProtocol(OPTIONS, sampleRegistry()).of([
    point({ metric_id: 1, value: f64(Number.NaN) }),
    point({ metric_id: 1, value: f64(Number.POSITIVE_INFINITY) }),
    point({ timestamp: { secs: 9_223_372_036, nanos: 0 } }),
    point(),
  ]);
  t.equal(left, 3);
  t.equal(lines, `cpu_time${TAGS} value=7u ${AT}\n`);
});
