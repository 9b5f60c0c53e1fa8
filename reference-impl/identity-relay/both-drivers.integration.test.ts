import { once } from 'node:events';
import t from 'tap';
import { DEFAULT_SCHEDULE } from '../backoff/schedule.ts';
import { Sim } from '../drivers/sim.ts';
import type { Address, NameConn } from '../machine/machine.ts';
import { rngFor } from '../machine/rng.ts';
import { chanceFrom } from './chance.ts';
import { IdentityNodeMachine } from './client/node-machine.ts';
import type { NodeCommand, NodeReport } from './client/node-report.ts';
import { identityOf } from './crypto.ts';
import { connectToRelay } from './node/library.ts';
import { IdentityRelayMachine } from './relay/relay-machine.ts';
import type { RelayReport } from './relay/relay-report.ts';
import { eventually, openRelay, within } from './testing/live.ts';

const SIZES = [0, 1, 1_000, 65_536, 786_432];
const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
const identity = (seed: number) => identityOf(new Uint8Array(32).fill(seed));
const [RELAY, A, B] = [identity(1), identity(2), identity(3)];
const chance = (name: string) => {
  const rng = rngFor(1, name);
  return chanceFrom((length) => Uint8Array.from({ length }, () => rng.below(256)));
};
const relayOf = (): IdentityRelayMachine =>
  new IdentityRelayMachine({ port: 0, identity: RELAY, chance: () => chance('relay') });
const nodeOf = (who: typeof A, relay: Address, name: NameConn, listen: boolean): IdentityNodeMachine =>
  new IdentityNodeMachine({
    relay,
    relayKey: RELAY.publicKey,
    identity: who,
    listen,
    acceptAll: true,
    schedule: DEFAULT_SCHEDULE,
    rng: rngFor(1, 'jitter'),
    chance: chance(listen ? 'a' : 'b'),
    name,
  });

type Tell = (command: NodeCommand) => void;
/** Sends every message back, and says what happened in words. */
const echo = (tell: Tell, story: string[]) => (event: NodeReport) => {
  if (event.type === 'node.message') tell({ type: 'send', tunnel: event.tunnel, bytes: event.bytes });
  if (event.type === 'node.tunnel') story.push(`a: ${event.role}`);
  if (event.type === 'node.closed') story.push(`a: ${event.why}`);
};
/** Sends messages of every size, compares what comes back, then leaves. */
const ask = (tell: Tell, story: string[], done: () => void) => {
  let answered = 0;
  return (event: NodeReport): void => {
    if (event.type === 'node.tunnel') {
      story.push(`b: ${event.role}`);
      for (const size of SIZES) tell({ type: 'send', tunnel: event.tunnel, bytes: pattern(size) });
    }
    if (event.type === 'node.message') {
      const intact = Buffer.from(event.bytes).equals(pattern(SIZES[answered++] as number));
      story.push(`b: ${event.bytes.length} ${intact ? 'intact' : 'broken'}`);
      if (answered === SIZES.length) tell({ type: 'end', tunnel: event.tunnel });
    }
    if (event.type === 'node.closed') {
      story.push(`b: ${event.why}`);
      done();
    }
  };
};
const WANTED = [
  'a: acceptor',
  'a: left',
  'b: connector',
  ...SIZES.map((size) => `b: ${size} intact`),
  'b: ended',
].sort();

t.test('two nodes meet through the relay in the simulator, the same each time', async (t) => {
  const run = (): { story: string[]; events: number } => {
    const sim = new Sim({ seed: 1 });
    const story: string[] = [];
    let port = 0;
    sim.add('relay', relayOf(), {
      report: (event: RelayReport) => {
        if (event.type === 'strelay.listening') port = event.port;
      },
    });
    sim.run(1);
    const relay = { host: 'relay', port };
    sim.add('a', nodeOf(A, relay, sim.name, true), {
      report: echo((command) => sim.tell('a', command), story),
    });
    sim.run(1_000);
    sim.add('b', nodeOf(B, relay, sim.name, false), {
      report: ask(
        (command) => sim.tell('b', command),
        story,
        () => {},
      ),
    });
    sim.tell('b', { type: 'connect', tunnel: sim.name(), peer: A.publicKey });
    sim.run(20_000);
    t.same(sim.audit('b'), { conns: 0, listeners: 0, streams: 0, heldBytes: 0 }, 'nothing is left of b');
    t.equal(sim.audit('relay').conns, 1, 'a still listens');
    sim.run(3_000_000);
    t.equal(sim.audit('relay').conns, 1, 'and does so an hour later');
    return { story: story.sort(), events: sim.events };
  };
  const first = run();
  t.same(first.story, WANTED);
  t.same(run(), first);
});

t.test('and over real sockets', async (t) => {
  const live = await openRelay();
  const relay = { host: '127.0.0.1', port: live.port };
  const relayKey = live.identity.publicKey;
  const a = connectToRelay({ relay, relayKey, identity: A });
  const story: string[] = [];
  const left = Promise.withResolvers<void>();
  a.on('tunnel', (tunnel) => {
    story.push(`a: ${tunnel.role}`);
    tunnel.on('message', (bytes) => tunnel.send(bytes));
    tunnel.on('close', (why) => {
      story.push(`a: ${why}`);
      left.resolve();
    });
  });
  await within(5_000, 'a listens', once(a, 'listening'));
  await eventually('the relay knows a', () => live.machine.stats().listeners === 1);
  const b = connectToRelay({ relay, relayKey, identity: B, listen: false });
  const tunnel = await within(5_000, 'a tunnel', b.connect(a.publicKey));
  story.push(`b: ${tunnel.role}`);
  let answered = 0;
  tunnel.on('message', (bytes) => {
    const intact = Buffer.from(bytes).equals(pattern(SIZES[answered++] as number));
    story.push(`b: ${bytes.length} ${intact ? 'intact' : 'broken'}`);
    if (answered === SIZES.length) tunnel.end();
  });
  for (const size of SIZES) tunnel.send(pattern(size));
  story.push(`b: ${await within(10_000, 'the end', tunnel.closed)}`);
  await within(5_000, 'a hears of it', left.promise);
  t.same(story.sort(), WANTED);
  await Promise.all([a.close(), b.close()]);
  live.driver.stop();
  await within(5_000, 'the relay is idle', live.driver.whenIdle());
  t.same(live.reports.at(-1), { type: 'strelay.drained' });
  live.driver.destroy();
});
