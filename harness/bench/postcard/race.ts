/**
 * Contenders that take turns, each in a process of its own. In a round the races of a workload come in a drawn order; within a race all
 * runners take short turns back to back, in a drawn order and then in the reverse one: what is compared lies milliseconds apart, and
 * what drifts meanwhile meets everybody alike.
 */
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
  /** Of the pace's warm-up, and a part of its turn, that its cases need: what is simple is compiled soon. 1 by default. */
  readonly share?: number;
  /** Instead of turns by time, where what matters is not in every repetition. */
  readonly stint?: Stint;
};

/** Rounds of so many repetitions, the same for everybody: `passes` turns of `repeats` each. */
export type Stint = { readonly rounds: number; readonly passes: number; readonly repeats: number };

/** How long everything takes. */
export type Pace = {
  readonly rounds: number;
  readonly turnNanos: number;
  readonly warmNanos: number;
  /**
   * Over how many starts of all processes the rounds are spread. What an engine makes of the same code differs from start to start,
   * and an interval knows only of what its rounds have seen.
   */
  readonly starts: number;
};

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
/** Of a turn, for what is simple. */
const TURN_SHARE_MIN = 0.5;
/** There and back. */
const PASSES = 2;

type Lane = {
  readonly runner: Runner;
  readonly turner: Turner;
  /** Repetitions of a turn. */
  readonly count: number;
  /** Of a repetition, by round. */
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

/** Makes every case as fast as it gets. @returns the lanes of each race, in the order of the plan */
const warmed = async (
  { races, share = 1, stint }: Workload,
  turners: ReadonlyMap<string, Turner>,
  { warmNanos, turnNanos }: Pace,
): Promise<readonly (readonly Lane[])[]> => {
  const turn = turnNanos * Math.max(TURN_SHARE_MIN, Math.sqrt(share));
  const warmUp = (turner: Turner, of: string): Promise<number> =>
    turner.warmUp(of, (warmNanos * share) / WARM_PASSES, turn);
  const runners = races.flatMap((race) => race.runners);
  // in passes, so that what the engine compiles beside one contender's turns is ready while others take theirs
  for (let pass = 1; pass < WARM_PASSES; pass++)
    // all processes at once, on every core there is: what counts here is what they repeat, not how fast they are
    await Promise.all(
      [...turners].map(async ([key, turner]) => {
        for (const runner of runners) if (runner.process === key) await warmUp(turner, runner.case);
      }),
    );
  const lanes: Lane[][] = [];
  for (const race of races) {
    const together: Lane[] = [];
    for (const runner of race.runners) {
      const turner = turners.get(runner.process) as Turner;
      const count = await warmUp(turner, runner.case);
      together.push({ runner, turner, count: stint?.repeats ?? count, nanos: [] });
    }
    lanes.push(together);
  }
  return lanes;
};

/** One round of one race: what each lane takes in all its turns together. */
const round = async (lanes: readonly Lane[], stint: Stint | undefined, rng: Rng): Promise<void> => {
  const passes = stint?.passes ?? PASSES;
  const there = shuffled(lanes, rng);
  const back = [...there].reverse();
  const sums = new Map<Lane, number>();
  for (let pass = 0; pass < passes; pass++)
    for (const lane of pass % 2 === 0 ? there : back) {
      const { turner, runner, count } = lane;
      // where all of the work is one figure, none of it may be left out
      const nanos = await (stint === undefined
        ? turner.warmTurn(runner.case, count)
        : turner.turn(runner.case, count));
      sums.set(lane, (sums.get(lane) ?? 0) + nanos);
    }
  for (const [{ nanos, count }, sum] of sums) nanos.push(sum / (count * passes));
};

/** Some rounds with processes of their own. @returns the lanes of each race, in the order of the plan */
const racedOnce = async (
  workload: Workload,
  pace: Pace,
  rounds: number,
  rng: Rng,
): Promise<readonly (readonly Lane[])[]> => {
  const turners = await started(workload);
  try {
    const lanes = await warmed(workload, turners, pace);
    for (let i = 0; i < rounds; i++)
      for (const together of shuffled(lanes, rng)) await round(together, workload.stint, rng);
    return lanes;
  } finally {
    for (const turner of turners.values()) await turner.stop();
  }
};

/**
 * Runs the races of a workload.
 * @throws Error when a contender reads something else than it wrote: it is a mistake of the bench, and no row
 */
export const raced = async (workload: Workload, pace: Pace, rng: Rng): Promise<readonly Raced[]> => {
  const rounds = Math.ceil((workload.stint ?? pace).rounds / pace.starts);
  const found: (readonly (readonly Lane[])[])[] = [];
  for (let i = 0; i < pace.starts; i++) found.push(await racedOnce(workload, pace, rounds, rng));
  return workload.races.map(({ id, title, words, unit, units, absent, runners }, race) => ({
    ...{ id, title, words, unit, better: 'less', workload: workload.id },
    rows: [
      ...runners.map(({ name, own, case: of }, i) => {
        const lanes = found.flatMap((each) => each[race]?.[i] ?? []);
        const values = lanes.flatMap(({ nanos }) => nanos).map((nanos) => nanos / units);
        return rowOf(name, own, values, (lanes[0]?.turner.bytes[of] ?? Number.NaN) / units);
      }),
      ...Object.entries(absent).map(([name, why]) => rowOf(name, false, [], Number.NaN, why)),
    ],
  }));
};
