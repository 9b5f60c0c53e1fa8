import t from 'tap';
import { f64, point, sampleRegistry, text, u64 } from '../testing/sample-points.ts';
import { attributeKeys, CsvLines, field, fieldsOf, headerLine } from './csv-text.ts';

const FORMAT = { appendUnit: true, displayUnit: true, delimiter: ';', lateDelimiter: ',' };

const FIELDS: readonly (readonly [text: string, field: string])[] = [
  ['', ''],
  ['plain, with comma', 'plain, with comma'],
  ['a;b', '"a;b"'],
  ['say "x"', '"say ""x"""'],
  ['two\nlines', '"two\nlines"'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['"', '""""'],
];

t.test('a field is read back as it was, whatever is in it', async (t) => {
  for (const [value, written] of FIELDS) {
    t.equal(field(value, ';'), written);
    t.strictSame(fieldsOf(`x;${written};y`, ';'), ['x', value, 'y']);
  }
  t.strictSame(fieldsOf('a;', ';'), ['a', '']);
  t.equal(fieldsOf('"open', ';'), undefined);
  t.equal(fieldsOf('"a"b;c', ';'), undefined);
});

t.test('a file begins with the columns of Alumet', async (t) => {
  const COLUMNS = 'metric;timestamp;value;resource_kind;resource_id;consumer_kind;consumer_id;';
  t.equal(headerLine([], FORMAT), `${COLUMNS}__late_attributes\n`);
  const points = [
    point({ attributes: [text('b', ''), text('a', '')] }),
    point({ attributes: [text('b', '')] }),
  ];
  t.equal(headerLine(attributeKeys(points), FORMAT), `${COLUMNS}a;b;__late_attributes\n`);
});

const LINES: readonly (readonly [what: string, point: ReturnType<typeof point>, line: string])[] = [
  ['a count', point(), 'cpu_time_ms;2023-11-14T22:13:20.000000005Z;7;cpu_core;0;local_machine;;;'],
  [
    'a float',
    point({ metric_id: 1, value: f64(-0) }),
    'power_W;2023-11-14T22:13:20.000000005Z;-0;cpu_core;0;local_machine;;;',
  ],
  [
    'a plain number, the largest, in year 10000',
    point({ metric_id: 2, value: u64(2n ** 64n - 1n), timestamp: { secs: 253_402_300_800, nanos: 0 } }),
    'packets;+010000-01-01T00:00:00.000000000Z;18446744073709551615;cpu_core;0;local_machine;;;',
  ],
  [
    'attributes, early and late',
    point({
      attributes: [
        text('late', 'a=b,c\\'),
        text('kind', 'x;y'),
        ['list', { tag: 'ListU64', value: [1, 2, 3] }],
      ],
    }),
    'cpu_time_ms;2023-11-14T22:13:20.000000005Z;7;cpu_core;0;local_machine;;"x;y";late=a\\=b\\,c\\\\,list=[1\\, 2\\, 3]',
  ],
  [
    'names with everything in them',
    point({ resource_kind: 'a;b', resource_id: '"', consumer_kind: 'ü\n', consumer_id: '😀' }),
    'cpu_time_ms;2023-11-14T22:13:20.000000005Z;7;"a;b";"""";"ü\n";😀;;',
  ],
];

t.test('a line has every field in its column', async (t) => {
  const lines = new CsvLines(FORMAT, ['kind'], sampleRegistry());
  for (const [what, one, line] of LINES) {
    t.equal(lines.of([one], 0, 1), `${line}\n`, what);
    t.equal(lines.of([one], 0, 1), `${line}\n`, `${what}, again`);
  }
});

t.test('names of metrics carry their unit as it is wanted', async (t) => {
  const names = (appendUnit: boolean, displayUnit: boolean): readonly (string | undefined)[] => {
    const lines = new CsvLines({ ...FORMAT, appendUnit, displayUnit }, [], sampleRegistry());
    return [0, 1, 2].map((metric_id) => lines.of([point({ metric_id })], 0, 1).split(';')[0]);
  };
  t.strictSame(names(true, true), ['cpu_time_ms', 'power_W', 'packets']);
  t.strictSame(names(true, false), ['cpu_time_millis', 'power_W', 'packets_1']);
  t.strictSame(names(false, true), ['cpu_time', 'power', 'packets']);
});
