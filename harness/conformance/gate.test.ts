import t from 'tap';
import { FAILED, gate, result } from '../report/gate/testing/sample-gate.ts';
import type { CaseResult } from './outcome.ts';

const LATE = { verdict: 'inconclusive', blame: 'environment' } as const;
const OURS = { verdict: 'inconclusive', blame: 'harness' } as const;
const should = (change: Partial<CaseResult>): CaseResult =>
  result('reg/should', { ...change, level: 'SHOULD' });

const EXITS: readonly (readonly [string, readonly CaseResult[], number])[] = [
  ['every MUST holds', [result('reg/a')], 0],
  ['a SHOULD does not', [result('reg/a'), should(FAILED)], 0],
  ['a SHOULD is undecided', [result('reg/a'), should(LATE)], 0],
  ['a MUST is broken', [result('reg/a'), result('reg/b', FAILED)], 1],
  ['broken and undecided', [result('reg/a', LATE), result('reg/b', FAILED)], 1],
  ['broken, and the gate itself broke', [result('reg/a', OURS), result('reg/b', FAILED)], 3],
  ['undecided', [result('reg/a'), result('reg/b', LATE)], 4],
  ['nothing was judged', [], 4],
  ['nothing that obliges was judged', [should({})], 4],
  ['nothing is applicable', [result('reg/a', { verdict: 'not-applicable' })], 4],
  ['a known failure', [result('reg/a'), result('reg/known', FAILED)], 0],
  ['a known failure that was undecided this time', [result('reg/a'), result('reg/known', LATE)], 0],
  ['only known failures', [result('reg/known', FAILED)], 0],
  ['a known failure passes now', [result('reg/known')], 5],
  ['that, and something new is broken', [result('reg/known'), result('reg/a', FAILED)], 1],
  ['that, and something is undecided', [result('reg/known'), result('reg/a', LATE)], 5],
];
for (const [what, results, exit] of EXITS)
  t.test(`exit ${exit}: ${what}`, async (t) => {
    t.equal(gate(results).exitCode, exit);
    t.equal(gate(results, { interrupted: true, partial: 'interrupted' }).exitCode, 130, 'interrupted');
  });

t.test('a run that was cut short never passes, and what it found still counts', async (t) => {
  t.equal(gate([result('reg/a')], { cut: true, partial: 'late' }).exitCode, 4);
  t.equal(gate([result('reg/a', FAILED)], { cut: true, partial: 'late' }).exitCode, 1);
});

t.test('rows come worst first, each pinned once', async (t) => {
  const { rows, counts } = gate();
  t.same(
    rows.map(({ pin }) => pin),
    ['F1', 'F2', 'U1', 'K1', 'O1', '', '', ''],
  );
  t.same(counts, { pass: 2, fail: 2, known: 1, inconclusive: 1, observation: 1, 'not-applicable': 1 });
});

t.test('the headline is a sentence of the run', async (t) => {
  t.match(gate([result('reg/a', FAILED)]).headline, /^One case fails: that a port line is plain decimal\.$/);
  t.match(gate().headline, /^2 cases fail; the first: that a port line/);
  t.equal(gate([result('reg/a')]).headline, '1 case holds.');
  t.equal(gate([result('reg/a', LATE)]).headline, '1 case could not be judged; nothing fails.');
  t.equal(gate([result('reg/known')]).headline, '1 entry of the baseline is out of date.');
  t.equal(gate([]).headline, 'Nothing was judged.');
});
