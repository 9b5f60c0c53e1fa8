import t from 'tap';
import { judged, type Line } from '../testing/small-run.ts';

const goal: Line = [0, 'plan', { type: 'goal.declared', goal: 'throughput-ratio', value: 0.5 }];
const rounds = (pool: (round: number) => number, count = 6): readonly Line[] =>
  Array.from({ length: count }, (_, round): readonly Line[] => [
    [round, 'users/sink', { type: 'rate.sample', path: 'direct', round, bytes: 1_000_000, micros: 1_000 }],
    [
      round + 0.5,
      'users',
      { type: 'rate.sample', path: 'pool', round, bytes: 1_000_000, micros: pool(round) },
    ],
  ]).flat();
const verdicts = (lines: readonly Line[]) =>
  [...judged(['speed'], lines).values()].map(({ verdict }) => verdict);

t.test('a goal is met, missed or undecided by its interval, and never a MUST', async (t) => {
  t.same(verdicts([goal, ...rounds(() => 1_200)]), ['pass']);
  t.same(verdicts([goal, ...rounds(() => 5_000)]), ['fail']);
  t.same(verdicts([goal, ...rounds((round) => (round % 2 === 0 ? 1_000 : 4_000))]), ['inconclusive']);
  t.same(verdicts([goal, ...rounds(() => 1_200, 2)]), ['inconclusive'], 'two rounds have no interval');
  for (const judgement of judged(['speed'], [goal, ...rounds(() => 5_000)]).values())
    t.equal(judgement.level, 'SHOULD');
});

t.test('without a direct path beside it, or without samples, nothing is said', async (t) => {
  t.same(verdicts([]), ['not-applicable']);
  const relayed = rounds(() => 1_200).filter(
    ([, , event]) => event.type === 'rate.sample' && event.path === 'pool',
  );
  t.same(verdicts([goal, ...relayed]), ['not-applicable']);
});
