import { Rng } from '../../reference-impl/machine/rng.ts';
import type { EventOf, GoalName, TraceEvent, TransferMode } from '../trace/trace.ts';

/** Throughput of one mode as a share of the direct path in the same rounds. */
export type RatioRow = {
  readonly mode: TransferMode;
  readonly rounds: number;
  readonly ratio: number;
  /** 95 % interval of the median, by bootstrap over the rounds; undefined: fewer than `ROUNDS_MIN` rounds. */
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly bytesPerSecond: number;
  /** Share that was asked for. */
  readonly goal: number | undefined;
  readonly state: 'met' | 'undecided' | 'missed' | 'no goal';
};

/** Percentiles of the time from opening a tunnel to its first byte, in microseconds; undefined: too few tunnels for it. */
export type LatencyRow = {
  readonly mode: TransferMode;
  readonly path: 'direct' | 'relay';
  readonly n: number;
  readonly p50: number;
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  readonly p999: number | undefined;
};

export type Speed = {
  readonly ratios: readonly RatioRow[];
  readonly directBytesPerSecond: number | undefined;
  readonly latencies: readonly LatencyRow[];
};

/** With fewer rounds an interval would be a guess. */
export const ROUNDS_MIN = 4;
const RESAMPLES = 2_000;
/** Fixed, so that a trace judged again gives the same page. */
const BOOTSTRAP_SEED = 0x5eed;
const MODES: readonly TransferMode[] = ['pool', 'event', 'multiplex', 'forwarder'];

/** Median of a list that is already sorted; 0 for an empty one. */
const median = (sorted: ArrayLike<number>): number => {
  const n = sorted.length;
  const upper = sorted[n >> 1] ?? 0;
  return n % 2 === 1 ? upper : ((sorted[(n >> 1) - 1] ?? 0) + upper) / 2;
};

/** Median and its 95 % percentile-bootstrap interval; the same numbers for the same values on every machine. */
export const medianInterval = (
  values: readonly number[],
): { readonly median: number; readonly interval: readonly [number, number] | undefined } => {
  const sorted = Float64Array.from(values).sort();
  const middle = median(sorted);
  if (values.length < ROUNDS_MIN) return { median: middle, interval: undefined };
  const rng = new Rng(BOOTSTRAP_SEED, values.length, 0, 1);
  const medians = new Float64Array(RESAMPLES);
  const draw = new Float64Array(sorted.length);
  for (let i = 0; i < RESAMPLES; i++) {
    for (let k = 0; k < draw.length; k++) draw[k] = sorted[rng.below(sorted.length)] ?? 0;
    medians[i] = median(draw.sort());
  }
  medians.sort();
  const low = medians[Math.floor(RESAMPLES * 0.025)] ?? middle;
  const high = medians[Math.ceil(RESAMPLES * 0.975) - 1] ?? middle;
  return { median: middle, interval: [low, high] };
};

/** Nearest-rank percentile; undefined when fewer than one value in a tail of that size is expected. */
const percentile = (sorted: ArrayLike<number>, share: number): number | undefined =>
  sorted.length * (1 - share) < 0.999 ? undefined : sorted[Math.ceil(sorted.length * share) - 1];

/** Rates of interleaved rounds and times to the first byte. */
export class SpeedCollector {
  /** Bytes and microseconds by path, then round. */
  readonly #rounds = new Map<string, Map<number, { bytes: number; micros: number }>>();
  /** Users' tunnels still without a first byte, by host and number. */
  readonly #opened = new Map<string, EventOf<'tunnel.opened'>>();
  readonly #latencies = new Map<string, number[]>();

  event(event: TraceEvent): void {
    switch (event.type) {
      case 'rate.sample':
        this.#sample(event);
        return;
      case 'tunnel.opened':
        if (event.side === 'user') this.#opened.set(`${event.who} ${event.tunnel}`, event);
        return;
      case 'tunnel.firstByte':
        if (event.side === 'user') this.#firstByte(event);
        return;
      case 'tunnel.done':
        if (event.side === 'user') this.#opened.delete(`${event.who} ${event.tunnel}`);
        return;
    }
  }

