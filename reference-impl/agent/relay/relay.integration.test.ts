import { existsSync, readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { eventually, newFolder, Program } from '../testing/program.ts';

t.setTimeout(300_000);

const folderWith = (files: Readonly<Record<string, string>> = {}): string => {
  const folder = newFolder(files);
  t.teardown(() => folder.remove());
  return folder.path;
};
const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
/** series:number of every stored sequence point. */
const sequenceIn = (csv: string): readonly string[] =>
  csv
    .split('\n')
    .filter((line) => line.startsWith('synthetic_sequence;'))
    .map((line) => {
      const [, , value, , , , series] = line.split(';');
      return `${series}:${value}`;
    });
const expected = (points: number, cardinality: number): readonly string[] =>
  Array.from(
    { length: points },
    (_, number) => `${number % cardinality}:${Math.floor(number / cardinality)}`,
  ).sort();

t.test(
  'what a real Alumet client sent is stored, the same points as its own server would have',
  async (t) => {
    const cwd = folderWith();
    const server = await Program.server(['--output-file', 'out.csv'], { cwd });
    type Chunk = { readonly dir?: string; readonly hex?: string };
    const chunks = readFileSync(new URL('./vectors/session.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Chunk)
      .filter(({ dir, hex }) => dir === 'client->server' && hex !== undefined);
    const socket = createConnection(server.port, '127.0.0.1');
    const answer = Promise.withResolvers<Buffer>();
    socket.once('data', answer.resolve);
    for (const { hex } of chunks) socket.write(Buffer.from(hex as string, 'hex'));
    socket.end();
    const greeting = await answer.promise;
    t.equal(greeting.readUInt32BE(), greeting.length - 4);
    t.same([...greeting.subarray(4, 7)], [0, 1, 1], 'sender "", GreetResponse, accept');
    await new Promise((resolve) => socket.on('close', resolve));
    server.kill('SIGTERM');
    t.equal(await server.exited(), 0);
    const [header, ...lines] = textOf(join(cwd, 'out.csv')).trim().split('\n');
    t.match(
      header,
      /^metric;timestamp;value;resource_kind;resource_id;consumer_kind;consumer_id;.*__late_attributes$/,
    );
    t.ok(lines.length > 250, `${lines.length} points`);
    t.ok(
      lines.every((line) => line.includes('golden-client')),
      'relay_client is the sender',
    );
    const metrics = new Set(lines.map((line) => line.split(';')[0]));
    for (const metric of [
      'kernel_cpu_time_ms',
      'mem_total_B',
      'mem_available_B',
      'memory_usage_B',
      'cpu_time_delta_ns',
      'cpu_percent_%',
    ])
      t.ok(metrics.has(metric), `${metric} of ${[...metrics].join()}`);
    t.match(
      lines.find((line) => line.startsWith('kernel_cpu_time_ms')),
      /;cpu_core;\d+;local_machine;;|;local_machine;;local_machine;;/,
    );
    t.match((await server.logged('server.closed')).points, { errors: {}, undelivered: 0 });
  },
);

t.test('SIGTERM delivers what is in the buffer, long before its timeout', async (t) => {
  const cwd = folderWith();
  const server = await Program.server(['--output-file', 'out.csv'], { cwd });
  const client = await Program.agent(
    [
      ...['--relay-out', `127.0.0.1:${server.port}`, '--plugins', 'synthetic', '--output-file', 'own.csv'],
      ...['--config-override', "plugins.relay-client.buffer_timeout = '1h'"],
      ...['--config-override', 'plugins.synthetic = { limit = 500, cardinality = 7 }'],
    ],
    { cwd },
  );
  await client.logged('client.greeted');
  await eventually('all points are measured', () => sequenceIn(textOf(join(cwd, 'own.csv'))).length === 500);
  client.kill('SIGTERM');
  t.equal(await client.exited(), 0);
  const { points } = (await client.logged('client.stopped')) as unknown as {
    points: { received: number; acknowledged: number };
  };
  t.equal(points.acknowledged, points.received);
  server.kill('SIGTERM');
  t.equal(await server.exited(), 0);
  t.same([...sequenceIn(textOf(join(cwd, 'out.csv')))].sort(), expected(points.received, 7));
});

t.test(
  'every point is stored once although client and server are killed: spool, acknowledgement, SQLite',
  async (t) => {
    const cwd = folderWith();
    const serving = ['--plugins', 'sqlite', '--config-override', "plugins.sqlite.path = 'points.sqlite'"];
    const first = await Program.server(serving, { cwd });
    const { port } = first;
    const sending = (limit: number, prefix: string): string[] => [
      ...['--relay-out', `127.0.0.1:${port}`, '--plugins', 'synthetic'],
      ...[
        '--config-override',
        "plugins.relay-client = { buffer_timeout = '50ms', spool_path = 'client.spool' }",
      ],
      ...['--config-override', `plugins.relay-client.client_name = '${prefix}'`],
      ...[
        '--config-override',
        'plugins.relay-client.retry = { forever = true, initial_delay = "100ms", max_delay = "200ms" }',
      ],
      ...[
        '--config-override',
        `plugins.synthetic = { rate = 2000, limit = ${limit}, cardinality = 5, poll_interval = '20ms' }`,
      ],
    ];
    const count = (): { readonly rows: number; readonly distinct: number } => {
      const database = new DatabaseSync(join(cwd, 'points.sqlite'), { readOnly: true });
      try {
        return database
          .prepare(
            'SELECT COUNT(*) AS rows, COUNT(DISTINCT series_id || ":" || secs || ":" || nanos || ":" || value) AS "distinct" FROM points'.replaceAll(
              '":"',
              "':'",
            ),
          )
          .get() as { rows: number; distinct: number };
      } finally {
        database.close();
      }
    };
    const stored = (least: number) => async (): Promise<void> =>
      eventually(`${least} rows`, () => existsSync(join(cwd, 'points.sqlite')) && count().rows >= least);

    const killed = await Program.agent(sending(0, 'killed'), { cwd });
    await stored(400)();
    first.kill('SIGKILL');
    await first.exited();
    await killed.logged('client.failed');
    killed.kill('SIGKILL');
    await killed.exited();

    const second = await Program.server(serving, { cwd }, port);
    const client = await Program.agent(sending(3_000, 'killed'), { cwd });
    await eventually('the second server has some', () => count().rows > 1_000);
    second.kill('SIGKILL');
    await second.exited();
    const third = await Program.server(serving, { cwd }, port);
    const least = count().rows;
    await eventually('the third server has more', () => count().rows > least);
    client.kill('SIGTERM');
    t.equal(await client.exited(), 0);
    const { points } = (await client.logged('client.stopped')) as unknown as {
      points: Readonly<Record<'received' | 'recovered' | 'acknowledged', number>>;
    };
    t.equal(points.acknowledged, points.received + points.recovered, 'the server has all of them');
    t.ok(points.recovered > 0, 'the killed client left some in its spool');
    third.kill('SIGTERM');
    t.equal(await third.exited(), 0);

    const { rows, distinct } = count();
    t.equal(rows, distinct, 'nothing twice');
    const database = new DatabaseSync(join(cwd, 'points.sqlite'), { readOnly: true });
    const runs = database
      .prepare('SELECT series_id, value FROM points ORDER BY series_id, secs, nanos')
      .all();
    database.close();
    // each series counts 0, 1, 2, ... in the killed client and again in the second one
    const next = new Map<unknown, number>();
    const gaps = runs.filter(({ series_id: series, value }) => {
      const fits = Number(value) === (next.get(series) ?? 0) || Number(value) === 0;
      next.set(series, Number(value) + 1);
      return !fits;
    });
    t.same(gaps, [], 'no number is left out');
  },
);

t.test('a batch is acknowledged only once a paused output has it', async (t) => {
  const cwd = folderWith();
  const server = await Program.server(
    ['--output-file', 'out.csv', '--config-override', "plugins.socket-control.socket_path = 'c.sock'"],
    { cwd },
  );
  const pause = new Program(['ctl', '--socket', 'c.sock', 'control output pause'], { cwd });
  t.equal(await pause.exited(), 0);
  const client = await Program.agent(
    [
      ...['--relay-out', `127.0.0.1:${server.port}`, '--plugins', 'synthetic', '--log-level', 'debug'],
      ...['--config-override', "plugins.relay-client.buffer_timeout = '20ms'"],
      ...['--config-override', 'plugins.synthetic.limit = 100'],
    ],
    { cwd },
  );
  await client.logged('client.sent');
  t.same(sequenceIn(textOf(join(cwd, 'out.csv'))), []);
  t.notOk(client.log.some(({ msg }) => msg === 'client.acknowledged'));
  const resume = new Program(['ctl', '--socket', 'c.sock', 'control output resume'], { cwd });
  t.equal(await resume.exited(), 0);
  await client.logged('client.acknowledged');
  client.kill('SIGTERM');
  t.equal(await client.exited(), 0);
  server.kill('SIGTERM');
  t.equal(await server.exited(), 0);
  t.same([...sequenceIn(textOf(join(cwd, 'out.csv')))].sort(), expected(100, 10));
});

t.test('two relays in a row deliver everything, and stop in order', async (t) => {
  const cwd = folderWith();
  const last = await Program.server(['--output-file', 'out.csv'], { cwd });
  const middle = await Program.server(['--relay-out', `127.0.0.1:${last.port}`], { cwd });
  const client = await Program.agent(
    [
      ...['--relay-out', `127.0.0.1:${middle.port}`, '--plugins', 'synthetic'],
      ...['--config-override', "plugins.relay-client.buffer_timeout = '20ms'"],
      ...['--config-override', 'plugins.synthetic.limit = 1000'],
    ],
    { cwd },
  );
  await eventually(
    'points at the end of the line',
    () => sequenceIn(textOf(join(cwd, 'out.csv'))).length === 1_000,
  );
  for (const agent of [client, middle, last]) {
    agent.kill('SIGTERM');
    t.equal(await agent.exited(), 0);
  }
  t.same([...sequenceIn(textOf(join(cwd, 'out.csv')))].sort(), expected(1_000, 10));
});

t.test(
  'a client whose retries are used up says so and ends with 1; one that goes on for ever ends when told',
  async (t) => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const cwd = folderWith();
    const retry = (more: string): string[] => [
      ...['--relay-out', `127.0.0.1:${port}`, '--plugins', 'system'],
      ...[
        '--config-override',
        `plugins.relay-client.retry = { initial_delay = '10ms', max_delay = '20ms', ${more} }`,
      ],
    ];
    const gaveUp = new Program(retry('max_times = 3'), { cwd });
    t.equal(await gaveUp.exited(), 1);
    t.match(
      gaveUp.stderr,
      /^relay-agent: relay-client\/tcp_client: expected a relay server at 127\.0\.0\.1:\d+, .*RELAY_GAVE_UP\)\n/m,
    );
    t.equal(
      gaveUp.log.filter(({ msg }) => msg === 'client.failed').length,
      4,
      'the first attempt and three retries',
    );

    const forever = await Program.agent(
      [...retry('forever = true'), '--config-override', "plugins.relay-client.drain_timeout = '100ms'"],
      { cwd },
    );
    await forever.logged('client.failed');
    forever.kill('SIGTERM');
    t.equal(await forever.exited(), 1, 'points were left');
    t.match(forever.stderr, /RELAY_LEFT_BEHIND/);

    const spooling = await Program.agent(
      [
        ...[...retry('forever = true'), '--config-override', "plugins.relay-client.drain_timeout = '100ms'"],
        ...['--config-override', "plugins.relay-client.spool_path = 'kept.spool'"],
      ],
      { cwd },
    );
    await spooling.logged('client.failed');
    spooling.kill('SIGTERM');
    t.equal(await spooling.exited(), 0, 'they are kept');
  },
);

t.test('a second signal cuts a stop short, with its code', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  t.teardown(() => silent.close());
  const client = await Program.agent(
    [
      ...['--relay-out', `127.0.0.1:${port}`, '--plugins', 'system'],
      ...[
        '--config-override',
        "plugins.relay-client.drain_timeout = '1h'",
        '--config-override',
        "shutdown_grace = '1h'",
      ],
    ],
    { cwd: folderWith() },
  );
  client.kill('SIGTERM');
  await client.logged('stopping');
  // one that comes too soon is taken for the first
  const again = setInterval(() => client.kill('SIGTERM'), 100);
  t.teardown(() => clearInterval(again));
  t.equal(await client.exited(), 143);
});

