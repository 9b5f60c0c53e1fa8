import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { MeasurementServerSpec } from '../agents/measurement-spec.ts';
import { agentProgram, serverProgram } from './measurement-program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const GROUND = { node: '/bin/node', root: ROOT };
const SERVER: MeasurementServerSpec = {
  kind: 'measurement-server',
  acknowledge: true,
  keepaliveMillis: 2_000,
  storePointsPerSecond: 0,
  store: { sqlite: '{work}/points.sqlite' },
  coded: [],
  exec: undefined,
};
const program = (given: Partial<MeasurementServerSpec>) =>
  serverProgram({ ...SERVER, ...given }, '127.30.0.2', GROUND);

t.test(
  'our server is relay-agent with its database, unless its store is no database or is held back',
  async (t) => {
    const ours = program({});
    const argv = ours?.argv ?? [];
    t.equal(ours?.listens, true);
    t.ok(existsSync(argv[1] ?? ''), 'the program is there');
    t.ok(argv.includes('127.30.0.2:{port}'), 'the agent process gives the port');
    t.ok(argv.includes("plugins.sqlite.path='{work}/points.sqlite'"));
    t.equal(program({ store: 'memory' }), undefined);
    t.equal(program({ storePointsPerSecond: 100 }), undefined);
  },
);

t.test('the password of a database is in no argument', async (t) => {
  const store = { postgres: "postgres://me:s%40cr'et@db:5433/points?sslmode=verify-full" };
  const ours = program({ store });
  const line = ours?.argv.join(' ') ?? '';
  t.notMatch(line, /s@cr|s%40cr/);
  t.match(line, /url='postgres:\/\/me:\$\{(\w+)\}@db:5433\/points\?sslmode=verify-full'/);
  t.same(Object.values(ours?.env ?? {}), ['s%40cr%27et']);
  const theirs = program({ store, exec: ['./server', '{db}'] });
  t.same(theirs?.argv, ['./server', 'postgres://me@db:5433/points?sslmode=verify-full']);
  t.same(theirs?.env, { PGPASSWORD: "s@cr'et" });
});

t.test("somebody else's programs get what they ask for", async (t) => {
  const exec = ['/bin/sh', '-c', 'exec ./server {host} {port} {db} {other}'];
  const server = program({ exec });
  t.equal(server?.argv[2], 'exec ./server 127.30.0.2 {port} {work}/points.sqlite {other}');
  const csv = program({ exec: ['./server', '{host}', '{csv}', '{db}'], store: { csv: '{work}/points.csv' } });
  t.same(csv?.argv, ['./server', '127.30.0.2', '{work}/points.csv', '{db}']);
  const agent = agentProgram({
    kind: 'measurement-agent',
    agent: 'home-agent-01',
    server: { host: '127.0.0.1', port: 7 },
    source: { metrics: [], periodMillis: 1, pointsPerPoll: 1 },
    retry: { maxTimes: 1, initialDelayMillis: 1, maxDelayMillis: 1, jitter: 0 },
    ...{ bufferMaxLength: 1, bufferTimeoutMillis: 1, acknowledge: true, spoolBytesMax: 1 },
    ...{ keepaliveMillis: 1, startAfterMillis: 0, exec: ['./agent', '{host}:{port}', '{name}'] },
  });
  t.same(agent.argv, ['./agent', '127.0.0.1:7', 'home-agent-01']);
  t.equal(agent.listens, false);
});