  #sample(event: EventOf<'rate.sample'>): void {
    let rounds = this.#rounds.get(event.path);
    if (rounds === undefined) {
      rounds = new Map();
      this.#rounds.set(event.path, rounds);
    }
    const sum = rounds.get(event.round) ?? { bytes: 0, micros: 0 };
    sum.bytes += event.bytes;
    sum.micros += event.micros;
    rounds.set(event.round, sum);
  }

  #firstByte(event: EventOf<'tunnel.firstByte'>): void {
    const key = `${event.who} ${event.tunnel}`;
    const opened = this.#opened.get(key);
    if (opened === undefined) return;
    this.#opened.delete(key);
    const row = `${opened.client === 'direct' ? 'direct' : 'relay'} ${opened.mode}`;
    const list = this.#latencies.get(row);
    if (list === undefined) this.#latencies.set(row, [event.t - opened.t]);
    else list.push(event.t - opened.t);
  }

  /** @param goals `throughput-ratio/<mode>` or `throughput-ratio`: share of the direct path */
  speed(goals: ReadonlyMap<GoalName, number>): Speed {
    const direct = this.#rounds.get('direct');
    const ratios = MODES.flatMap((mode): RatioRow[] => {
      const rounds = this.#rounds.get(mode);
      if (rounds === undefined || direct === undefined) return [];
      const goal = goals.get(`throughput-ratio/${mode}`) ?? goals.get('throughput-ratio');
      return ratioRow(mode, rounds, direct, goal);
    });
    const latencies = MODES.flatMap((mode) =>
      (['direct', 'relay'] as const).flatMap((path): LatencyRow[] => {
        const values = this.#latencies.get(`${path} ${mode}`);
        return values === undefined ? [] : [latencyRow(mode, path, values)];
      }),
    );
    return {
      ratios,
      directBytesPerSecond: direct === undefined ? undefined : rateOf([...direct.values()]),
      latencies,
    };
  }
}

type Round = { readonly bytes: number; readonly micros: number };

const rateOf = (rounds: readonly Round[]): number =>
  median(
    Float64Array.from(
      rounds.filter(({ micros }) => micros > 0).map((round) => (round.bytes * 1e6) / round.micros),
    ).sort(),
  );

const ratioRow = (
  mode: TransferMode,
  rounds: ReadonlyMap<number, Round>,
  direct: ReadonlyMap<number, Round>,
  goal: number | undefined,
): RatioRow[] => {
  const shares: number[] = [];
  for (const [number, { bytes, micros }] of rounds) {
    const beside = direct.get(number);
    if (beside === undefined || micros === 0 || beside.bytes === 0 || beside.micros === 0) continue;
    shares.push(bytes / micros / (beside.bytes / beside.micros));
  }
  if (shares.length === 0) return [];
  const { median: ratio, interval } = medianInterval(shares);
  const state = goal === undefined ? 'no goal' : stateOf(goal, interval);
  return [
    {
      mode,
      rounds: shares.length,
      ratio,
      interval,
      bytesPerSecond: rateOf([...rounds.values()]),
      goal,
      state,
    },
  ];
};

const stateOf = (goal: number, interval: readonly [number, number] | undefined): RatioRow['state'] => {
  if (interval === undefined) return 'undecided';
  if (interval[0] >= goal) return 'met';
  return interval[1] < goal ? 'missed' : 'undecided';
};

const latencyRow = (mode: TransferMode, path: LatencyRow['path'], values: readonly number[]): LatencyRow => {
  const sorted = Float64Array.from(values).sort();
  return {
    mode,
    path,
    n: values.length,
    p50: median(sorted),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
  };
};
