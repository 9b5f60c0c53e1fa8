// The checks of the measurement scenarios bite: each is run in the simulator with one thing wrong that it must find out.
import t from 'tap';
import type { MeasurementAgentSpec, MeasurementServerSpec } from '../harness/agents/measurement-spec.ts';
import { SimLab } from '../harness/labs/sim/sim-lab.ts';
import type { Topology } from '../harness/labs/topology.ts';
import { PlanDirector } from '../harness/scenario/director.ts';
import { execute } from '../harness/scenario/execute.ts';
import { checksFor, Judge } from '../harness/scenario/judge.ts';
import type { Plan, Scenario } from '../harness/scenario/scenario.ts';
import type { TraceEvent } from '../harness/trace/trace.ts';
import backoffHerd from './backoff-herd.ts';
import measurementStorm from './measurement-storm.ts';

t.setTimeout(240_000);
const SEED = 5;

type Agent = MeasurementAgentSpec<string>;
type Change = {
  /** What the agents really do; what is declared stays as it was. */
  readonly agent?: (agent: Agent, index: number) => Partial<Agent>;
  readonly server?: Partial<MeasurementServerSpec>;
  /** Changes what was seen before it is judged. */
  readonly trace?: (event: TraceEvent) => readonly TraceEvent[];
  readonly agents?: number;
};

const changed = (topology: Topology, { agent, server }: Change): Topology => ({
  ...topology,
  sites: topology.sites.map((site) => ({
    ...site,
    actors: site.actors.map((hosted, index) =>
      hosted.actor.kind === 'measurement-agent'
        ? { ...hosted, actor: { ...hosted.actor, ...agent?.(hosted.actor, index) } }
        : hosted,
    ),
  })),
  servers: (topology.servers ?? []).map((one) =>
    one.actor.kind === 'measurement-server' ? { ...one, actor: { ...one.actor, ...server } } : one,
  ),
});

/** What each clause says of a run. */
const verdicts = async (scenario: Scenario, change: Change): Promise<ReadonlyMap<string, string>> => {
  const judge = new Judge(checksFor(scenario));
  const sim = new SimLab();
  const lab = {
    name: 'sim',
    forms: sim.forms,
    // declared as planned, run as changed
    run: (topology: Topology, _director: unknown, context: Parameters<SimLab['run']>[2]) => {
      const other = changed(topology, change);
      const plan: Plan = { ...scenario.plan(options), topology: other };
      return sim.run(other, new PlanDirector(plan, SEED), context);
    },
  } as const;
  const options = { ...scenario.defaults, agents: change.agents ?? 15, lab: 'sim', seed: SEED } as const;
  await execute({
    ...{ scenario, options, relayExec: undefined, defect: undefined, version: '0', rerun: '' },
    chosen: { lab, reason: 'asked for' },
    sink: (event) => {
      for (const each of change.trace?.(event) ?? [event]) judge.event(each);
    },
    signal: new AbortController().signal,
    progress: () => {},
    keep: false,
  });
  return new Map(judge.judgements().map(({ clause, verdict }) => [clause, verdict]));
};

const failing = (all: ReadonlyMap<string, string>): readonly string[] =>
  [...all].filter(([, verdict]) => verdict === 'fail').map(([clause]) => clause);

t.test('as they are, nothing is found', async (t) => {
  const herd = await verdicts(backoffHerd, {});
  t.same(failing(herd), []);
  for (const clause of [
    'MEAS-POINT-1',
    'MEAS-ACK-1',
    'MEAS-RETRY-1',
    'MEAS-RETRY-2',
    'MEAS-BACK-1',
    'HERD-1',
  ])
    t.equal(herd.get(clause), 'pass', clause);
  const storm = await verdicts(measurementStorm, { agents: 3 });
  t.same(failing(storm), []);
  for (const clause of ['MEAS-POINT-1', 'MEAS-FLOW-1', 'MEAS-LATE-1', 'MEAS-NAME-1'])
    t.equal(storm.get(clause), 'pass', clause);
});

const retry = (given: Partial<Agent['retry']>): Change => ({
  agent: ({ retry }) => ({ retry: { ...retry, ...given } }),
});
const nthRange = (change: (event: Extract<TraceEvent, { type: 'store.range' }>) => readonly TraceEvent[]) => {
  let seen = 0;
  return (event: TraceEvent): readonly TraceEvent[] =>
    event.type === 'store.range' && ++seen === 7 ? change(event) : [event];
};

