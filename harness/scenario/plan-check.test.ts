import t from 'tap';
import type { Site, Topology } from '../labs/topology.ts';
import { PRESETS } from '../nat/presets.ts';
import { planMistakes } from './plan-check.ts';
import type { Plan, Step } from './scenario.ts';

const CLIENT = {
  kind: 'script',
  to: 'relay',
  steps: [],
} as unknown as Site['actors'][number]['actor'];
const site = (name: string, who: string, actor = CLIENT): Site => ({
  name,
  nat: { name: 'home', value: PRESETS.home, note: '' },
  link: { name: 'clean', faults: [], note: '' },
  actors: [{ who, actor, watch: false }],
});
const SHAPE = { up: 100, down: 200, close: 'half' } as const;
const FINISH: Step = { do: 'finish', settleMillis: 1 };
const plan = (
  steps: readonly Step[],
  topology: Partial<Topology> = {},
  members: readonly string[] = [],
): Plan => ({
  topology: {
    relay: { exec: undefined, limits: {}, defect: undefined },
    sites: [site('home', 'home/a')],
    outside: [],
    keepaliveMillis: 0,
    ...topology,
  },
  fleets: [{ name: 'all', schedule: {} as never, members }],
  timeline: steps.map((step) => ({ when: 0, step })),
  users: { count: 0, thinkMillis: [1, 2], shape: () => SHAPE },
  goals: {},
  limitMillis: 60_000,
});

t.test('a plan that names only what it has is without mistakes', (t) => {
  const steps: readonly Step[] = [
    { do: 'stop', who: 'home/link' },
    { do: 'outage', millis: 1, text: '' },
    { do: 'tunnel', client: 'home/a', shape: SHAPE },
    { do: 'probe', client: 'home/a', clause: 'PORT-POOL-1', expects: 'served', shape: SHAPE },
    FINISH,
  ];
  t.same(planMistakes(plan(steps, {}, ['home/a'])), []);
  t.end();
});

for (const [what, wrong, says] of [
  [
    'site of a fault',
    plan([{ do: 'link', site: 'hme', fault: { kind: 'down' } as never, forMillis: 1, text: '' }, FINISH]),
    "step 1 (link): unknown site 'hme'; nearest: 'home'",
  ],
  [
    'client',
    plan([{ do: 'tunnel', client: 'home/b', shape: SHAPE }, FINISH]),
    "unknown client 'home/b'; nearest: 'home/a'",
  ],
  [
    'clause',
    plan([
      { do: 'probe', client: 'home/a', clause: 'PORT-POOL-01', expects: 'served', shape: SHAPE },
      FINISH,
    ]),
    "step 1 (probe): unknown clause 'PORT-POOL-01'; nearest: 'PORT-POOL-1'",
  ],
  [
    'server that is away',
    plan([{ do: 'outage', server: 'store', millis: 1, text: '' }, FINISH]),
    "unknown server 'store'; nearest: 'relay'",
  ],
  ['member of a fleet', plan([FINISH], {}, ['home/z']), "fleet all: unknown member 'home/z'"],
  ['end', plan([{ do: 'users', state: 'go' }]), "has no step 'finish'"],
  [
    'name of its own',
    plan([FINISH], { sites: [site('home', 'home/a'), site('far', 'home/a')] }),
    "two of them are called 'home/a'",
  ],
  [
    'site to stand at',
    plan([FINISH], { sites: [site('home', 'elsewhere/a')] }),
    "'elsewhere/a' stands at site 'home'",
  ],
  ['relay to speak with', plan([FINISH], { relay: undefined }), "home/a (script): unknown to 'relay'"],
] as const)
  t.test(`a plan without the ${what} it needs is told so`, (t) => {
    const [first = '', ...more] = planMistakes(wrong);
    t.ok(first.includes(says), first);
    t.same(more, []);
    t.end();
  });
