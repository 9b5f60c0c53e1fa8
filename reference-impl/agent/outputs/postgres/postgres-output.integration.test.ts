import { Client } from 'pg';
import t from 'tap';
import { realClock } from '../../real-clock.ts';
import {
  batch,
  f64,
  type Line,
  point,
  points,
  recordedLog,
  sampleRegistry,
  text,
  u64,
} from '../testing/sample-points.ts';
import { postgresFolder, ThrowawayPostgres } from '../throwaway-postgres.ts';
import { type PostgresConfig, PostgresOutput } from './postgres-output.ts';

t.setTimeout(110_000);
const skip = postgresFolder() === undefined ? 'PostgreSQL is not installed here' : false;

const stage = (server: ThrowawayPostgres, changes: Partial<PostgresConfig> = {}) => {
  const { log, lines } = recordedLog();
  const config: PostgresConfig = {
    ...{ connection: { connectionString: server.url, connectionTimeoutMillis: 5_000 }, place: 'the server' },
    ...{ schema: 'public', table: 'measurements' },
    ...{ pointsMax: 5_000, bytesMax: 1e9, groupPoints: 1_000, lingerMillis: 5, endMillis: 20_000 },
    retry: { baseMillis: 5, factor: 2, capMillis: 50, jitter: 0, healthyMillis: 0, triesMax: Infinity },
    ...changes,
  };
  return { output: new PostgresOutput(config, sampleRegistry(), log, realClock()), lines };
};

