/** What the measurement server is to reach, by CPU time: what a busy machine disturbs least. */
import { type Goal, type JudgedGoal, judgeGoal } from '../goals.ts';
import type { Measured, Row } from '../measure.ts';
import { type Estimate, estimate, ratio } from '../statistics.ts';
import { NAMES } from './ingest-contenders.ts';
import { ingestId, STANDSTILL_ID } from './ingest-measure.ts';

/**
 * CPU seconds of Alumet's server for a million points (alumet-agent 0.9.5, frames of 1,000 points, one connection), measured once on
 * a machine of this kind; not in the same run. Used where no binary is given.
 */
export const RECORDED = { nothing: 0.85, csv: 9 } as const;
const RECORDED_WORDS = {
  nothing: `Alumet as recorded elsewhere (${RECORDED.nothing} CPU s/M points)`,
  csv: `Alumet as recorded elsewhere (${RECORDED.csv} CPU s/M points)`,
} as const;

const rowOf = (measures: readonly Measured[], id: string, name: string): Row | string => {
  const row = measures.find((one) => one.id === id)?.rows.find((one) => one.name === name);
  if (row === undefined) return 'not part of this run';
  return row.estimate.rounds === 0 ? `${name}: ${row.why ?? 'no round gave a figure'}` : row;
};

const costs = ({ costs: found }: Row): readonly number[] => found.map((cost) => cost ?? Number.NaN);

type Nameless = Omit<Goal, 'id'>;
type Judged = readonly [goal: Nameless, figure: Estimate | string];

/** Their CPU time over ours: of the same run where they took part, else of the record. */
const besideAlumet = (
  measures: readonly Measured[],
  connections: number,
  into: keyof typeof RECORDED,
  limit: number,
): Judged => {
  const id = ingestId(connections);
  const own = rowOf(measures, id, into === 'csv' ? NAMES.csv : NAMES.nothing);
  const theirs = rowOf(measures, id, into === 'csv' ? NAMES.alumetCsv : NAMES.alumet);
  const recorded = typeof theirs === 'string';
  const goal: Nameless = {
    what: `points per CPU second into ${into === 'csv' ? 'CSV' : 'nothing'}, ${connections === 1 ? 'one connection' : `${connections} connections`}`,
    against: recorded ? RECORDED_WORDS[into] : 'Alumet',
    sense: 'at least',
    ...{ limit, unit: 'x' },
  };
  if (typeof own === 'string') return [goal, own];
  const ours = costs(own);
  return [goal, recorded ? estimate(ours.map((cost) => RECORDED[into] / cost)) : ratio(costs(theirs), ours)];
};

const sqlite = (measures: readonly Measured[], connections: number): Judged => {
  const row = rowOf(measures, ingestId(connections), NAMES.sqlite);
  const goal: Nameless = {
    what: `points per CPU second into SQLite, ${connections === 1 ? 'one connection' : `${connections} connections`}`,
    sense: 'at least',
    ...{ against: undefined, limit: 800_000, unit: 'points' },
  };
  return [goal, typeof row === 'string' ? row : estimate(costs(row).map((cost) => 1e6 / cost))];
};

const memory = (measures: readonly Measured[]): Judged => {
  const row = rowOf(measures, STANDSTILL_ID, NAMES.postgres);
  const goal: Nameless = {
    what: 'growth of memory while PostgreSQL stands still and senders push',
    sense: 'at most',
    ...{ against: undefined, limit: 16, unit: 'MB' },
  };
  return [goal, typeof row === 'string' ? row : row.estimate];
};

/** Every goal with its verdict. */
export const judgeMeasurement = (measures: readonly Measured[]): readonly JudgedGoal[] =>
  [
    ...[1, 8].flatMap((connections) => [
      besideAlumet(measures, connections, 'nothing', 1),
      besideAlumet(measures, connections, 'csv', 10),
      sqlite(measures, connections),
    ]),
    memory(measures),
  ].map(([goal, figure], index) => {
    const named = { ...goal, id: `M${index + 1}` };
    return typeof figure === 'string' ? judgeGoal(named, undefined, figure) : judgeGoal(named, figure);
  });
