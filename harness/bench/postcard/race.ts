/**
 * Contenders that take turns, each in a process of its own. In a round the races of a workload come in a drawn order; within a race all
 * runners take short turns back to back, in a drawn order and then in the reverse one: what is compared lies milliseconds apart, and
 * what drifts meanwhile meets everybody alike.
 */
import type { Rng } from '../../../reference-impl/machine/rng.ts';
import type { Measured, Row } from '../measure.ts';
import { mean } from '../statistics.ts';
import { estimateOverStarts } from './over-starts.ts';
import { type Repetition, type Start, Turner } from './turner.ts';

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
  /** Of the pace's warm-up, and a part of its turn, that its cases need: what is simple is compiled soon, a heap grows late. 1 by default. */
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
   * and an interval knows only of what its rounds have seen: few rounds of many starts tell more than many of few.
   */
  readonly starts: number;
};

/** A race with its figures, and its workload's letter. */
export type Raced = Measured & {
  readonly workload: Workload['id'];
  /** The values of a row are those of so many starts one behind the other, of each equally many. */
  readonly starts: number;
};

const shuffled = <Item>(items: readonly Item[], rng: Rng): readonly Item[] => {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j] as Item, order[i] as Item];
  }
  return order;
};

const WARM_PASSES = 2;
/** Of a turn, for what is simple. */
const TURN_SHARE_MIN = 0.5;
/** There and back. */
const PASSES = 2;
/** Longer than so many turns, a single repetition needs none before it, and is not made again on the way back. */
const LONG_TURNS = 10;

type Lane = {
  readonly runner: Runner;
  readonly turner: Turner;
  /** Repetitions of a turn. */
  readonly count: number;
  /** One repetition is many turns. */
  readonly long: boolean;
  /** Of a repetition, by round. */
  readonly nanos: number[];
};

type Facts = Pick<Row, 'name' | 'own' | 'values' | 'why'> & { readonly bytes: number };

const rowOf = ({ bytes, ...facts }: Facts, starts: number): Row => ({
  ...facts,
  ...{ estimate: estimateOverStarts(facts.values, starts), costs: [], failed: 0 },
  beside: Number.isFinite(bytes) ? { bytes } : {},
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
  const turn = turnNanos * Math.min(1, Math.max(TURN_SHARE_MIN, Math.sqrt(share)));
  const runners = races.flatMap((race) => race.runners);
  const found = new Map<Runner, Repetition>();
  const isLong = (runner: Runner): boolean => (found.get(runner)?.nanos ?? 0) > turn * LONG_TURNS;
  const warm = async (runner: Runner, turner: Turner): Promise<void> => {
    if (isLong(runner)) return;
    const { count } = found.get(runner) ?? {};
    found.set(runner, await turner.warmUp(runner.case, (warmNanos * share) / WARM_PASSES, turn, count));
  };
  // in passes, so that what the engine compiles beside one contender's turns is ready while others take theirs
  for (let pass = 0; pass < WARM_PASSES; pass++)
    // all processes at once, on every core there is: what counts here is what they repeat, not how fast they are
    await Promise.all(
      [...turners].map(async ([key, turner]) => {
        for (const runner of runners) if (runner.process === key) await warm(runner, turner);
      }),
    );
  return races.map((race) =>
    race.runners.map((runner) => ({
      ...{ runner, turner: turners.get(runner.process) as Turner, nanos: [] },
      count: stint?.repeats ?? found.get(runner)?.count ?? 1,
      long: stint === undefined && isLong(runner),
    })),
  );
};

/** One round of one race: what each lane takes for a repetition, on average over all its turns. */
const round = async (lanes: readonly Lane[], stint: Stint | undefined, rng: Rng): Promise<void> => {
  const passes = stint?.passes ?? PASSES;
  const there = shuffled(lanes, rng);
  const back = [...there].reverse();
  const turns = new Map<Lane, number[]>(there.map((lane) => [lane, []]));
  for (let pass = 0; pass < passes; pass++)
    for (const lane of pass % 2 === 0 ? there : back) {
      const { turner, runner, count, long } = lane;
      if (long && pass > 0) continue;
      // where all of the work is one figure, none of it may be left out
      const nanos = await (long || stint !== undefined
        ? turner.turn(runner.case, count)
        : turner.warmTurn(runner.case, count));
      turns.get(lane)?.push(nanos);
    }
  for (const [{ nanos, count }, taken] of turns) nanos.push(mean(taken) / count);
};

/** Some rounds with processes of their own. @returns the lanes of each race, in the order of the plan */
const racedOnce = async (
  workload: Workload,
  pace: Pace,
  { rounds, checked }: { readonly rounds: number; readonly checked: boolean },
  rng: Rng,
): Promise<readonly (readonly Lane[])[]> => {
  const turners = await started(workload);
  try {
    const lanes = await warmed(workload, turners, pace);
    for (let i = 0; i < rounds; i++)
      for (const together of shuffled(lanes, rng)) await round(together, workload.stint, rng);
    if (checked) await Promise.all([...turners.values()].map((turner) => turner.check()));
    return lanes;
  } finally {
    await Promise.all([...turners.values()].map((turner) => turner.stop()));
  }
};

/**
 * Runs the races of a workload.
 * @throws Error when a contender reads something else than it wrote: it is a mistake of the bench, and no row
 */
export const raced = async (workload: Workload, pace: Pace, rng: Rng): Promise<readonly Raced[]> => {
  const { starts } = pace;
  const rounds = Math.ceil((workload.stint ?? pace).rounds / starts);
  const found: (readonly (readonly Lane[])[])[] = [];
  // the same code reads the same bytes after every start: one says whether it reads them right
  for (let i = 0; i < starts; i++)
    found.push(await racedOnce(workload, pace, { rounds, checked: i === 0 }, rng));
  return workload.races.map(({ id, title, words, unit, units, absent, runners }, race) => ({
    ...{ id, title, words, unit, better: 'less', workload: workload.id, starts },
    rows: [
      ...runners.map(({ name, own, case: of }, i) => {
        const lanes = found.flatMap((each) => each[race]?.[i] ?? []);
        const values = lanes.flatMap(({ nanos }) => nanos).map((nanos) => nanos / units);
        const bytes = (lanes[0]?.turner.bytes[of] ?? Number.NaN) / units;
        return rowOf({ name, own, values, bytes, why: undefined }, starts);
      }),
      ...Object.entries(absent).map(([name, why]) =>
        rowOf({ name, own: false, values: [], bytes: Number.NaN, why }, starts),
      ),
    ],
  }));
};
