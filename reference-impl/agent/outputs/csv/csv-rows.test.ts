import t from 'tap';
import type { Point } from '../../../measurement-relay/messages.ts';
import { f64, point, sampleRegistry, text, u64 } from '../testing/sample-points.ts';
import { CsvRows } from './csv-rows.ts';

const FORMAT = { appendUnit: true, displayUnit: true, delimiter: ';', lateDelimiter: ',' };

const LINES: readonly (readonly [what: string, point: Point, line: string])[] = [
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

const textOf = (rows: CsvRows, points: readonly Point[]): string => {
  const bytes = new Uint8Array(100_000);
  t.equal(rows.put(points, 0, new DataView(bytes.buffer), 0), points.length);
  return Buffer.from(bytes.subarray(0, rows.end)).toString();
};

t.test('a row has every field in its column', async (t) => {
  const rows = new CsvRows(FORMAT, ['kind'], sampleRegistry());
  for (const [what, one, line] of LINES) {
    t.equal(textOf(rows, [one]), `${line}\n`, what);
    t.equal(textOf(rows, [one]), `${line}\n`, `${what}, again`);
  }
  const points = LINES.map(([, one]) => one);
  t.equal(textOf(rows, points), LINES.map(([, , line]) => `${line}\n`).join(''), 'one behind the other');
});

const COUNTS = [
  ...[0, 1, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 1_000_000_001, 4_294_967_296],
  ...[10 ** 15, 10 ** 15 + 1, Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 64n - 1n],
];
const FLOATS = [0, -0, 0.5, -1 / 3, 1e21, 5e-324, -Number.MAX_VALUE, 123_456_789_012];
const ODD_FLOATS = [
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'inf'],
  [Number.NEGATIVE_INFINITY, '-inf'],
] as const;

t.test('every digit of a number is written', async (t) => {
  const rows = new CsvRows(FORMAT, [], sampleRegistry());
  const written = (one: Point): string | undefined => textOf(rows, [one]).split(';')[2];
  for (const count of COUNTS) t.equal(written(point({ value: u64(count) })), `${count}`);
  for (const float of FLOATS) {
    const value = written(point({ metric_id: 1, value: f64(float) }));
    t.ok(Object.is(Number(value), float), `${value}`);
  }
  for (const [float, expected] of ODD_FLOATS)
    t.equal(written(point({ metric_id: 1, value: f64(float) })), expected);
});

t.test('rows stop before the end of the memory, and go on in new memory', async (t) => {
  const rows = new CsvRows(FORMAT, [], sampleRegistry());
  const points = Array.from({ length: 40 }, (_, n) =>
    point({ value: u64(10 ** (n % 15)), resource_id: `${n}` }),
  );
  const whole = textOf(rows, points);
  for (let size = rows.bytesOf(points[0] as Point) + 1; size < 400; size++) {
    let text = '';
    for (let next = 0; next < points.length; ) {
      const bytes = new Uint8Array(size);
      const before = next;
      next = rows.put(points, next, new DataView(bytes.buffer), 0);
      if (next === before) throw new Error(`no row in ${size} bytes`);
      text += Buffer.from(bytes.subarray(0, rows.end)).toString();
    }
    if (text !== whole) t.fail(`memory of ${size} bytes`);
  }
  t.equal(rows.put(points, 3, new DataView(new ArrayBuffer(20)), 0), 3, 'none fits');
  t.equal(rows.end, 0);
});

t.test('names of metrics carry their unit as it is wanted', async (t) => {
  const names = (appendUnit: boolean, displayUnit: boolean): readonly (string | undefined)[] => {
    const rows = new CsvRows({ ...FORMAT, appendUnit, displayUnit }, [], sampleRegistry());
    return [0, 1, 2].map((metric_id) => textOf(rows, [point({ metric_id })]).split(';')[0]);
  };
  t.strictSame(names(true, true), ['cpu_time_ms', 'power_W', 'packets']);
  t.strictSame(names(true, false), ['cpu_time_millis', 'power_W', 'packets_1']);
  t.strictSame(names(false, true), ['cpu_time', 'power', 'packets']);
});
