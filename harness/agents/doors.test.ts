import t from 'tap';
import { connNames } from '../../reference-impl/drivers/node.ts';
import { Sim } from '../../reference-impl/drivers/sim.ts';
import type { Address } from '../../reference-impl/machine/machine.ts';
import { PRESETS } from '../nat/presets.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorSpec, Door } from './actor-spec.ts';
import { makeActor } from './actors.ts';
import { Hand, told, words } from './testing/hand.ts';

const at = (host: string, port = 5000): Address => ({ host, port });
const door = (target: string, upstream: Address): Door<Address> => ({ target, upstream });
const link = (doors: readonly Door<Address>[]): ActorSpec<Address> => ({
  kind: 'link',
  doors,
  faults: [],
  keepaliveMillis: 2_000,
});
const DOORS = [door('relay', at('relay', 4000)), door('measurement', at('measurement'))];
const hand = (doors = DOORS, port = 0): Hand =>
  new Hand((name) => makeActor(link(doors), { name, seed: 1, who: 'home/link', port }));

t.test('is ready once every door is open, in whatever order they open', (t) => {
  const one = hand();
  t.same(words(one.feed(0, { type: 'start' })), ['listen', 'listen']);
  t.same(told(one.feed(0, { type: 'listening', listener: 100, port: 71 })), []);
  t.same(told(one.feed(0, { type: 'listening', listener: 1, port: 70 })), [
    { type: 'host.door', target: 'measurement', port: 71 },
    { type: 'host.ready', port: 70 },
  ]);
  const two = hand(DOORS, 5000);
  const ports = two.feed(0, { type: 'start' }).map((output) => output.type === 'listen' && output.port);
  t.same(ports, [5000, 5001], 'a given port is that of the first');
  t.same(told(two.feed(0, { type: 'listening', listener: 1, port: 5000 })), []);
  t.equal(told(two.feed(0, { type: 'listening', listener: 100, port: 5001 })).length, 2);
  t.same(words(two.feed(1, { type: 'stop' })), ['unlisten', 'unlisten', 'host.stopped']);
  t.end();
});

t.test('a door that cannot be opened is told with its target; a way out that has none is refused', (t) => {
  const taken = hand().feed(0, { type: 'unlistened', listener: 100, why: 'in use' });
  t.same(told(taken), [{ type: 'host.crashed', reason: 'cannot listen for measurement: in use' }]);
  const make = () => makeActor(link([]), { name: connNames(), seed: 1, who: 'home/link', port: 0 });
  t.throws(make, /without a door/);
  t.end();
});

/** A site with a source for each of two sinks outside, all of it through one link and one NAT. */
const world = () => {
  const sim = new Sim({ seed: 1 });
  const said: (Happening & { who: string })[] = [];
  const targets = ['one', 'two'];
  const through = (host: string): readonly Door<Address>[] =>
    targets.map((target, index) => door(target, at(host, 5000 + index)));
  const specs: Record<string, ActorSpec<Address>> = {
    one: { kind: 'sink' },
    two: { kind: 'sink' },
    'home/nat': {
      kind: 'nat',
      doors: targets.map((target) => door(target, at(target))),
      publicHost: 'nat/home',
      nat: PRESETS.home,
      innerKeepaliveMillis: 2_000,
      outerKeepaliveMillis: 2_000,
    },
    'home/link': link(through('home/nat')),
    'home/source-one': { kind: 'source', to: at('home/link', 5000) },
    'home/source-two': { kind: 'source', to: at('home/link', 5001) },
  };
  for (const [who, spec] of Object.entries(specs)) {
    const machine = makeActor(spec, { name: sim.name, seed: 1, who, port: 5000 });
    const place = who.split('/')[0] ?? who;
    sim.add(who, machine, { place, report: (event) => said.push({ who, ...(event as Happening) }) });
  }
  return { sim, said };
};

t.test('every door leads to its own target, and one NAT and one link see it all', (t) => {
  const { sim, said } = world();
  for (const source of ['one', 'two'])
    sim.tell(`home/source-${source}`, { do: 'push', round: 1, bytes: 10_000 });
  sim.run(1_000);
  t.same(
    said
      .filter(({ type }) => type === 'rate.sample')
      .map(({ who }) => who)
      .sort(),
    ['one', 'two'],
  );
  t.equal(said.filter(({ type }) => type === 'nat.mapped').length, 2, 'one table');
  t.end();
});

t.test('a reboot and a cut meet every door', (t) => {
  for (const [who, command] of [
    ['home/nat', { do: 'nat', fault: 1, event: { kind: 'reboot', downMillis: 100 } }],
    ['home/link', { do: 'link', fault: 1, what: { kind: 'reset', selector: { every: 1 } }, forMillis: 100 }],
  ] as const) {
    const { sim, said } = world();
    for (const source of ['one', 'two'])
      sim.tell(`home/source-${source}`, { do: 'push', round: 1, bytes: 500_000_000 });
    sim.run(20);
    sim.tell(who, command);
    sim.run(1_000);
    t.match(
      said.filter(({ type }) => type === 'fault.receipt'),
      [{ fault: 1, effects: 2 }],
      who,
    );
  }
  t.end();
});
