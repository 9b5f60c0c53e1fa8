import { type Rng, rngFor } from '../../machine/rng.ts';
import type { Point, Timestamp } from '../../measurement-relay/messages.ts';
import type { Clock } from '../pipeline/clock.ts';
import type { AgentContext, Plugin } from '../plugin.ts';
import { f64, label, measured, UNITS, u64 } from './measured.ts';

export type SyntheticConfig = {
  /** Points a second. */
  readonly rate: number;
  /** Different series. */
  readonly cardinality: number;
  readonly seed: number;
  readonly periodMillis: number;
  /** Points altogether; 0: no end. */
  readonly limit: number;
  readonly values: 'sequence' | 'random';
};

/** What is not emitted within this time is left out: a source that was held back does not come back as a flood. */
const CATCH_UP_MILLIS = 1_000;

/**
 * Points number 0, 1, 2, ... in turn over the series `synthetic/0`, `synthetic/1`, ... With `sequence` a series counts its own
 * points (0, 1, 2, ...), so that a loss, a repeat or another order shows in what was stored; with `random` it walks at random,
 * the same for the same seed.
 */
export class SyntheticSeries {
  readonly #config: SyntheticConfig;
  readonly #levels: { readonly rng: Rng; level: number }[];
  #emitted = 0;

  constructor(config: SyntheticConfig) {
    this.#config = config;
    this.#levels =
      config.values === 'sequence'
        ? []
        : Array.from({ length: config.cardinality }, (_, series) => {
            const rng = rngFor(config.seed, `synthetic/${series}`);
            return { rng, level: rng.unit() * 100 };
          });
  }

  /** The next points, at most as many as the limit leaves. */
  next(count: number, at: Timestamp, metric: number): readonly Point[] {
    const { cardinality, limit } = this.#config;
    const left = limit === 0 ? count : Math.min(count, limit - this.#emitted);
    const points: Point[] = [];
    for (let i = 0; i < left; i++) {
      const number = this.#emitted++;
      const series = number % cardinality;
      points.push(
        measured(at, metric, this.#value(series, Math.floor(number / cardinality)), {
          consumer: { kind: 'synthetic', id: String(series) },
          attributes: [label('series', String(series))],
        }),
      );
    }
    return points;
  }

  #value(series: number, turn: number): Point['value'] {
    const walk = this.#levels[series];
    if (walk === undefined) return u64(turn);
    walk.level += walk.rng.unit() - 0.5;
    return f64(walk.level);
  }
}

/** How many points are due when: `rate` a second on the long run, whole points, never more than a second's at once. */
export class SyntheticRate {
  readonly #rate: number;
  #at: number | undefined;
  #owed = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  due(nowMillis: number): number {
    const passed = this.#at === undefined ? 0 : Math.min(CATCH_UP_MILLIS, nowMillis - this.#at);
    this.#at = nowMillis;
    this.#owed += (passed * this.#rate) / 1000;
    const whole = Math.floor(this.#owed);
    this.#owed -= whole;
    return whole;
  }
}

const pollingOf = (
  config: SyntheticConfig,
  clock: Clock,
  metric: number,
): ((at: Timestamp) => readonly Point[]) => {
  const series = new SyntheticSeries(config);
  const rate = new SyntheticRate(config.rate);
  return (at) => series.next(rate.due(clock.now()), at, metric);
};

/** A load generator: as many points a second in as many series as one likes. */
export const syntheticPlugin: Plugin<SyntheticConfig, AgentContext> = {
  name: 'synthetic',
  defaults: `# A load generator: points a second, over so many series.
rate = 1000
cardinality = 10
poll_interval = "100ms"
# "sequence": each series counts 0, 1, 2, ..., so that what got lost shows; "random": the same walk for the same seed
values = "sequence"
seed = 1
# Stop after so many points; 0: never.
limit = 0
`,
  read: (table) => ({
    rate: table.number('rate', { least: 0, most: 10_000_000 }, 1000),
    cardinality: table.integer('cardinality', { least: 1, most: 1_000_000 }, 10),
    periodMillis: table.duration('poll_interval', '100ms', { moreThanZero: true }),
    values: table.choice('values', ['sequence', 'random'], 'sequence'),
    seed: table.integer('seed', { least: 0, most: 2 ** 32 - 1 }, 1),
    limit: table.integer('limit', { least: 0, most: Number.MAX_SAFE_INTEGER }, 0),
  }),
  create: (config, { registry, clock }) => {
    const random = config.values === 'random';
    const metric = registry.define({
      name: random ? 'synthetic_level' : 'synthetic_sequence',
      valueType: random ? 'F64' : 'U64',
      unit: UNITS.one,
      description: random ? 'A random walk' : 'Number of the point within its series',
    });
    return [
      {
        type: 'source',
        source: {
          name: 'synthetic/load',
          kind: 'managed',
          periodMillis: config.periodMillis,
          open: async () => undefined,
          poll: pollingOf(config, clock, metric),
          close: async () => undefined,
        },
      },
    ];
  },
};
