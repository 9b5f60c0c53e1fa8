import t from 'tap';
import { f64, point, sampleRegistry, text, u64 } from '../testing/sample-points.ts';
import { CopyRows } from './copy-rows.ts';

const AT = '2023-11-14T22:13:20.000000Z\t5\t';
const TAIL = 'cpu_time\tcpu_core\t0\tlocal_machine\t\t{}';

const ROWS: readonly (readonly [what: string, point: ReturnType<typeof point>, row: string])[] = [
  ['a count', point(), `${AT}7\t\\N\t${TAIL}`],
  [
    'the largest count',
    point({ value: u64(2n ** 64n - 1n) }),
    `${AT}18446744073709551615\t18446744073709551615\t${TAIL}`,
  ],
  ['no number', point({ value: f64(Number.NaN) }), `${AT}NaN\t\\N\t${TAIL}`],
  ['infinity', point({ value: f64(Number.NEGATIVE_INFINITY) }), `${AT}-inf\t\\N\t${TAIL}`],
  [
    'nanoseconds',
    point({ timestamp: { secs: 1_700_000_000, nanos: 123_456_789 } }),
    `2023-11-14T22:13:20.123456Z\t789\t7\t\\N\t${TAIL}`,
  ],
  [
    'year 10000',
    point({ timestamp: { secs: 253_402_300_800, nanos: 0 } }),
    `10000-01-01T00:00:00.000000Z\t0\t7\t\\N\t${TAIL}`,
  ],
  [
    'what COPY would take for its own',
    point({ resource_kind: 'a\tb', resource_id: '\\.', consumer_kind: 'x\ny\r', consumer_id: '\\N' }),
    `${AT}7\t\\N\tcpu_time\ta\\tb\t\\\\.\tx\\ny\\r\t\\\\N\t{}`,
  ],
  [
    'JSON in COPY',
    point({ attributes: [text('k"', 'a\\\n\0\ud800')] }),
    `${AT}7\t\\N\tcpu_time\tcpu_core\t0\tlocal_machine\t\t{"k\\\\"":"a\\\\\\\\\\\\n\ufffd\ufffd"}`,
  ],
];

t.test('a row is one line of COPY, whatever is in the point', async (t) => {
  const rows = new CopyRows(sampleRegistry());
  for (const [what, one, row] of ROWS) {
    t.equal(rows.of([one]).rows.toString(), `${row}\n`, what);
    t.equal(rows.of([one, one]).rows.toString(), `${row}\n${row}\n`, `${what}, again`);
  }
});

t.test('a point whose metric has a name that no index holds is left out and counted', async (t) => {
  const registry = sampleRegistry();
  const long = registry.define({
    name: 'ü'.repeat(1_001),
    valueType: 'U64',
    unit: { base: '1', prefix: '' },
    description: '',
  });
  const { rows, left } = new CopyRows(registry).of([point(), point({ metric_id: long }), point()]);
  t.equal(left, 1);
  t.equal(rows.toString().split('\n').length, 3);
});
