import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import type { MeasurementServerSpec } from '../agents/measurement-spec.ts';
import { Databases } from './databases.ts';
import { LabError } from './lab.ts';
import type { Topology } from './topology.ts';

const LOCAL = { network: true, files: true };
const NETNS = { network: false, files: true };
const DOCKER = { network: false, files: false };
const NEVER = new AbortController().signal;

const storing = (store: MeasurementServerSpec['store']): Topology => ({
  relay: undefined,
  servers: [
    {
      name: 'measurement',
      actor: {
        ...{ kind: 'measurement-server', acknowledge: true, keepaliveMillis: 2_000, storePointsPerSecond: 0 },
        ...{ store, coded: [], exec: undefined },
      },
    },
    { name: 'sink', actor: { kind: 'sink' } },
  ],
  sites: [],
  outside: [],
  keepaliveMillis: 2_000,
});

const carried = (t: Test, topology: Topology, shares: typeof LOCAL): Databases => {
  const databases = new Databases(topology, shares);
  t.teardown(() => databases.close());
  return databases;
};

t.test('hosts that reach the database are told its own address', async (t) => {
  const topology = storing({ postgres: 'postgres://u:p@h/d' });
  t.equal(carried(t, topology, LOCAL).topology, topology);
  for (const store of ['memory', { sqlite: '{work}/points.sqlite' }] as const)
    t.equal(carried(t, storing(store), DOCKER).topology.servers?.[0]?.sees, undefined);
});

t.test('others have it as a socket in a folder that only they see, until it is over', async (t) => {
  for (const shares of [NETNS, DOCKER]) {
    const databases = carried(t, storing({ postgres: 'postgres://u:p@127.0.0.1/d' }), shares);
    const [server, sink] = databases.topology.servers ?? [];
    const [folder = ''] = server?.sees ?? [];
    t.ok(existsSync(folder));
    t.match(server?.actor, { store: { postgres: `postgres://u:p@${encodeURIComponent(folder)}:5432/d` } });
    t.equal(sink?.sees, undefined);
    t.ok(databases.carries);
    await databases.close();
    t.notOk(existsSync(folder));
  }
});

t.test('a file of this machine is refused where hosts cannot write it', async (t) => {
  const topology = storing({ sqlite: './points.sqlite' });
  t.throws(() => new Databases(topology, DOCKER), LabError);
  t.equal(carried(t, topology, NETNS).topology, topology);
});

t.test('a database that does not answer is told before anything starts, without its password', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };
  const url = `postgres://u:secret@127.0.0.1:${port}/d`;
  await carried(t, storing({ postgres: url }), LOCAL).open(NEVER);
  await new Promise((resolve) => taken.close(resolve));
  const away = carried(t, storing({ postgres: url }), LOCAL).open(NEVER);
  await t.rejects(away, { name: 'LabError', message: `no database at 127.0.0.1:${port}: ECONNREFUSED` });
  const tls = storing({ postgres: `${url}?sslmode=require` });
  t.throws(() => new Databases(tls, NETNS), { name: 'LabError', message: /sslmode=require.*TLS/ });
});
