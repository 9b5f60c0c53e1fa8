import t from 'tap';
import type { Happening, TraceEvent } from '../trace/trace.ts';
import { IslandJudge } from './island-judge.ts';

const HEADER: readonly TraceEvent[] = [
  {
    t: 0,
    who: 'plan',
    n: 1,
    type: 'crowd.declared',
    islands: 3,
    sites: 3,
    clients: 30,
    stride: 5,
    wholeSites: 0,
  },
  { t: 0, who: 'plan', n: 2, type: 'goal.declared', goal: 'back-millis', value: 2_000 },
];
const second = (at: number, event: string, count: number): [number, Happening] => [
  at + 1,
  { type: 'total.second', event, second: at, count },
];

/** Ten clients of which `back` come back within a second of an outage from 10 to 12 s. */
const island = (number: number, back: number): readonly (readonly [number, Happening])[] => [
  [0, { type: 'island.began', island: number, of: 3, seed: '1', sites: 1, clients: 10, told: 0 }],
  second(1, 'client.up', 10),
  [10, { type: 'fault.begun', fault: 1, kind: 'outage', site: '', text: '' }],
  second(10, 'client.down', 10),
  [12, { type: 'fault.receipt', fault: 1, kind: 'outage', site: '', effects: 1, text: '' }],
  [12, { type: 'fault.ended', fault: 1, kind: 'outage', site: '' }],
  second(12, 'client.up', back),
  second(19, 'client.dialing', 1),
  [20, { type: 'island.ended', complete: true, why: 'timeline over' }],
];

const judged = (backs: readonly number[]) => {
  const judge = new IslandJudge(['everybody', 'plan-kept'], HEADER);
  let n = 0;
  for (const [i, back] of backs.entries())
    for (const [seconds, event] of island(i + 1, back))
      judge.event({ t: seconds * 1_000_000, who: 'runner', n: ++n, ...event });
  judge.event({ t: 0, who: 'runner', n: 0, type: 'run.ended', complete: true, why: 'every island is over' });
  judge.finish();
  const clause = (name: string) => judge.judgements().find((judgement) => judgement.clause === name);
  return { judge, clause };
};

t.test('what holds in each island is said once, with everything counted', (t) => {
  const { judge, clause } = judged([10, 10, 10]);
  t.match(clause('BACK-1'), {
    verdict: 'pass',
    exercised: 30,
    broken: 0,
    summary: /^in each of 3 islands; island 1: by totals all 10 clients/,
  });
  t.match(judge.crowd, { islands: 3, clients: 30, upAtEnd: 30, losses: 30, backSeconds: 1 });
  t.equal(judge.shownIsland, 1);
  t.equal(judge.analysis?.facts.ended?.why, 'every island is over');
  t.end();
});

t.test('one island in which two clients stay away fails the run, and is the one that is shown', (t) => {
  const { judge, clause } = judged([10, 8, 10]);
  t.match(clause('BACK-1'), {
    verdict: 'fail',
    broken: 2,
    summary:
      'in 1 of 3 islands; island 2: by totals 2 of 10 clients are away at the end, 2 were not back in time',
  });
  t.equal(clause('PLAN-1')?.verdict, 'pass');
  t.equal(judge.shownIsland, 2);
  t.match(judge.crowd, { clients: 30, upAtEnd: 28 });
  t.end();
});

t.test('a trace that stops in an island is judged as far as it goes', (t) => {
  const judge = new IslandJudge(['everybody', 'plan-kept'], HEADER);
  for (const [seconds, event] of island(1, 10).slice(0, 4))
    judge.event({ t: seconds * 1_000_000, who: 'runner', n: 1, ...event });
  judge.finish();
  t.equal(judge.over, 1);
  t.match(
    judge.judgements().find(({ clause }) => clause === 'PLAN-1'),
    { verdict: 'not-applicable' },
  );
  t.end();
});