const ask = async (server: ThrowawayPostgres, sql: string): Promise<readonly Record<string, unknown>[]> => {
  const client = new Client(server.url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

/** Waits for something that is about to be so; the test's own time limit ends it. */
const until = async (what: () => boolean): Promise<void> => {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const said = (lines: readonly Line[], pattern: RegExp): boolean =>
  lines.some(({ text }) => pattern.test(text));

t.test('PostgreSQL', { skip }, async (t) => {
  const server = await ThrowawayPostgres.start();
  t.teardown(() => server.close());

  t.test('points are rows with plain columns, exact in value and time', async (t) => {
    const { output } = stage(server, { table: 'exact "table"' });
    await output.open();
    const list = [
      point({ value: u64(2n ** 64n - 1n), timestamp: { secs: 253_402_300_800, nanos: 123_456_789 } }),
      point({
        metric_id: 1,
        value: f64(5e-324),
        resource_kind: 'a\tb\\',
        attributes: [text('k"', 'a\\\n\0'), ['n', { tag: 'U64', value: 2n ** 60n }]],
      }),
      point({ metric_id: 1, value: f64(Number.NaN), timestamp: { secs: 8_640_000_000_000, nanos: 0 } }),
      point({ metric_id: 1, value: f64(Number.NEGATIVE_INFINITY) }),
    ];
    await output.write(batch(list));
    await output.flush();
    const rows = await ask(
      server,
      'SELECT *, time::text AS at, attributes::text AS a FROM "exact ""table""" ORDER BY time, value',
    );
    t.match(rows, [
      { value: Number.NEGATIVE_INFINITY, at: '2023-11-14 22:13:20+00', nanos: 5 },
      {
        value: 5e-324,
        metric: 'power',
        resource_kind: 'a\tb\\',
        a: '{"n": 1152921504606846976, "k\\"": "a\\\\\\n\ufffd"}',
      },
      {
        exact: '18446744073709551615',
        at: '10000-01-01 00:00:00.123456+00',
        nanos: 789,
        metric: 'cpu_time',
        resource_id: '0',
        consumer_kind: 'local_machine',
      },
      { value: Number.NaN, at: '275760-09-13 00:00:00+00' },
    ]);
    t.match(await ask(server, 'SELECT * FROM "exact ""table""_metrics" ORDER BY name'), [
      { name: 'cpu_time', unit: 'ms', value_type: 'U64' },
      { name: 'packets', unit: '' },
      { name: 'power', unit: 'W' },
    ]);
    await output.close();
    t.strictSame(
      await ask(server, 'SELECT * FROM "exact ""table""_batches"'),
      [],
      'an orderly end leaves no number of its own',
    );
  });

  t.test(
    'a batch that comes again is stored once, in one transaction with itself or much later',
    async (t) => {
      const origin = (number: number) => ({ client: "node-1'\0", spool: 'a', batch: number });
      const first = stage(server, { table: 'again' });
      await first.output.open();
      t.equal(await first.output.lastStored("node-1'\0", 'a'), undefined);
      await Promise.all([
        first.output.write(batch(points(100), origin(2))),
        first.output.write(batch(points(100), origin(2))),
        first.output.write(batch(points(100, 100), origin(3))),
        first.output.write(batch(points(1), { ...origin(2), spool: 'b' })),
        first.output.write(batch(points(100), origin(2))),
      ]);
      await first.output.close();
      const { output } = stage(server, { table: 'again' });
      await output.open();
      t.equal(await output.lastStored("node-1'\0", 'a'), 3);
      await output.write(batch(points(100, 100), origin(3)));
      await output.write(batch([], origin(4)));
      t.equal(await output.lastStored("node-1'\0", 'a'), 4);
      await output.close();
      t.match(await ask(server, 'SELECT count(*)::int AS n, count(DISTINCT value)::int AS d FROM again'), [
        { n: 201, d: 200 },
      ]);
    },
  );

  t.test('two agents that start at once share the tables', async (t) => {
    const two = [
      stage(server, { table: 'shared' }).output,
      stage(server, { table: 'shared' }).output,
    ] as const;
    await Promise.all(two.map((output) => output.open()));
    await Promise.all(
      two.map((output, index) =>
        output.write(batch(points(500, index * 500), { client: `${index}`, spool: 's', batch: 1 })),
      ),
    );
    await Promise.all(two.map((output) => output.close()));
    t.match(await ask(server, 'SELECT count(DISTINCT value)::int AS n FROM shared'), [{ n: 1_000 }]);
  });

  t.test(
    'a server that is killed and comes again has every point once, numbered by the client or not',
    async (t) => {
      const { output, lines } = stage(server, { table: 'killed' });
      await output.open();
      const batches = 120;
      let written = 0;
      const writing = (async () => {
        for (let number = 1; number <= batches; number++) {
          const origin = number % 2 === 0 ? { client: 'node-1', spool: 's', batch: number } : undefined;
          await output.write(batch(points(200, number * 200), origin));
          written = number;
        }
      })();
      for (const when of [20, 70]) {
        await until(() => written >= when);
        await server.kill();
        await server.begin();
      }
      await writing;
      await output.flush();
      t.ok(said(lines, /tried again/), 'the server was missed');
      t.match(await ask(server, 'SELECT count(*)::int AS n, count(DISTINCT value)::int AS d FROM killed'), [
        { n: batches * 200, d: batches * 200 },
      ]);
      t.equal(await output.lastStored('node-1', 's'), batches);
      await output.close();
    },
  );

  t.test(
    'a database that does not take points holds the sender back, and memory stays bounded',
    async (t) => {
      const { output, lines } = stage(server, { table: 'slow', bytesMax: 1_000_000, pointsMax: 1e9 });
      await output.open();
      const locker = new Client(server.url);
      await locker.connect();
      await locker.query('BEGIN; LOCK TABLE slow IN ACCESS EXCLUSIVE MODE');
      let taken = 0;
      const writing = (async () => {
        for (; taken < 300; taken++) await output.write(batch(points(200, taken * 200)));
      })();
      await until(() => output.state.full);
      const held = taken;
      t.ok(output.state.bytes <= 1_000_000);
      t.ok(held < 100, `${held} of 300 batches were taken`);
      t.ok(said(lines, /queue is full/));
      await locker.query('COMMIT');
      await locker.end();
      await writing;
      await output.flush();
      t.match(await ask(server, 'SELECT count(DISTINCT value)::int AS n FROM slow'), [{ n: 60_000 }]);
      await output.close();
    },
  );

  t.test('the end does not wait for ever for a database that does not answer', async (t) => {
    const { output } = stage(server, { table: 'stuck', endMillis: 50 });
    await output.open();
    const locker = new Client(server.url);
    await locker.connect();
    await locker.query('BEGIN; LOCK TABLE stuck IN ACCESS EXCLUSIVE MODE');
    await output.write(batch(points(10)));
    await t.rejects(output.flush(), { code: 'OUTPUT_STUCK' });
    await output.close();
    await locker.end();
  });

  t.test('a server that is away at the start is waited for', async (t) => {
    await server.kill();
    const { output, lines } = stage(server, { table: 'later' });
    await output.open();
    t.ok(said(lines, /is away/));
    await t.rejects(output.lastStored('a', 'b'), { code: 'OUTPUT_DATABASE' });
    const written = output.write(batch(points(10), { client: 'a', spool: 'b', batch: 1 }));
    await server.begin();
    await written;
    t.equal(await output.lastStored('a', 'b'), 1);
    await output.close();
  });

  t.test('what no trying again can mend is told at the start', async (t) => {
    const nowhere = server.url.replace(/\/postgres$/, '/nowhere');
    await t.rejects(stage(server, { connection: { connectionString: nowhere } }).output.open(), {
      code: 'OUTPUT_DATABASE',
      got: /nowhere/,
    });
    await ask(server, 'CREATE TABLE foreign_one (x int)');
    const { output } = stage(server, { table: 'foreign_one' });
    await t.rejects(output.open(), { code: 'OUTPUT_DATABASE', where: 'plugins.postgres.table' });
    await output.close();
  });

  t.test('where TimescaleDB is, the table becomes a hypertable', async (t) => {
    // a stand-in: the extension by name, and the function it would bring
    await ask(
      server,
      `CREATE TABLE called (relation text, by_column text);
      CREATE FUNCTION create_hypertable(relation regclass, by_column name) RETURNS void LANGUAGE sql AS 'INSERT INTO called VALUES (relation::text, by_column)';
      SET allow_system_table_mods = on;
      INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) VALUES (999999, 'timescaledb', 10, 2200, false, '2')`,
    );
    const { output } = stage(server, { table: 'hyper' });
    await output.open();
    await output.write(batch(points(10)));
    await output.flush();
    await output.close();
    t.strictSame(await ask(server, 'SELECT * FROM called'), [{ relation: 'hyper', by_column: 'time' }]);
    t.match(await ask(server, 'SELECT count(*)::int AS n FROM hyper'), [{ n: 10 }]);
  });
});
