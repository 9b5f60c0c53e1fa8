import t from 'tap';
import { countVerdicts, type Goal, judgeGoal } from './goals.ts';

const goal = (sense: Goal['sense'], limit: number): Goal => ({
  id: 'G1',
  what: 'transfer',
  against: 'somebody',
  sense,
  limit,
  unit: 'x',
});

const CASES = [
  ['at least', 1, 1.0, 1.2, 'met'],
  ['at least', 1, 1.5, 1.6, 'met'],
  ['at least', 1, 0.9, 1.2, 'undecided'],
  ['at least', 1, 0.8, 0.99, 'missed'],
  ['at most', 2, 1.1, 2.0, 'met'],
  ['at most', 2, 1.9, 2.1, 'undecided'],
  ['at most', 2, 2.1, 2.2, 'missed'],
] as const;
for (const [sense, limit, low, high, verdict] of CASES) {
  t.test(`${sense} ${limit}: ${low} to ${high} is ${verdict}`, (t) => {
    const judged = judgeGoal(goal(sense, limit), { value: (low + high) / 2, low, high, rounds: 6 });
    t.equal(judged.verdict, verdict);
    t.equal(judged.why, undefined);
    t.end();
  });
}

t.test('a goal without a figure says why and counts as neither', (t) => {
  const absent = judgeGoal(goal('at least', 1), undefined, 'HAProxy: not on PATH');
  t.match(absent, { verdict: 'not measured', why: 'HAProxy: not on PATH', figure: undefined });
  const empty = judgeGoal(goal('at least', 1), {
    value: Number.NaN,
    low: Number.NaN,
    high: Number.NaN,
    rounds: 0,
  });
  t.match(empty, { verdict: 'not measured', why: 'no round gave a figure' });
  t.strictSame(countVerdicts([absent, empty]), { met: 0, undecided: 0, missed: 0, 'not measured': 2 });
  t.end();
});
