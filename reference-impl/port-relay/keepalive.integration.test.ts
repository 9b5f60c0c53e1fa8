/** A relay and its multiplex client notice a peer that fell silent: within the keepalive and the time a pong may take. */
import t from 'tap';
import { Sim } from '../drivers/sim.ts';
import { rngFor } from '../machine/rng.ts';
import { PLAIN } from './client/client-cases.ts';
import type { ClientReport } from './client/client-report.ts';
import { MultiplexClient } from './client/multiplex-client.ts';
import { eventually, openRelay, Peer } from './live.ts';
import { RelayMachine } from './relay/relay-machine.ts';
import type { RelayReport } from './relay/relay-report.ts';

const KEEPALIVE = 20_000;
const PONG = 5_000;

t.test('a cut is noticed on both sides in virtual time', async (t) => {
  const sim = new Sim({ seed: 1, yamux: { pongMillis: PONG } });
  const reports: { readonly at: number; readonly event: RelayReport | ClientReport }[] = [];
  const report = (event: RelayReport | ClientReport, at: number): number => reports.push({ at, event });
  const at = (type: string): readonly number[] =>
    reports.filter(({ event }) => event.type === type).map((found) => found.at);
  const limits = { keepaliveMillis: KEEPALIVE };
  const relay = new RelayMachine({
    port: 9000,
    limits,
    newId: () => 'ID',
    name: sim.name,
    publicPorts: undefined,
  });
  sim.add('relay', relay, { report });
  const client = new MultiplexClient({
    relay: { host: 'relay', port: 9000 },
    service: { host: 'client', port: 9000 },
    poolSize: 1,
    schedule: PLAIN,
    rng: rngFor(1, 'client'),
    name: sim.name,
    dialMillis: 10_000,
    keepaliveMillis: KEEPALIVE,
    startAfterMillis: 0,
  });
  sim.add('client', client, { place: 'site', report });
  sim.run(10 * KEEPALIVE);
  t.strictSame(at('client.registered').length, 1);
  t.strictSame(at('client.lost'), [], 'pings are answered');
  const cutAt = sim.now;
  sim.cut('site');
  sim.run(cutAt + KEEPALIVE + PONG + 10);
  t.equal(at('relay.unregistered').length, 1, 'the relay has closed the port');
  t.ok(at('client.lost').length > 0, 'the client dials again');
  t.equal(relay.stats().registrations.multiplex, 0);
  sim.restore('site');
  sim.run(sim.now + 60_000);
  t.equal(relay.stats().registrations.multiplex, 1, 'and is back');
});

t.test('a client that never answers a ping loses its port; one that does keeps it', async (t) => {
  const relay = await openRelay({ keepaliveMillis: 150 }, undefined, { yamux: { pongMillis: 300 } });
  const silent = await Peer.say(relay.port, 'multiplex\n');
  const lost = Number(await silent.line());
  const alive = await Peer.say(relay.port, 'multiplex\n');
  const kept = Number(await alive.line());
  let pings = 0;
  alive.socket.on('data', (bytes: Buffer) => {
    for (let i = 0; i + 12 <= bytes.length; i += 12) {
      if (bytes.readUInt32BE(i) !== 0x0002_0001) continue;
      const pong = Buffer.from(bytes.subarray(i, i + 12));
      pong.writeUInt16BE(2, 2);
      alive.socket.write(pong);
      pings++;
    }
  });
  await eventually('the silent one is lost', () => relay.machine.stats().registrations.multiplex === 1);
  t.match(
    relay.reports.find(({ type }) => type === 'relay.unregistered'),
    { port: lost, why: 'session failed' },
  );
  await eventually('more pings are answered', () => pings >= 5);
  t.notOk(relay.reports.some((report) => report.type === 'relay.unregistered' && report.port === kept));
  silent.reset();
  alive.reset();
  relay.driver.destroy();
});
