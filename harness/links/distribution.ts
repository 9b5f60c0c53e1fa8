/** What a sample of delays should look like, by numbers drawn from the declared shape: also where it is cut off at zero. */
import type { Fault } from 'chaos-proxy';
import { Rng } from '../../reference-impl/machine/rng.ts';

type Latency = Extract<Fault, { readonly kind: 'latency' }>;

/** Milliseconds. `spread`: from the 10th to the 80th percentile (beyond, a heavy tail is mostly luck). `...Error`: the standard error of a sample of that size. */
export type Expected = {
  readonly median: number;
  readonly medianError: number;
  readonly spread: number;
  readonly spreadError: number;
};

const SAMPLES = 300;

/** Nearest rank. NaN for no values at all. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};
export const median = (values: readonly number[]): number => quantile(values, 0.5);
/** Between the 10th and the 80th percentile. */
export const spread = (values: readonly number[]): number => quantile(values, 0.8) - quantile(values, 0.1);

const draw = (rng: Rng, dist: string): number => {
  const unit = rng.unit();
  if (dist === 'uniform') return 2 * unit - 1;
  if (dist === 'pareto') return Math.min(10, 1 / Math.sqrt(1 - unit) - 1);
  return Math.sqrt(-2 * Math.log(1 - unit)) * Math.cos(2 * Math.PI * rng.unit());
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const error = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

/** Of the first unit of `size` connections: a correlated draw has no neighbours yet and keeps only its own share. */
export const expectedDelays = (
  { ms, jitter = 0, dist = 'uniform', correlation = 0 }: Latency,
  size: number,
): Expected => {
  const rng = new Rng(1, 2, 3, 4);
  const weight = Math.sqrt(1 - correlation * correlation);
  const samples = Array.from({ length: SAMPLES }, () =>
    Array.from({ length: size }, () => Math.max(0, ms + jitter * weight * draw(rng, dist))),
  );
  const all = samples.flat();
  return {
    median: median(all),
    medianError: error(samples.map(median)),
    spread: spread(all),
    spreadError: error(samples.map(spread)),
  };
};
