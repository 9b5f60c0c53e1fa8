/** Figures of few, noisy rounds: medians, percentiles, and intervals that assume nothing about the noise. */

/** A figure with the interval that holds its true median, and how many rounds it rests on. */
export type Estimate = {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
};

const ascending = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b);

/** The value below which a share of the values lies, 0 to 1, between neighbours in proportion. NaN without values. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = ascending(values);
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
};

/** See `quantile`. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** NaN without values. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard deviation of a sample; NaN below two values. */
export const deviation = (values: readonly number[]): number => {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
};

/**
 * How many of the smallest and of the largest values lie outside a 95 % interval of the median: the sign test turned round, so
 * nothing is assumed about how the values are spread. 0 below nine rounds; six rounds are needed for the 95 % at all.
 */
export const trimmed = (rounds: number): number => {
  let tail = 0;
  let ways = 1;
  for (let outside = 0; ; outside++) {
    tail += ways / 2 ** rounds;
    if (tail > 0.025) return Math.max(0, outside - 1);
    ways = (ways * (rounds - outside)) / (outside + 1);
  }
};

/** The median and its 95 % interval (with fewer than six rounds: all that was seen). Values that are no number do not count. */
export const estimate = (values: readonly number[]): Estimate => {
  const sorted = ascending(values.filter(Number.isFinite));
  const rounds = sorted.length;
  const outside = rounds === 0 ? 0 : trimmed(rounds);
  return {
    value: median(sorted),
    low: sorted[outside] ?? Number.NaN,
    high: sorted[rounds - 1 - outside] ?? Number.NaN,
    rounds,
  };
};

/** Ours over theirs round by round, so that what slowed a whole round down does not count. Rounds without both are left out. */
export const ratio = (ours: readonly number[], theirs: readonly number[]): Estimate =>
  estimate(ours.map((own, round) => own / (theirs[round] ?? Number.NaN)));
