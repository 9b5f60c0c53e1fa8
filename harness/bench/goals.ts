/** What the relay is to reach, and the verdict on it: only an interval that lies on one side of a goal decides. */
import type { Estimate } from './statistics.ts';

/** Which way is better. */
export type Sense = 'at least' | 'at most';

/** A goal as it is judged: its figure is a ratio of two rows of one run, or a plain figure. */
export type Goal = {
  readonly id: string;
  /** What is compared, in words. */
  readonly what: string;
  /** Against whom; undefined: against the limit alone. */
  readonly against: string | undefined;
  readonly sense: Sense;
  readonly limit: number;
  /** Of the figure and the limit; `x` for a ratio. */
  readonly unit: string;
};

export type GoalVerdict = 'met' | 'undecided' | 'missed' | 'not measured';

/** A goal with what was found. */
export type JudgedGoal = Goal & {
  readonly verdict: GoalVerdict;
  readonly figure: Estimate | undefined;
  /** Their CPU time over ours for the same work: what a busy machine disturbs least. Told beside the figure, it decides nothing. */
  readonly thrift?: Estimate;
  /** Why it was not measured. */
  readonly why: string | undefined;
};

/** @param why said instead of a figure when there is none */
export const judgeGoal = (goal: Goal, figure: Estimate | undefined, why?: string): JudgedGoal => {
  if (figure === undefined || figure.rounds === 0)
    return { ...goal, verdict: 'not measured', figure: undefined, why: why ?? 'no round gave a figure' };
  const { low, high } = figure;
  const { sense, limit } = goal;
  const met = sense === 'at least' ? low >= limit : high <= limit;
  const missed = sense === 'at least' ? high < limit : low > limit;
  return { ...goal, verdict: met ? 'met' : missed ? 'missed' : 'undecided', figure, why: undefined };
};

/** How many of each verdict. */
export const countVerdicts = (goals: readonly JudgedGoal[]): Readonly<Record<GoalVerdict, number>> => {
  const counts = { met: 0, undecided: 0, missed: 0, 'not measured': 0 };
  for (const { verdict } of goals) counts[verdict]++;
  return counts;
};
