// A server besides the relay, in each lab: reached through the site's own link and NAT, killed and started again by its name.
import { PROFILES } from 'chaos-proxy';
import t from 'tap';
import type { CommandInput, NetInput, NetOutput } from '../../reference-impl/machine/machine.ts';
import { PRESETS } from '../nat/presets.ts';
import type { EventOf, TraceEvent } from '../trace/trace.ts';
import { chooseLab } from './choose.ts';
import { probeEngine } from './docker/engine.ts';
import type { Director, LabName, Order } from './lab.ts';
import type { Topology } from './topology.ts';

t.setTimeout(240_000);
const engine = await probeEngine(10_000);
const SOURCE = 'home/source';

const TOPOLOGY: Topology = {
  relay: { exec: undefined, limits: {}, defect: undefined },
  servers: [{ name: 'measurement', actor: { kind: 'sink' } }],
  sites: [
    {
      name: 'home',
      nat: { name: 'home', value: PRESETS.home, note: '' },
      link: { name: 'clean', faults: PROFILES.clean.faults, note: '' },
      actors: [{ who: SOURCE, actor: { kind: 'source', to: 'measurement' }, watch: false }],
    },
  ],
  outside: [],
  keepaliveMillis: 2_000,
};

/** Pushes, takes the server away, pushes again, and is done. */
const director = (): Director => {
  const push = (round: number): Order => ({
    do: 'tell',
    who: SOURCE,
    command: { do: 'push', round, bytes: 10_000 },
  });
  const outage = { kind: 'outage', server: 'measurement', millis: 300 } as const;
  const next = (input: NetInput | CommandInput<TraceEvent>): Order | undefined => {
    if (input.type === 'start') return push(1);
    if (input.type !== 'command') return undefined;
    const event = input.command;
    if (event.type === 'fault.ended') return push(2);
    if (event.type !== 'rate.sample') return undefined;
    return event.round === 1
      ? { do: 'fault', fault: 1, site: 'measurement', what: outage }
      : { do: 'finish', complete: true, why: 'both arrived' };
  };
  return {
    deadline: () => undefined,
    handle: (_now, input): readonly NetOutput<Order>[] => {
      const event = next(input);
      return event === undefined ? [] : [{ type: 'report', event }];
    },
  };
};

const run = async (name: LabName): Promise<readonly TraceEvent[]> => {
  const events: TraceEvent[] = [];
  const { lab } = await chooseLab(name);
  await lab.run(TOPOLOGY, director(), {
    seed: 1,
    sink: (event) => events.push(event),
    signal: AbortSignal.timeout(60_000),
    progress: () => {},
    keep: false,
  });
  return events;
};

for (const name of ['sim', 'local', 'docker'] as const) {
  const skip = name === 'docker' && !engine.ok ? engine.reason : false;
  t.test(
    `${name}: a server of another name comes back where it was, and the relay minds nothing`,
    { skip },
    async (t) => {
      const events = await run(name);
      const of = <Type extends TraceEvent['type']>(type: Type): readonly EventOf<Type>[] =>
        events.filter((event): event is EventOf<Type> => event.type === type);
      t.match(of('rate.sample'), [
        { who: 'measurement', round: 1 },
        { who: 'measurement', round: 2 },
      ]);
      const receipt = { fault: 1, kind: 'outage', site: 'measurement', text: /^measurement killed/ };
      t.match(of('fault.receipt'), [receipt]);
      const ready = of('host.ready').filter(({ who }) => who === 'measurement');
      t.equal(new Set(ready.map(({ port }) => port)).size, 1);
      t.equal(ready.length, 2);
      t.same(
        [...of('host.stopped'), ...of('host.crashed')].map(({ who }) => who),
        ['measurement'],
      );
      t.match(events.at(-1), { type: 'run.ended', complete: true });
    },
  );
}
