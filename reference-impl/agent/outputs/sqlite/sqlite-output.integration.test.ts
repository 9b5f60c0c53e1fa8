import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { ManualClock, settled } from '../../testing/manual-clock.ts';
import {
  batch,
  f64,
  point,
  points,
  recordedLog,
  sampleRegistry,
  text,
  u64,
} from '../testing/sample-points.ts';
import { type SqliteConfig, SqliteOutput } from './sqlite-output.ts';

const stage = (path: string, changes: Partial<SqliteConfig> = {}) => {
  const { log, lines } = recordedLog();
  const clock = new ManualClock();
  const config: SqliteConfig = {
    ...{ path, synchronous: 'normal', pointsMax: 5_000, bytesMax: 1e9, groupPoints: 1_000 },
    ...{ lingerMillis: 1_000, endMillis: 5_000 },
    retry: { baseMillis: 100, factor: 2, capMillis: 1_000, jitter: 0, healthyMillis: 0, triesMax: Infinity },
    ...changes,
  };
  return { output: new SqliteOutput(config, sampleRegistry(), log, clock), lines, clock };
};

const ask = (path: string, sql: string): readonly Record<string, unknown>[] => {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all().map((row) => ({ ...row }));
  } finally {
    database.close();
  }
};

const countOf = (path: string): number => Number(ask(path, 'SELECT count(*) AS n FROM points')[0]?.n);

t.test('points are found by metric and time in plain columns', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const { output } = stage(path);
  await output.open();
  await output.write(batch(points(1_234)));
  await output.write(
    batch([
      point({
        metric_id: 1,
        value: f64(2),
        timestamp: { secs: 1_700_000_100, nanos: 0 },
        attributes: [text('a', 'b')],
      }),
    ]),
  );
  await output.flush();
  t.strictSame(
    ask(
      path,
      "SELECT count(*) AS n, sum(value) AS s FROM measurements WHERE metric = 'cpu_time' AND secs BETWEEN 1700000000 AND 1700000050",
    ),
    [{ n: 1_234n, s: 760_761n }],
  );
  t.strictSame(ask(path, "SELECT * FROM measurements WHERE timestamp > '2023-11-14T22:15'"), [
    {
      ...{ metric: 'power', timestamp: '2023-11-14T22:15:00.000000000Z', value: 2, unit: 'W' },
      ...{ resource_kind: 'cpu_core', resource_id: '0', consumer_kind: 'local_machine', consumer_id: '' },
      ...{ attributes: '{"a":"b"}', secs: 1_700_000_100n, nanos: 0n, value_type: 'F64' },
    },
  ]);
  t.match(
    ask(path, 'EXPLAIN QUERY PLAN SELECT * FROM measurements WHERE secs > 5')[0]?.detail,
    /points_secs/,
  );
  await output.close();
});

const VALUES = [
  [0, u64(0), 0n],
  [0, u64(2 ** 53 - 1), 2n ** 53n - 1n],
  [0, u64(2n ** 63n - 1n), 2n ** 63n - 1n],
  [0, u64(2n ** 63n), '9223372036854775808'],
  [0, u64(2n ** 64n - 1n), '18446744073709551615'],
  [1, f64(1), 1],
  [1, f64(0.1), 0.1],
  [1, f64(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY],
  [1, f64(Number.NaN), null],
] as const;

t.test('every value is kept exactly, and years beyond SQLite have a time as well', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const { output } = stage(path);
  await output.open();
  const late = { secs: 253_402_300_800, nanos: 7 };
  await output.write(batch(VALUES.map(([metric_id, value]) => point({ metric_id, value, timestamp: late }))));
  await output.flush();
  const rows = ask(path, 'SELECT value, timestamp, secs FROM measurements');
  t.strictSame(
    rows.map(({ value }) => value),
    VALUES.map(([, , kept]) => kept),
  );
  t.match(rows[0], { secs: 253_402_300_800n, timestamp: '@253402300800.000000007Z' });
  await output.close();
});

t.test('points of one time are kept as exactly as those of many', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const { output } = stage(path);
  await output.open();
  const nanosOf: readonly ((n: number) => number)[] = [() => 5, (n) => n % 2, (n) => Math.floor(n / 130)];
  for (const [secs, nanos] of nanosOf.entries())
    await output.write(
      batch(
        Array.from({ length: 250 }, (_, n) => {
          const [metric_id, value] = VALUES[n % VALUES.length] as (typeof VALUES)[number];
          return point({ metric_id, value, timestamp: { secs, nanos: nanos(n) }, resource_id: `${n}` });
        }),
      ),
    );
  await output.flush();
  const rows = ask(
    path,
    'SELECT secs, nanos, value, resource_id FROM measurements ORDER BY secs, CAST(resource_id AS INTEGER)',
  );
  await output.close();
  t.equal(rows.length, 750);
  for (const [index, row] of rows.entries()) {
    const [secs, n] = [Math.floor(index / 250), index % 250];
    const [, , value] = VALUES[n % VALUES.length] as (typeof VALUES)[number];
    const expected = {
      secs: BigInt(secs),
      nanos: BigInt(nanosOf[secs]?.(n) ?? -1),
      value,
      resource_id: `${n}`,
    };
    t.strictSame(row, expected);
  }
});

