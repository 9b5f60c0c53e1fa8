import t from 'tap';
import type { Measured, Row } from '../measure.ts';
import { estimate } from '../statistics.ts';
import { NAMES } from './ingest-contenders.ts';
import { ingestId, STANDSTILL_ID } from './ingest-measure.ts';
import { judgeMeasurement } from './measurement-goals.ts';

const row = (name: string, costs: readonly number[], values: readonly number[] = costs): Row => ({
  ...{ name, own: true, values, estimate: estimate(values), costs, beside: {}, failed: 0, why: undefined },
});

const measure = (id: string, rows: readonly Row[]): Measured => ({
  ...{ id, title: id, words: '', unit: '', better: 'more', rows },
});

const SIX = [0.9, 0.95, 1, 1, 1.05, 1.1];
const times = (factor: number): readonly number[] => SIX.map((value) => value * factor);

t.test('without Alumet its recorded figures stand in the goals, and are named as recorded', async (t) => {
  const goals = judgeMeasurement([
    measure(ingestId(1), [
      row(NAMES.nothing, times(0.5)),
      row(NAMES.csv, times(0.9)),
      row(NAMES.sqlite, times(2)),
    ]),
    measure(STANDSTILL_ID, [row(NAMES.postgres, [], [0, 1])]),
  ]);
  t.match(goals[0], { verdict: 'met', against: /as recorded elsewhere \(0\.85/, figure: { value: 1.7 } });
  t.match(goals[1], { verdict: 'undecided', against: /as recorded elsewhere \(9 / });
  t.match(goals[2], { verdict: 'missed', limit: 800_000, figure: { value: 500_000 } });
  t.match(goals[3], { verdict: 'not measured', why: 'not part of this run' });
  t.match(goals[6], { verdict: 'met', unit: 'MB' });
});

t.test('with Alumet the ratio is of the same rounds', async (t) => {
  const [nothing, csv] = judgeMeasurement([
    measure(ingestId(1), [row(NAMES.nothing, SIX), row(NAMES.csv, SIX), row(NAMES.alumetCsv, times(20))]),
  ]);
  t.match(nothing, { against: /as recorded elsewhere/ });
  t.match(csv, { verdict: 'met', against: 'Alumet', figure: { value: 20, low: 20, high: 20 } });
});
