/** Contenders that take turns: every race of a workload in every round, each contender in a process of its own, in a drawn order. */
import type { Rng } from '../../../reference-impl/machine/rng.ts';
import type { Measured, Row } from '../measure.ts';
import { estimate } from '../statistics.ts';
import { type Start, Turner } from './turner.ts';

/** A contender in one race. */
export type Runner = {
  readonly name: string;
  readonly own: boolean;
  /** Which process of the workload, and which of its cases. */
  readonly process: string;
  readonly case: string;
};

export type Race = {
  readonly id: string;
  readonly title: string;
  readonly words: string;
  readonly unit: string;
  /** Units (points, KiB, messages) of one repetition. */
  readonly units: number;
  readonly runners: readonly Runner[];
  /** Why somebody takes no part. */
  readonly absent: Readonly<Record<string, string>>;
};

export type Workload = {
  readonly id: 'A' | 'B' | 'C' | 'D' | 'E';
  readonly processes: Readonly<Record<string, Start>>;
  readonly races: readonly Race[];
  /** Of the pace's warm-up and turn that its cases need: what is simple is compiled soon. 1 by default. */
  readonly share?: number;
  /** Repetitions of a turn, the same for everybody, where what matters is not in every repetition; as many as fill a turn when absent. */
  readonly repeats?: number;
};

/** How long everything takes. */
export type Pace = { readonly rounds: number; readonly warmNanos: number; readonly turnNanos: number };

/** A race with its figures, and its workload's letter. */
export type Raced = Measured & { readonly workload: Workload['id'] };

const shuffled = <Item>(items: readonly Item[], rng: Rng): readonly Item[] => {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j] as Item, order[i] as Item];
  }
  return order;
};

const WARM_PASSES = 3;

type Lane = {
  readonly race: Race;
  readonly runner: Runner;
  readonly count: number;
  readonly nanos: number[];
};

const rowOf = (name: string, own: boolean, values: readonly number[], bytes: number, why?: string): Row => ({
  ...{ name, own, values, estimate: estimate(values), costs: [] },
  beside: Number.isFinite(bytes) ? { bytes } : {},
  failed: 0,
  why,
});

/** Starts the processes of a workload, all at once. @throws Error for the first that cannot, after stopping the others */
const started = async (workload: Workload): Promise<ReadonlyMap<string, Turner>> => {
  const starting = Object.entries(workload.processes).map(
    async ([key, start]) => [key, await Turner.start(start)] as const,
  );
  const ends = await Promise.allSettled(starting);
  const turners = new Map(ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed === undefined) return turners;
  for (const turner of turners.values()) await turner.stop();
  throw failed.reason;
};

/**
 * Runs the races of a workload.
 * @throws Error when a contender reads something else than it wrote: it is a mistake of the bench, and no row
 */
export const raced = async (workload: Workload, pace: Pace, rng: Rng): Promise<readonly Raced[]> => {
  const turners = await started(workload);
  const of = ({ process }: Runner): Turner => turners.get(process) as Turner;
  try {
    const share = workload.share ?? 1;
    const turnNanos = pace.turnNanos * Math.sqrt(share);
    const warmNanos = (pace.warmNanos * share) / WARM_PASSES;
    // in passes, so that what the engine compiles beside one contender's turns is ready while others take theirs
    for (let pass = 1; pass < WARM_PASSES; pass++)
      for (const { runners } of workload.races)
        for (const runner of runners) await of(runner).warmUp(runner.case, warmNanos, turnNanos);
    const lanes: Lane[] = [];
    for (const race of workload.races)
      for (const runner of race.runners) {
        const count = await of(runner).warmUp(runner.case, warmNanos, turnNanos);
        lanes.push({ race, runner, count: workload.repeats ?? count, nanos: [] });
      }
    for (let round = 0; round < pace.rounds; round++)
      for (const { race, runner, count, nanos } of shuffled(lanes, rng))
        nanos.push((await of(runner).turn(runner.case, count)) / count / race.units);
    return workload.races.map(({ id, title, words, unit, units, absent }) => ({
      ...{ id, title, words, unit, better: 'less', workload: workload.id },
      rows: [
        ...lanes
          .filter((lane) => lane.race.id === id)
          .map(({ runner, nanos }) =>
            rowOf(runner.name, runner.own, nanos, (of(runner).bytes[runner.case] ?? Number.NaN) / units),
          ),
        ...Object.entries(absent).map(([name, why]) => rowOf(name, false, [], Number.NaN, why)),
      ],
    }));
  } finally {
    for (const turner of turners.values()) await turner.stop();
  }
};
