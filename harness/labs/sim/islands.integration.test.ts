import { createHash } from 'node:crypto';
import t from 'tap';
import natPool from '../../../scenarios/nat-pool.ts';
import { RunJudge } from '../../cli/run-judge.ts';
import type { ReportModel } from '../../report/model.ts';
import type { CrowdSizes } from '../../scenario/crowd.ts';
import { execute } from '../../scenario/execute.ts';
import type { Options } from '../../scenario/scenario.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import { SimLab } from './sim-lab.ts';

t.setTimeout(300_000);
const OPTIONS: Options = { ...natPool.defaults, lab: 'sim', seed: 7, sites: 60, clients: 10, users: 12 };
const SMALL: CrowdSizes = { clientsMin: 100, clientsTold: 60, clientsPerIsland: 200 };

type Ran = { readonly model: ReportModel; readonly events: readonly TraceEvent[]; readonly digest: string };
const run = async (
  options: Partial<Options>,
  crowd: CrowdSizes,
  {
    defect,
    signal = new AbortController().signal,
    onEvent,
  }: Partial<{
    readonly defect: string;
    readonly signal: AbortSignal;
    readonly onEvent: (event: TraceEvent) => void;
  }> = {},
): Promise<Ran> => {
  const judge = new RunJudge(natPool);
  const hash = createHash('sha256');
  const events: TraceEvent[] = [];
  const sink = (event: TraceEvent): void => {
    hash.update(JSON.stringify(event));
    events.push(event);
    judge.event(event);
    onEvent?.(event);
  };
  const request = {
    scenario: natPool,
    options: { ...OPTIONS, ...options },
    crowd,
    relayExec: undefined,
    defect,
  };
  const chosen = { lab: new SimLab(), reason: 'asked for' };
  const context = { sink, signal, progress: () => {}, keep: false, version: '0', rerun: '' };
  await execute({ ...request, ...context, chosen }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  const model = judge.model({ interrupted: signal.aborted, broken: false });
  return { model, events, digest: hash.digest('hex') };
};
const outcomeOf = ({ checks }: ReportModel): readonly string[] =>
  checks.map(({ judgement }) => `${judgement.clause} ${judgement.verdict} ${judgement.exercised}`);

t.test(
  '20,000 clients on four relays: everybody comes back by totals, in a trace that stays small',
  async (t) => {
    const { model, events } = await run({ sites: 2_000, users: 8 }, { ...SMALL, clientsPerIsland: 5_000 });
    t.equal(model.exitCode, 0, JSON.stringify(model.checks.filter(({ standing }) => standing === 'fail')));
    t.match(model.clients, { declared: 20_000, everConnected: 20_000, connectedAtEnd: 20_000 - 4 });
    t.ok(model.clients.losses >= 20_000, 'each of them lost its path in the outage');
    t.match(
      model.headline,
      /^20.000 clients behind 2.000 NATs, on 4 relays, lost their paths .* All came back/,
    );
    t.match(model.notes[0], /^4 islands/);
    t.match(model.notes[1], /^\d+ of 20.000 clients have lines of their own/);
    const outages = events.filter((event) => event.type === 'fault.receipt' && event.kind === 'outage');
    t.equal(outages.length, 4, 'a relay went away in each');
    t.ok(events.length < 25_000, `${events.length} lines`);
  },
);

t.test('the same seed is the same trace, another is another; islands differ from each other', async (t) => {
  const first = await run({}, SMALL);
  t.equal(first.model.exitCode, 0, JSON.stringify(outcomeOf(first.model)));
  t.equal((await run({}, SMALL)).digest, first.digest);
  t.not((await run({ seed: 8 }, SMALL)).digest, first.digest);
  const seeds = first.events.flatMap((event) => (event.type === 'island.began' ? [event.seed] : []));
  t.equal(new Set(seeds).size, 3);
});

t.test('an old trace of islands is judged as the run was', async (t) => {
  const { model, events } = await run({}, SMALL);
  const again = new RunJudge(natPool);
  for (const event of events) again.event(JSON.parse(JSON.stringify(event)) as TraceEvent);
  t.strictSame(again.model({ interrupted: false, broken: false }), model);
});

t.test('totals are those of a run in which everybody is told of', async (t) => {
  const { events } = await run({ sites: 20 }, { ...SMALL, clientsTold: 1_000_000, clientsPerIsland: 1_000 });
  for (const type of ['client.dialing', 'client.lost', 'client.registered'] as const) {
    const lines = events.filter((event) => event.type === type && event.who !== 'home/forwarder').length;
    const total = events.reduce(
      (sum, event) => sum + (event.type === 'total.second' && event.event === type ? event.count : 0),
      0,
    );
    t.equal(total, lines, type);
  }
});

t.test('a broken relay is found out on islands as well', async (t) => {
  const { model } = await run({ users: 30 }, SMALL, { defect: 'half-close-kills' });
  t.equal(model.exitCode, 1);
  t.match(model.checks[0]?.judgement.summary, /^in (each of 3|[12] of 3) islands; island \d: /);
});

t.test('an abort ends it in the middle of an island, marked as interrupted', async (t) => {
  const controller = new AbortController();
  const { model, events } = await run({}, SMALL, {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'island.began' && event.island === 2) controller.abort(new Error('enough'));
    },
  });
  t.match(events.at(-1), { type: 'run.ended', complete: false, why: 'interrupted' });
  t.match(events.at(-2), { type: 'island.ended', complete: false });
  t.equal(model.exitCode, 130);
  t.ok(model.partial);
});
