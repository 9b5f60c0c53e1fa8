import t from 'tap';
import type { TraceEvent } from '../trace/trace.ts';
import { EXIT } from '../verdict/verdict.ts';
import { RunJudge } from './run-judge.ts';

const began = { t: 0, who: 'plan', n: 1, type: 'run.phase', name: 'one' } as const;
const ended = (complete: boolean): TraceEvent => ({
  t: 9,
  who: 'runner',
  n: 1,
  type: 'run.ended',
  complete,
  why: 'because',
});
const model = (events: readonly TraceEvent[], how = { interrupted: false, broken: false }) => {
  const judge = new RunJudge({ checks: ['relay-alive'] });
  for (const event of events) judge.event(event);
  return judge.model(how);
};

t.test('an interrupted run exits 130, a broken lab 3, both before any verdict', (t) => {
  t.equal(model([began, ended(false)], { interrupted: true, broken: true }).exitCode, EXIT.interrupted);
  const broken = model([began, ended(false)], { interrupted: false, broken: true });
  t.equal(broken.exitCode, EXIT.harness);
  t.ok(broken.partial);
  t.equal(broken.partialWhy, 'because');
  t.end();
});

t.test('a trace that is cut or empty is never passed', (t) => {
  for (const events of [[], [began], [began, ended(false)]])
    t.not(model(events).exitCode, EXIT.pass, `${events.length} lines`);
  t.end();
});

t.test('events that come late are judged in the order in which they happened', (t) => {
  const phase = (at: number, name: string): TraceEvent => ({
    t: at,
    who: 'runner',
    n: at,
    type: 'run.phase',
    name,
  });
  const names = model([phase(0, 'a'), phase(3_000, 'c'), phase(1_000, 'b'), ended(true)]).phases.map(
    ({ name }) => name,
  );
  t.same(names, ['a', 'b', 'c']);
  t.end();
});
