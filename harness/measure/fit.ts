/** The schedule a fleet really kept, from its waits alone: what it declares is not looked at. */

/** A value with how far it may be off. */
export type Estimate = { readonly value: number; readonly plusMinus: number };

export type Fit = {
  readonly baseMillis: Estimate | undefined;
  readonly factor: Estimate | undefined;
  /** undefined: no step was seen to stop growing. */
  readonly capMillis: Estimate | undefined;
  readonly jitter: Estimate | undefined;
  /** The count began again after a connection of at least `resetMillis` and went on after one of `keptMillis`. */
  readonly resetMillis: number | undefined;
  readonly keptMillis: number | undefined;
};

/** A fitted number this far from the declared one (as a share of it) is another schedule, not a machine that was slow. */
const TOLERANCE = 0.25;

/** Whether a fit speaks against what was declared. */
export const differs = (fitted: Estimate | undefined, declared: number): boolean =>
  fitted !== undefined &&
  Math.abs(fitted.value - declared) > Math.max(fitted.plusMinus, Math.abs(declared) * TOLERANCE);

/** One wait: `attempt` 0 is the first after a loss. */
export type Wait = { readonly attempt: number; readonly waitMicros: number };

/** Fewer waits of one attempt number say nothing about an interval's ends. */
const WAITS_MIN = 5;

type Step = { readonly attempt: number; readonly n: number; readonly low: number; readonly high: number };

/** Ends of an interval from evenly spread draws in it (the outermost draws, moved out by the mean gap). */
const stepOf = (attempt: number, waits: readonly number[]): Step => {
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const wait of waits) {
    if (wait < min) min = wait;
    if (wait > max) max = wait;
  }
  const n = waits.length;
  const gap = (max - min) / (n - 1);
  return { attempt, n, low: Math.max(0, min - gap), high: max + gap };
};

/** A step grew if it is at least a fifth above the one before. */
const GREW = 1.2;

/** Reads base, factor, cap and jitter from waits in microseconds. */
export const fitWaits = (waits: readonly Wait[]): Omit<Fit, 'resetMillis' | 'keptMillis'> => {
  const byAttempt = new Map<number, number[]>();
  for (const { attempt, waitMicros } of waits) {
    const list = byAttempt.get(attempt);
    if (list === undefined) byAttempt.set(attempt, [waitMicros]);
    else list.push(waitMicros);
  }
  const steps = [...byAttempt]
    .filter(([, list]) => list.length >= WAITS_MIN)
    .map(([attempt, list]) => stepOf(attempt, list))
    .sort((a, b) => a.attempt - b.attempt);
  const first = steps[0]?.attempt === 0 ? steps[0] : undefined;
  return {
    baseMillis: first === undefined ? undefined : highOf(first),
    factor: factorOf(steps),
    capMillis: capOf(steps),
    jitter: jitterOf(steps),
  };
};

const highOf = (step: Step): Estimate => ({
  value: step.high / 1_000,
  plusMinus: Math.max(0.5, (step.high - step.low) / step.n / 1_000),
});

const factorOf = (steps: readonly Step[]): Estimate | undefined => {
  let weighted = 0;
  let weight = 0;
  let error = 0;
  for (let i = 1; i < steps.length; i++) {
    const before = steps[i - 1];
    const after = steps[i];
    if (before === undefined || after === undefined || after.attempt !== before.attempt + 1) continue;
    const next = steps[i + 1];
    const atCap = next?.attempt === after.attempt + 1 && next.high < after.high * GREW && next.high > 0;
    if (after.high < before.high * GREW || (atCap && weight > 0)) continue;
    const ratio = after.high / before.high;
    const n = Math.min(before.n, after.n);
    weighted += ratio * n;
    weight += n;
    error += ratio * ((after.high - after.low) / after.high);
  }
  return weight === 0 ? undefined : { value: weighted / weight, plusMinus: Math.max(0.01, error / weight) };
};

const capOf = (steps: readonly Step[]): Estimate | undefined => {
  const last = steps.at(-1);
  const before = steps.at(-2);
  if (last === undefined || before === undefined || last.attempt !== before.attempt + 1) return undefined;
  if (last.high >= before.high * GREW) return undefined;
  const flat = steps.filter((step) => step.high >= last.high / GREW);
  const n = flat.reduce((sum, step) => sum + step.n, 0);
  const high = flat.reduce((most, step) => Math.max(most, step.high), 0);
  return { value: high / 1_000, plusMinus: Math.max(0.5, (high - last.low) / n / 1_000) };
};

const jitterOf = (steps: readonly Step[]): Estimate | undefined => {
  let weighted = 0;
  let n = 0;
  for (const step of steps) {
    weighted += (1 - step.low / step.high) * step.n;
    n += step.n;
  }
  if (n === 0) return undefined;
  const value = weighted / n;
  return { value, plusMinus: Math.max(0.01, (2 * value * steps.length) / n) };
};
