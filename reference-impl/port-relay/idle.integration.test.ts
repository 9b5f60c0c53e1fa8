/** The relay's idle time: tunnels without a byte are reset, whatever half of them is closed; what waits for a user is not. */
import t from 'tap';
import { Sim } from '../drivers/sim.ts';
import { Script } from '../drivers/sim-script.ts';
import { rngFor } from '../machine/rng.ts';
import { PLAIN } from './client/client-cases.ts';
import type { ClientReport } from './client/client-report.ts';
import { EventClient } from './client/event-client.ts';
import { MultiplexClient } from './client/multiplex-client.ts';
import { PoolClient } from './client/pool-client.ts';
import { openEvent, openMultiplex, openPool } from './library.ts';
import { eventually, openRelay, openService, Peer, within } from './live.ts';
import { RelayMachine } from './relay/relay-machine.ts';
import type { RelayMode } from './relay/relay-report.ts';

const OPEN = { pool: openPool, event: openEvent, multiplex: openMultiplex } as const;
const CLIENTS = { pool: PoolClient, event: EventClient, multiplex: MultiplexClient } as const;
const MODES = ['pool', 'event', 'multiplex'] as const;

for (const mode of MODES) {
  t.test(`${mode} over sockets: the silent and the half closed go, registration and pool stay`, async (t) => {
    const served: Peer[] = [];
    const service = await openService((peer) => served.push(peer));
    const relay = await openRelay({ idleMillis: 400 });
    const client = OPEN[mode]({
      relay: { host: '127.0.0.1', port: relay.port },
      service: { host: '127.0.0.1', port: service.port },
      idleMillis: 400,
    });
    const port = await within(5_000, 'a port', client.port);
    for (const halfClosed of [false, true]) {
      served.length = 0;
      const user = await Peer.say(port, 'q');
      await eventually('the service is dialled', () => served.length === 1);
      const [peer] = served as [Peer];
      await peer.bytes(1);
      if (halfClosed) {
        user.socket.end();
        t.equal(await peer.over(), 'fin');
        peer.socket.write('a');
        await user.bytes(1);
      }
      t.equal(await user.over(), 'rst');
      await eventually('the service hears of it', () => {
        // a socket that has read a FIN notices an RST when it writes
        if (halfClosed && relay.machine.stats().tunnels === 0) peer.socket.write('?');
        return peer.socket.destroyed;
      });
    }
    await eventually('no tunnel is left', () => relay.machine.stats().tunnels === 0);
    t.equal(relay.machine.stats().registrations[mode], 1);
    if (mode === 'pool') {
      await eventually('the pool is full', () => relay.machine.stats().pooled === 4);
    }
    service.server.close();
    await within(5_000, 'the client has no tunnel to wait for', client.close());
    relay.driver.destroy();
  });
}

const IDLE = 60_000;

/** A relay with an idle time, a client, a service that listens, and a user who comes at 1,000 ms and says one byte. */
const world = (mode: RelayMode) => {
  const sim = new Sim({ seed: 1 });
  let ids = 0;
  const newId = (): string => `ID${++ids}`;
  const limits = { idleMillis: IDLE };
  const relay = new RelayMachine({ port: 9000, limits, newId, name: sim.name, publicPorts: undefined });
  sim.add('relay', relay);
  const service = new Script((input) =>
    input.type === 'start' ? [{ type: 'listen', listener: 1, port: 80, host: undefined }] : undefined,
  );
  sim.add('service', service, { place: 'site' });
  let port = 0;
  const client = new CLIENTS[mode]({
    relay: { host: 'relay', port: 9000 },
    service: { host: 'service', port: 80 },
    poolSize: 1,
    schedule: PLAIN,
    rng: rngFor(1, 'client'),
    name: sim.name,
    dialMillis: 10_000,
    keepaliveMillis: 30_000,
    startAfterMillis: 0,
  });
  sim.add('client', client, {
    place: 'site',
    report: (event: ClientReport) => {
      if (event.type === 'client.registered') port = event.port;
    },
  });
  const user = new Script();
  sim.add('user', user);
  sim.run(1_000);
  const conn = sim.name();
  sim.tell('user', [
    { type: 'connect', conn, to: { host: 'relay', port }, from: undefined },
    { type: 'send', conn, bytes: Uint8Array.of(113) },
  ]);
  sim.run(2_000);
  const end = (script: Script) =>
    script.heard.flatMap(({ at, input }) => (input.type === 'closed' ? [{ at, why: input.why }] : []));
  return { sim, relay, user, service, conn, end };
};

for (const mode of MODES) {
  t.test(`${mode} in virtual time: reset after the idle time, half closed or not`, async (t) => {
    for (const halfClosed of [false, true]) {
      const { sim, relay, user, service, conn, end } = world(mode);
      if (halfClosed) sim.tell('user', [{ type: 'end', conn }]);
      sim.run(IDLE);
      t.equal(relay.stats().tunnels, 1);
      sim.run(2_000 + 1.25 * IDLE);
      t.match(end(user), [{ why: 'reset' }]);
      t.match(end(service), [{ why: 'reset' }]);
      t.match(relay.stats(), { tunnels: 0, registrations: { [mode]: 1 } });
    }
  });

  t.test(`${mode} in virtual time: one byte a second keeps a half-closed tunnel`, async (t) => {
    const { sim, relay, user, service, conn, end } = world(mode);
    const served = service.heard.flatMap(({ input }) => (input.type === 'accepted' ? [input.conn] : []))[0];
    sim.tell('user', [{ type: 'end', conn }]);
    for (let at = 3_000; at <= 10 * IDLE; at += 1_000)
      sim.at(at, () =>
        sim.tell('service', [{ type: 'send', conn: served as number, bytes: Uint8Array.of(97) }]),
      );
    sim.run(10 * IDLE + 100);
    t.equal(relay.stats().tunnels, 1);
    t.equal(user.bytes(conn), 10 * 60 - 2);
    t.strictSame(end(user), []);
  });
}