t.test('a batch that comes again is stored once, also after a new start', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const origin = (number: number) => ({ client: 'node-1', spool: 'a', batch: number });
  const first = stage(path);
  await first.output.open();
  t.equal(await first.output.lastStored('node-1', 'a'), undefined);
  await first.output.write(batch(points(10), origin(1)));
  await first.output.write(batch(points(10, 10), origin(3)));
  await first.output.write(batch(points(10), { ...origin(1), spool: 'b' }));
  t.equal(countOf(path), 30);
  await first.output.close();
  const { output } = stage(path);
  await output.open();
  t.equal(await output.lastStored('node-1', 'a'), 3);
  await output.write(batch(points(10), origin(1)));
  await output.write(batch(points(10, 10), origin(3)));
  t.equal(countOf(path), 30);
  await output.write(batch([], origin(4)));
  await output.write(batch(points(5, 20), origin(5)));
  t.equal(await output.lastStored('node-1', 'a'), 5);
  t.equal(await output.lastStored('node-2', 'a'), undefined);
  t.equal(countOf(path), 35);
  t.equal(ask(path, 'SELECT count(*) AS n FROM series')[0]?.n, 20n, 'names are kept once');
  await output.close();
});

t.test('a database that is locked is asked again, without holding up anything else', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const { output, clock, lines } = stage(path);
  await output.open();
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  let stored = false;
  const written = output.write(batch(points(10), { client: 'a', spool: 'b', batch: 1 })).then(() => {
    stored = true;
  });
  await clock.turn(2_000);
  t.notOk(stored);
  t.match(lines[0], { level: 'warn', text: /tried again: database is locked/ });
  other.exec('ROLLBACK');
  other.close();
  await clock.turn(2_000);
  await written;
  t.equal(countOf(path), 10);
  await output.close();
});

t.test(
  'a failure in the middle leaves nothing behind, and names that were rolled back are written again',
  async (t) => {
    const path = join(t.testdir(), 'm.sqlite');
    const { output, clock, lines } = stage(path);
    await output.open();
    const other = new DatabaseSync(path);
    other.exec(
      "CREATE TRIGGER no BEFORE INSERT ON points WHEN new.value = 150 BEGIN SELECT RAISE(ABORT, 'not this one'); END",
    );
    const written = output.write(batch(points(250), { client: 'a', spool: 'b', batch: 1 }));
    await clock.turn(1);
    t.match(lines[0], { text: /not this one/ });
    t.equal(countOf(path), 0);
    t.equal(ask(path, 'SELECT count(*) AS n FROM series')[0]?.n, 0n);
    other.exec('DROP TRIGGER no');
    other.close();
    await clock.turn(1_000);
    await written;
    t.strictSame(ask(path, 'SELECT count(*) AS n, sum(value) AS s FROM measurements'), [
      { n: 250n, s: 31_125n },
    ]);
    await output.close();
  },
);

t.test('the file is its owner’s alone', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const { output } = stage(path);
  await output.open();
  await output.write(batch(points(1)));
  await output.flush();
  for (const file of [path, `${path}-wal`]) t.equal(statSync(file).mode & 0o777, 0o600);
  await output.close();
});

t.test('a file that is something else is told at the start and left alone', async (t) => {
  const folder = t.testdir({ text: 'not a database, and longer than the header of one\n'.repeat(100) });
  const foreign = join(folder, 'foreign.sqlite');
  new DatabaseSync(foreign).exec('CREATE TABLE t (x)');
  const newer = join(folder, 'newer.sqlite');
  const { output } = stage(newer);
  await output.open();
  await output.close();
  new DatabaseSync(newer).exec('PRAGMA user_version = 9');
  for (const [path, got] of [
    [join(folder, 'text'), /not a database/],
    [foreign, /another program/],
    [newer, /version 9/],
    [folder, /EISDIR/],
  ] as const) {
    await t.rejects(stage(path).output.open(), { code: 'OUTPUT_DATABASE', got });
  }
});

t.test('points that nobody waits for are brought out by the end', async (t) => {
  const path = join(t.testdir(), 'm.sqlite');
  const { output } = stage(path);
  await output.open();
  await output.write(batch(points(10)));
  await settled();
  t.equal(countOf(path), 0);
  await output.flush();
  await output.close();
  t.equal(countOf(path), 10);
});