t.test('what the grace time does not suffice for is told, and the end is 1', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  t.teardown(() => silent.close());
  const client = await Program.agent(
    [
      ...['--relay-out', `127.0.0.1:${port}`, '--plugins', 'system'],
      ...['--config-override', "plugins.relay-client.drain_timeout = '1h'"],
      ...['--config-override', "shutdown_grace = '200ms'"],
    ],
    { cwd: folderWith() },
  );
  client.kill('SIGTERM');
  t.equal(await client.exited(), 1);
  t.match(
    client.stderr,
    /not everything could be written within shutdown_grace \(200 ms\): relay-client\/tcp_client/,
  );
});

const EXAMPLE = `[plugins.relay-client]
# The name that this client will use to identify itself to the collector server.
# If not specified, defaults to the hostname.
client_name = "$\{NODE_NAME}" # here we use the environment variable NODE_NAME

# The host and port of the server, for instance \`127.0.0.1:50051\`.
relay_server = "192.168.1.10:50051"

# Maximum number of elements to keep in the output buffer before sending it.
buffer_max_length = 200

# Maximum amount of time to wait before sending the measurements to the server.
buffer_timeout = "30s"

# Parameter of the exponential backoff strategy that is applied when a network operation fails.
# The delay is multiplied by two after each attempt.
[plugins.relay-client.retry]
# Maximum number of retries before giving up.
max_times = 5
# Initial delay between two attempts.
initial_delay = "1s"
# Maximum delay between two attempts.
max_delay = "10s"

[plugins.relay-server]
# Address to listen on.
address = "[::]:50051"

[plugins.socket-control]
socket_path = "alumet-control.sock"
`;

t.test('the example configuration of the documentation runs as it stands', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': EXAMPLE });
  // another test of this machine may have that port: only it is overridden
  const agent = await Program.server([], { cwd, environment: { NODE_NAME: 'node-7' } });
  t.same((await agent.logged('running')).plugins, ['relay-client', 'relay-server', 'socket-control']);
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 0);
});