for (const [wrong, clauses, change] of [
  ['a fleet that waits without jitter is a herd', ['HERD-1'], retry({ jitter: 0 })],
  ['waits shorter than configured', ['MEAS-RETRY-1'], retry({ initialDelayMillis: 200 })],
  ['a wait beyond the configured cap', ['MEAS-RETRY-1'], retry({ maxDelayMillis: 8_000 })],
  ['given up too early', ['MEAS-RETRY-2'], retry({ maxTimes: 2 })],
  ['a server that forgets what it has stored', ['MEAS-POINT-1', 'MEAS-ACK-1'], { trace: nthRange(() => []) }],
  ['points that are stored twice', ['MEAS-POINT-1'], { trace: nthRange((event) => [event, event]) }],
  [
    'points that nobody made',
    ['MEAS-POINT-1'],
    { trace: nthRange((event) => [event, { ...event, from: 1_000_000, to: 1_000_009 }]) },
  ],
  [
    'changed points',
    ['MEAS-POINT-1'],
    {
      trace: nthRange(({ t, who, n, agent }) => [
        { t, who, n, type: 'store.foreign', agent, points: 2, example: 'power = 4' },
      ]),
    },
  ],
  [
    'a late metric that never arrives',
    ['MEAS-LATE-1'],
    { trace: (event) => (event.type === 'store.series' && event.metric === 'late' ? [] : [event]) },
  ],
  [
    'two definitions in one metric',
    ['MEAS-NAME-1'],
    {
      trace: (event) =>
        event.type === 'store.series'
          ? [{ ...event, metric: event.metric.replace(/_relay.*/, '') }]
          : [event],
    },
  ],
] as const satisfies readonly (readonly [string, readonly string[], Change])[])
  t.test(`backoff-herd finds out: ${wrong}`, async (t) => {
    const found = failing(await verdicts(backoffHerd, change));
    for (const clause of clauses) t.ok(found.includes(clause), `${clause} in ${found.join(', ')}`);
  });

t.test('measurement-storm finds out: a spool that is too small for the storm loses points', async (t) => {
  const small = await verdicts(measurementStorm, { agents: 3, agent: () => ({ spoolBytesMax: 100_000 }) });
  t.same(failing(small), ['MEAS-POINT-1']);
});

t.test(
  'measurement-storm finds out: a server that keeps up has proved nothing about pushing back',
  async (t) => {
    const fast = await verdicts(measurementStorm, { agents: 3, server: { storePointsPerSecond: 0 } });
    t.equal(fast.get('MEAS-FLOW-1'), 'not-applicable');
    t.equal(fast.get('MEAS-POINT-1'), 'pass');
  },
);

t.test(
  'without acknowledgement points may be lost where a fault cut a connection, and only there',
  async (t) => {
    const plain = await verdicts(backoffHerd, { agent: () => ({ acknowledge: false }) });
    // still declared as exact: what is lost in flight shows
    t.ok(failing(plain).includes('MEAS-POINT-1'));
    const unsure: Change = {
      agent: () => ({ acknowledge: false }),
      trace: (event) => [event.type === 'agent.declared' ? { ...event, exact: false } : event],
    };
    const counted = await verdicts(backoffHerd, unsure);
    t.same(failing(counted), []);
    t.equal(counted.get('MEAS-POINT-2'), 'pass');
    const sieve: Change = {
      ...unsure,
      trace: (event) =>
        (unsure.trace?.(event) ?? []).flatMap((one) =>
          one.type === 'store.range' && one.to > one.from + 1
            ? [
                { ...one, to: one.from },
                { ...one, from: one.from + 2 },
              ]
            : [one],
        ),
    };
    const sieved = await verdicts(backoffHerd, sieve);
    t.same(
      failing(sieved),
      ['MEAS-POINT-2'],
      'a lost connection takes a run of points with it, not some here and there',
    );
    const forgetful = nthRange(() => []);
    const storm = await verdicts(measurementStorm, {
      ...unsure,
      agents: 3,
      trace: (event) => (unsure.trace?.(event) ?? []).flatMap(forgetful),
    });
    t.ok(failing(storm).includes('MEAS-POINT-2'), 'no fault excuses it');
  },
);
