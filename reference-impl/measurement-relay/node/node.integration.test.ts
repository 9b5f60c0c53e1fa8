import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { eventually, Peer, within } from '../../port-relay/live.ts';
import type { ClientReport } from '../client-report.ts';
import type { Batch } from '../messages.ts';
import { MetricRegistry } from '../metrics.ts';
import { agentPoint, frame, GREET, metric, point, register, send, valuesOf } from '../testing/wire.ts';
import { type MeasurementClientOptions, openMeasurementClient } from './client.ts';
import { type ServeOptions, serveMeasurements } from './server.ts';

const HOST = '127.0.0.1';
const definition = {
  name: 'm0',
  valueType: 'U64',
  unit: { base: 'J', prefix: '' },
  description: '',
} as const;

/** What outlives a server: points, and the last batch of each spool. */
class Store {
  readonly values: number[] = [];
  readonly #last = new Map<string, number>();

  readonly deliver = async ({ points, origin }: Batch): Promise<boolean> => {
    this.values.push(...valuesOf(points));
    if (origin !== undefined) this.#last.set(`${origin.client} ${origin.spool}`, origin.batch);
    return true;
  };
  readonly lastStored = async (client: string, spool: string): Promise<number | undefined> =>
    this.#last.get(`${client} ${spool}`);
}

const serve = (options: Partial<ServeOptions> = {}) =>
  serveMeasurements({
    registry: new MetricRegistry(),
    deliver: () => true,
    ...options,
    listen: { host: HOST, port: 0, ...options.listen },
  });
const open = (port: number, options: Partial<MeasurementClientOptions> = {}) => {
  const registry = new MetricRegistry();
  registry.define(definition);
  return openMeasurementClient({ server: { host: HOST, port }, clientName: 'leaf', registry, ...options });
};

t.test('what is appended is stored by the time the client is closed', async (t) => {
  const store = new Store();
  const server = await serve(store);
  const client = open(server.port);
  for (let value = 0; value < 10_000; value++) client.append([agentPoint(value)]);
  t.equal(await client.close(), 0);
  t.same(
    store.values,
    Array.from({ length: 10_000 }, (_, i) => i),
  );
  t.match(client.counters, { received: 10_000, acknowledged: 10_000 });
  await server.close();
  t.match(server.counters, { stored: 10_000, acknowledged: 10_000, open: 0 });
});

t.test('a server that restarts on its port costs nothing and repeats nothing', async (t) => {
  const store = new Store();
  let server = await serve(store);
  const { port } = server;
  const retry = { maxTimes: 1_000, initialDelayMillis: 5, maxDelayMillis: 50 };
  const client = open(port, { retry, bufferMaxLength: 10, bufferTimeoutMillis: 20 });
  let value = 0;
  for (let restart = 0; restart < 4; restart++) {
    for (let i = 0; i < 95; i++) client.append([agentPoint(value++)]);
    await eventually('some of it is stored', () => store.values.length > 90 * restart);
    await server.close();
    for (let i = 0; i < 5; i++) client.append([agentPoint(value++)]);
    server = await serve({ ...store, listen: { port } });
  }
  t.equal(await client.close(), 0);
  t.same(
    store.values,
    Array.from({ length: 400 }, (_, i) => i),
  );
  await server.close();
});

t.test(
  'a client killed at any moment loses nothing that was appended, and nothing comes twice',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'killed-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const store = new Store();
    const server = await serve(store);
    const program = fileURLToPath(new URL('../testing/spooling-client.ts', import.meta.url));
    const taken: number[] = [];
    const run = async (first: number, lines: number): Promise<void> => {
      const args = [program, join(folder, 'spool'), String(server.port), String(first)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const printed: number[] = [];
      const enough = Promise.withResolvers<void>();
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (printed.push(Number(line)) === lines) enough.resolve();
      });
      await within(20_000, `${lines} points of ${first}`, enough.promise);
      child.kill('SIGKILL');
      await once(child, 'close');
      taken.push(...printed);
    };
    for (const [i, lines] of [30, 1].entries()) await run(1_000_000 * i, lines);
    await run(9_000_000, 200);
    const stored = (): Set<number> => new Set(store.values);
    // the last run brought over what the killed ones had left; what it left itself is still in its file
    await run(10_000_000, 60);
    await eventually('all of the earlier runs is stored', () =>
      taken.filter((value) => value < 9_000_000).every((value) => stored().has(value)),
    );
    t.equal(stored().size, store.values.length, 'nothing twice');
    await server.close();
  },
);

t.test('a port in use is an error that says so', async (t) => {
  const other = createServer().listen(0, HOST);
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await t.rejects(serve({ listen: { port } }), { code: 'LISTEN_FAILED', message: /in use/ });
  other.close();
});

t.test('giving up is told, and closing says what is left', async (t) => {
  const other = createServer().listen(0, HOST);
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  other.close();
  await once(other, 'close');
  const reports: ClientReport[] = [];
  const retry = { maxTimes: 2, initialDelayMillis: 1, maxDelayMillis: 1 };
  const client = open(port, { retry, report: (event) => reports.push(event) });
  client.append([agentPoint(1)]);
  t.match(await client.gaveUp, { why: 'retries used up', left: 1 });
  t.equal(reports.filter(({ type }) => type === 'client.dialing').length, 3);
  t.equal(await client.close(), 1);
});

t.test(
  'an idle connection, an aborted one and one that ends inside a frame leave nothing behind',
  async (t) => {
    const store = new Store();
    const server = await serve(store);
    const idle = await Peer.dial(server.port);
    const aborted = await Peer.dial(server.port);
    const cut = await Peer.dial(server.port);
    for (const peer of [idle, aborted, cut]) peer.socket.write(Buffer.from(frame(GREET)));
    await Promise.all([idle, aborted, cut].map((peer) => peer.bytes(20)));
    aborted.reset();
    cut.socket.end(Buffer.from(frame(send(point(1))).subarray(0, 20)));
    t.equal(await cut.over(), 'rst');
    await eventually('only the idle one is open', () => server.counters.open === 1);
    for (const content of [register(metric(0)), send(point(7))])
      idle.socket.write(Buffer.from(frame(content)));
    await eventually('it still works', () => store.values.length === 1);
    await server.close();
    t.equal(await idle.over(), 'rst', 'a client without acknowledgement is reset: its next write must fail');
  },
);

t.test('a slow store holds its client back instead of growing', async (t) => {
  const gates: (() => void)[] = [];
  const server = await serve({
    deliver: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.push(resolve);
      await promise;
      return true;
    },
  });
  const socket = connect({ port: server.port, host: HOST });
  socket.on('error', () => {});
  const points = Array.from({ length: 1_000 }, (_, i) => point(i));
  for (const content of [GREET, register(metric(0))]) socket.write(Buffer.from(frame(content)));
  const bytes = Buffer.from(frame(send(...points)));
  for (let i = 0; i < 1_000; i++) socket.write(bytes);
  await eventually('the store is asked', () => gates.length === 4);
  await eventually('reading has stopped', () => {
    const before = server.counters.bytes;
    return before > 0 && server.counters.undelivered === 4_000;
  });
  t.ok(
    server.counters.bytes < bytes.length * 50,
    `${server.counters.bytes} of ${bytes.length * 1_000} bytes were read`,
  );
  for (const gate of gates.splice(0)) gate();
  await eventually('it goes on', () => gates.length > 0);
  socket.resetAndDestroy();
  const closing = server.close();
  const open = setInterval(() => {
    for (const gate of gates.splice(0)) gate();
  }, 1);
  await closing;
  clearInterval(open);
  t.equal(server.counters.undelivered, 0);
});
