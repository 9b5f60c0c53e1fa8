import t from 'tap';
import type { Happening } from '../../trace/trace.ts';
import { checksFor, Judge } from '../judge.ts';

const judged = (...events: readonly Happening[]) => {
  const judge = new Judge(checksFor({ checks: [] }));
  events.forEach((event, n) => {
    judge.event({ t: n, who: 'runner', n, ...event });
  });
  return judge.judgements()[0];
};
const over = (complete: boolean): Happening => ({ type: 'run.ended', complete, why: '' });

t.test(
  'a step that never had its turn makes the run inconclusive, whatever checks a scenario names',
  async (t) => {
    const unmet = { type: 'step.unmet', step: 'probe', why: 'home/a never registered' } as const;
    t.match(judged(unmet, over(true)), {
      clause: 'PLAN-1',
      verdict: 'inconclusive',
      blame: 'harness',
      broken: 1,
    });
    t.match(judged(unmet, over(true))?.summary, /probe home\/a never registered/);
  },
);

t.test('a timeline carried out passes, and one that was cut is not judged', async (t) => {
  t.match(judged(over(true)), { verdict: 'pass', broken: 0 });
  t.match(judged(over(false)), { verdict: 'not-applicable' });
  t.match(judged(), { verdict: 'not-applicable' });
});
