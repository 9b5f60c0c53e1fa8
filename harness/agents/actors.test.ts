import t from 'tap';
import { DEFAULT_SCHEDULE } from '../../reference-impl/backoff/schedule.ts';
import { connNames } from '../../reference-impl/drivers/node.ts';
import { Sim } from '../../reference-impl/drivers/sim.ts';
import type { Address } from '../../reference-impl/machine/machine.ts';
import { PRESETS } from '../nat/presets.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorSpec } from './actor-spec.ts';
import { makeActor } from './actors.ts';
import { order } from './testing/hand.ts';

const at = (host: string, port = 5000): Address => ({ host, port });
const CLIENT: Extract<ActorSpec<Address>, { kind: 'client' }> = {
  kind: 'client',
  mode: 'pool',
  relay: at('site/link'),
  service: at('site/service'),
  poolSize: 1,
  schedule: { ...DEFAULT_SCHEDULE, baseMillis: 100, triesMax: 100 },
  dialMillis: 1_000,
  keepaliveMillis: 2_000,
  startAfterMillis: 0,
};
const SPECS: Record<string, ActorSpec<Address>> = {
  relay: { kind: 'relay', port: 4000, limits: {}, defect: undefined },
  'site/nat': {
    kind: 'nat',
    doors: [{ target: 'relay', upstream: at('relay', 4000) }],
    publicHost: 'nat/site',
    nat: PRESETS.home,
    innerKeepaliveMillis: 2_000,
    outerKeepaliveMillis: 2_000,
  },
  'site/link': {
    kind: 'link',
    doors: [{ target: 'relay', upstream: at('site/nat') }],
    faults: [],
    keepaliveMillis: 2_000,
  },
  'site/service': { kind: 'service' },
  'site/client': CLIENT,
  users: { kind: 'users' },
  'users/sink': { kind: 'sink' },
  'site/source': { kind: 'source', to: at('users/sink') },
};

type World = {
  sim: Sim;
  said: (Happening & { who: string })[];
  of: (type: Happening['type']) => Happening[];
};
const world = (specs = SPECS): World => {
  const sim = new Sim({ seed: 1 });
  const said: World['said'] = [];
  for (const [who, spec] of Object.entries(specs)) {
    const machine = makeActor(spec, { name: sim.name, seed: 1, who, port: 5000 });
    const place = who.split('/')[0] ?? who;
    sim.add(who, machine, { place, report: (event) => said.push({ who, ...event }) });
  }
  return { sim, said, of: (type) => said.filter((event) => event.type === type) };
};
const portOf = ({ of }: World): number => {
  const event = of('client.registered')[0];
  return event?.type === 'client.registered' ? event.port : -1;
};

t.test('all actors together carry a tunnel through link and NAT, byte for byte', (t) => {
  for (const mode of ['pool', 'event', 'multiplex'] as const) {
    const all = world({ ...SPECS, 'site/client': { ...CLIENT, mode } });
    all.sim.run(1_000);
    for (const close of ['half', 'full'] as const)
      all.sim.tell('users', order({ to: at('relay', portOf(all)), mode, up: 70_000, down: 200_000, close }));
    all.sim.run(5_000);
    const whole = { type: 'tunnel.done', gotEnd: 'fin', sentEnd: 'fin' };
    t.match(all.of('tunnel.done'), [
      { ...whole, received: Number },
      { ...whole, received: Number },
      { ...whole, received: Number },
      { ...whole, received: Number },
    ]);
    t.equal(all.of('ledger.span').length, 0, `${mode}: nothing wrong in either direction`);
  }
  t.end();
});

t.test('a forwarder is a client of its own kind, and a direct push is measured', (t) => {
  const forwarder: ActorSpec<Address> = {
    kind: 'forwarder',
    relay: at('site/link'),
    service: at('site/service'),
  };
  const all = world({ ...SPECS, 'site/client': forwarder });
  all.sim.tell('site/source', { do: 'push', round: 1, bytes: 100_000 });
  all.sim.run(2_000);
  t.ok(portOf(all) > 0);
  t.match(all.of('rate.sample'), [{ path: 'direct', round: 1, bytes: 100_000 }]);
  t.end();
});

