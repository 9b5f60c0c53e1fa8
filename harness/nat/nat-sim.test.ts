/** The machine under virtual time: a client that idles behind a NAT of 60 s, and who notices when. */
import t from 'tap';
import { Sim } from '../../reference-impl/drivers/sim.ts';
import { Script } from '../../reference-impl/drivers/sim-script.ts';
import type { Conn, Millis } from '../../reference-impl/machine/machine.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { Nat } from './nat.ts';
import { NatMachine } from './nat-machine.ts';
import type { NatCommand, NatReport } from './nat-report.ts';
import { PRESETS } from './presets.ts';

const NAT: Nat = { ...PRESETS.home, idle: { establishedMillis: 60_000, notify: 'silent' } };

const site = (nat: Nat, keepaliveMillis: Millis) => {
  const sim = new Sim({ seed: 3 });
  const events: string[] = [];
  const relay = new Script((input) =>
    input.type === 'start' ? [{ type: 'listen', listener: 1, port: 80, host: undefined }] : undefined,
  );
  const client = new Script();
  const machine = new NatMachine({
    listen: { host: undefined, port: 7 },
    upstream: { host: 'relay', port: 80 },
    publicHost: 'public',
    nat,
    rng: rngFor(sim.seed, 'nat'),
    name: sim.name,
    innerKeepaliveMillis: keepaliveMillis,
    outerKeepaliveMillis: keepaliveMillis,
  });
  const report = ({ type, ...rest }: NatReport, now: Millis): void => {
    events.push([now, type, ...Object.values(rest)].join(' '));
  };
  sim.add('relay', relay);
  sim.add('nat', machine, { report, bind: 'public' });
  sim.add('client', client);
  sim.run(10);
  const conn = sim.name();
  sim.tell('client', [
    { type: 'connect', conn, to: { host: 'nat', port: 7 }, from: { host: 'client', port: 5_000 } },
  ]);
  sim.run(100);
  const accepted = relay.heard.map(({ input }) => input).find((input) => input.type === 'accepted');
  const say = (host: string, on: Conn): void =>
    sim.tell(host, [{ type: 'send', conn: on, bytes: new Uint8Array(5) }]);
  return { sim, relay, client, conn, events, accepted, say };
};

t.test('the relay sees the public address and the kept port', async (t) => {
  const { accepted } = site(NAT, 0);
  t.match(accepted, { from: { host: 'public', port: 5_000 } });
});

t.test('a user of an expired mapping waits until both ends notice at their keepalive time', async (t) => {
  const { sim, client, relay, accepted, events, say } = site(NAT, 75_000);
  sim.run(70_000);
  if (accepted?.type === 'accepted') say('relay', accepted.conn);
  sim.run(200_000);
  t.match(events[2], /^60\d\d\d nat\.expired \d+ 60000$/);
  t.match(events.slice(3), [
    /^75\d\d\d nat\.noticed \d+ inner keepalive$/,
    /^75\d\d\d nat\.noticed \d+ outer keepalive$/,
  ]);
  t.match(client.lines.at(-1), /^75\d\d\d closed \d+ reset/);
  t.match(relay.lines.at(-1), /^75\d\d\d closed \d+ reset/);
});

t.test('a keepalive below the timeout cures it', async (t) => {
  const { sim, client, conn, accepted, say } = site(NAT, 45_000);
  sim.run(100_000);
  if (accepted?.type === 'accepted') say('relay', accepted.conn);
  sim.run(100_500);
  t.equal(client.bytes(conn), 5);
});

t.test('what is said during a flap arrives after it', async (t) => {
  const { sim, client, conn, accepted, events, say } = site(NAT, 0);
  sim.tell('nat', { do: 'flap', id: 1, millis: 2_000 } satisfies NatCommand);
  sim.run(200);
  if (accepted?.type === 'accepted') say('relay', accepted.conn);
  sim.run(2_000);
  t.equal(client.bytes(conn), 0);
  sim.run(2_200);
  t.equal(client.bytes(conn), 5);
  t.match(events.at(-1), /nat\.receipt 1 flap 1 1 connection stalled, down 2 s/);
});

t.test('a mebibyte each way arrives whole through the back-pressure', async (t) => {
  const { sim, client, relay, conn, accepted } = site(NAT, 0);
  if (accepted?.type !== 'accepted') throw new Error('nobody came');
  const chunk = new Uint8Array(1 << 20);
  sim.tell('client', [
    { type: 'send', conn, bytes: chunk },
    { type: 'end', conn },
  ]);
  sim.tell('relay', [
    { type: 'send', conn: accepted.conn, bytes: chunk },
    { type: 'end', conn: accepted.conn },
  ]);
  sim.run(50_000);
  t.equal(relay.bytes(accepted.conn), 1 << 20);
  t.equal(client.bytes(conn), 1 << 20);
  t.strictSame(
    sim.audit('nat'),
    { conns: 0, listeners: 1, streams: 0, heldBytes: 0 },
    'nothing is left in the NAT',
  );
});
