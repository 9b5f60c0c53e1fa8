import t from 'tap';
import natPool from '../../scenarios/nat-pool.ts';
import { CLAUSES } from '../conformance/clauses/registry.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { SimLab } from '../labs/sim/sim-lab.ts';
import type { TraceEvent } from '../trace/trace.ts';
import { EXIT, type Judgement } from '../verdict/verdict.ts';
import { CHECKS } from './checks/registry.ts';
import { execute, planHash, planOf, seedText } from './execute.ts';
import { exitOf, Judge } from './judge.ts';

t.setTimeout(120_000);

const OPTIONS = { lab: 'sim', seed: 11, sites: 3, clients: 3, users: 6, durationMillis: 30_000 } as const;
const run = async (seed: number): Promise<readonly TraceEvent[]> => {
  const events: TraceEvent[] = [];
  await execute({
    scenario: natPool,
    chosen: { lab: new SimLab(), reason: 'asked for' },
    options: { ...OPTIONS, seed },
    relayExec: undefined,
    defect: undefined,
    version: '0',
    rerun: 'none',
    sink: (event) => void events.push(event),
    signal: new AbortController().signal,
    progress: () => {},
    keep: false,
  });
  return events;
};
const judgements = (events: readonly TraceEvent[]): readonly Judgement[] => {
  const judge = new Judge(natPool.checks);
  for (const event of events) judge.event(event);
  return judge.judgements();
};

t.test('a trace judged again says what the run said, word for word', async (t) => {
  const events = await run(11);
  const now = judgements(events);
  const written = events.map((event) => JSON.stringify(event)).join('\n');
  const read = written.split('\n').map((line) => JSON.parse(line) as TraceEvent);
  t.strictSame(judgements(read), now);
  t.strictSame(
    judgements([...read].sort((a, b) => a.t - b.t)),
    now,
    'also in the order that the judge command reads',
  );
  t.ok(now.length > 20, `${now.length} judgements`);
});

t.test('the same seed gives the same trace, another one another', async (t) => {
  const [first, again, other] = [await run(11), await run(11), await run(12)];
  t.equal(JSON.stringify(again), JSON.stringify(first));
  t.not(JSON.stringify(other), JSON.stringify(first));
});

t.test('a trace cut anywhere blames nobody and does not pass', async (t) => {
  const events = await run(11);
  for (let share = 0; share < 1; share += 0.04) {
    const cut = events.slice(0, Math.floor(events.length * share));
    const judge = new Judge(natPool.checks);
    for (const event of cut) judge.event(event);
    const found = judge.judgements();
    const failed = found.filter(({ level, verdict }) => level === 'MUST' && verdict === 'fail');
    t.same(
      failed.map(({ clause, got }) => `${clause}: ${got}`),
      [],
      `cut at ${Math.round(share * 100)} %`,
    );
    t.equal(exitOf(found, judge.analysis.complete), EXIT.inconclusive);
  }
});

t.test('two checks that speak of one clause are joined, the worse word first', async (t) => {
  const judge = new Judge(['relay-alive', 'probes']);
  const at = { t: 5_000_000, n: 1 };
  judge.event({ ...at, who: 'users', type: 'client.dialing', attempt: 0 });
  judge.event({ ...at, who: 'users/x', type: 'script.stuck', step: 3, waitingFor: 'dial' });
  const [live, ...more] = judge.judgements();
  t.same(more, []);
  t.match(live, {
    clause: 'PORT-LIVE-1',
    verdict: 'fail',
    summary: /waited in vain for dial; the relay lived through 1/,
    exercised: 2,
    broken: 1,
  });
});

t.test('only MUSTs decide, and nothing judged is not passed', async (t) => {
  const one = (level: 'MUST' | 'SHOULD', verdict: Judgement['verdict']) => [{ level, verdict } as Judgement];
  t.equal(exitOf(one('MUST', 'pass'), true), EXIT.pass);
  t.equal(exitOf(one('MUST', 'pass'), false), EXIT.inconclusive);
  t.equal(exitOf(one('MUST', 'fail'), false), EXIT.fail);
  t.equal(exitOf([...one('MUST', 'pass'), ...one('SHOULD', 'fail')], true), EXIT.pass);
  t.equal(exitOf([...one('MUST', 'pass'), ...one('MUST', 'inconclusive')], true), EXIT.inconclusive);
  t.equal(exitOf(one('MUST', 'not-applicable'), true), EXIT.inconclusive);
  t.equal(exitOf([], true), EXIT.inconclusive);
});

t.test('every check and case speaks of clauses that exist, and every clause is spoken of', async (t) => {
  const spoken = new Set([
    ...Object.values(CHECKS).flatMap(({ clauses }) => clauses),
    ...PROFILES.flatMap(({ cases }) => cases.map(({ clause }) => clause)),
  ]);
  t.strictSame(
    [...spoken].filter((clause) => !CLAUSES.has(clause)),
    [],
    'clauses that checks name',
  );
  t.strictSame(
    [...CLAUSES.keys()].filter((clause) => !spoken.has(clause)),
    [],
    'clauses that nobody checks',
  );
  for (const [name, check] of Object.entries(CHECKS)) t.equal(check.name, name, 'registered by its own name');
});

t.test('a check speaks of no clause but its own', async (t) => {
  const events = await run(11);
  for (const check of Object.values(CHECKS)) {
    const judge = new Judge([check.name as keyof typeof CHECKS]);
    for (const event of events) judge.event(event);
    for (const { clause } of judge.judgements())
      t.ok(check.clauses.includes(clause), `${check.name}: ${clause}`);
  }
});

t.test('a plan is known by its hash before anything happens', async (t) => {
  const hash = (seed: number, users: number) =>
    planHash(
      planOf({
        scenario: natPool,
        options: { ...OPTIONS, seed, users },
        relayExec: undefined,
        defect: undefined,
      }),
    );
  t.equal(hash(1, 6), hash(1, 6));
  t.not(hash(1, 6), hash(1, 7));
  t.match(hash(1, 6), /^[0-9a-f]{16}$/);
  t.equal(seedText(0x1f), '00001f');
});