t.test('a NAT told to reboot and a link told to reset leave receipts, and the client comes back', (t) => {
  const all = world();
  all.sim.run(1_000);
  all.sim.tell('site/nat', { do: 'nat', fault: 1, event: { kind: 'reboot', downMillis: 100 } });
  all.sim.run(10_000);
  all.sim.tell('site/link', {
    do: 'link',
    fault: 2,
    what: { kind: 'reset', selector: { every: 1 } },
    forMillis: 300,
  });
  all.sim.run(20_000);
  const receipts = all.of('fault.receipt');
  t.match(receipts, [
    { fault: 1, kind: 'nat reboot', site: 'site' },
    { fault: 2, kind: 'link reset', site: 'site' },
  ]);
  t.ok(receipts.every((event) => event.type === 'fault.receipt' && event.effects > 0));
  const last = all.said.findLast(
    (event) => event.type === 'client.registered' || event.type === 'client.lost',
  );
  t.equal(last?.type, 'client.registered');
  t.end();
});

t.test('a relay says what judges need and keeps its other words', (t) => {
  const all = world();
  all.sim.run(1_000);
  const types = new Set(all.said.filter(({ who }) => who === 'relay').map(({ type }) => type));
  t.same([...types], ['host.ready', 'relay.registered']);
  const taken = makeActor(SPECS.relay as ActorSpec<Address>, {
    name: connNames(),
    seed: 1,
    who: 'relay',
    port: 0,
  });
  taken.handle(0, { type: 'start' });
  const out = taken.handle(0, { type: 'unlistened', listener: 0, why: 'in use' });
  t.match(
    out.filter(({ type }) => type === 'report'),
    [{ event: { type: 'host.crashed', reason: /4000.*in use/ } }],
  );
  t.end();
});

t.test('ids of a simulated relay are drawn from seed and name: the same again, others for another', (t) => {
  const id = (seed: number, who: string): string => {
    const sim = new Sim({ seed });
    let heard = '';
    sim.add('relay', makeActor(SPECS.relay as ActorSpec<Address>, { name: sim.name, seed, who, port: 0 }));
    const raw: ActorSpec<Address> = {
      kind: 'script',
      to: at('relay', 4000),
      steps: [
        { do: 'dial', conn: 'c' },
        { do: 'send', conn: 'c', text: 'pool\nnew\n' },
      ],
    };
    sim.add('raw', makeActor(raw, { name: sim.name, seed, who: 'raw', port: 0 }), {
      watch: {
        opened: () => {},
        connected: () => {},
        bytes: (_conn, dir, bytes) => {
          if (dir === 'in') heard += Buffer.from(bytes).toString();
        },
        ended: () => {},
        reset: () => {},
        closed: () => {},
      },
    });
    sim.run(1_000);
    return heard.split('\n')[1] ?? '';
  };
  t.match(id(1, 'relay'), /^[0-9A-F]{10}$/);
  t.equal(id(1, 'relay'), id(1, 'relay'));
  t.equal(new Set([id(1, 'relay'), id(2, 'relay'), id(1, 'relay@500')]).size, 3);
  t.end();
});

t.test('what no machine can play is refused by name', (t) => {
  const make = (spec: unknown) => () =>
    makeActor(spec as ActorSpec<Address>, { name: connNames(), seed: 1, who: 'home/x', port: 0 });
  t.throws(make({ kind: 'program', argv: [], env: {}, host: '', listens: false }), /home\/x: a program/);
  t.throws(make({ kind: 'wizard' }), /home\/x: no actor is called "wizard"/);
  t.throws(make({ kind: 'relay', port: 1, limits: {}, defect: 'nonsense' }), /no defect is called nonsense/);
  t.end();
});
