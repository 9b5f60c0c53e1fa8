import type { Millis } from '../machine/machine.ts';
import type { Rng } from '../machine/rng.ts';

/**
 * How a client waits between attempts to come back: step n is min(cap, base * factor^n), the wait is drawn evenly from
 * ((1 - jitter) * step, step]. The count starts again after a connection that stayed healthy long enough, so a relay that
 * accepts and drops at once is not hammered.
 */
export type Schedule = {
  readonly baseMillis: Millis;
  readonly factor: number;
  readonly capMillis: Millis;
  /** Share of the step that is random, 0 to 1. Without it a fleet returns as a herd. */
  readonly jitter: number;
  /** A connection that lived this long counts as healthy: the next loss starts at the base again. 0: any success resets. */
  readonly healthyMillis: Millis;
  /** Attempts in a row before giving up, or `FOR_EVER`. */
  readonly triesMax: number;
};

/** No limit of tries. Not Infinity: schedules travel as JSON, which makes null of it, and a client with null tries gives up at once. */
export const FOR_EVER = Number.MAX_SAFE_INTEGER;

/** What the clients of this project use unless told otherwise. */
export const DEFAULT_SCHEDULE: Schedule = {
  baseMillis: 250,
  factor: 2,
  capMillis: 30_000,
  jitter: 0.5,
  healthyMillis: 5_000,
  triesMax: FOR_EVER,
};

/** The step before jitter. By repeated product: Math.pow is not specified to the bit. */
export const backoffStep = (schedule: Schedule, attempt: number): Millis => {
  let step = schedule.baseMillis;
  for (let i = 0; i < attempt && step < schedule.capMillis; i++) step *= schedule.factor;
  return step < schedule.capMillis ? step : schedule.capMillis;
};

/** The wait before attempt number `attempt` (0: the first after a loss), whole milliseconds. */
export const backoffWait = (schedule: Schedule, attempt: number, rng: Rng): Millis => {
  const step = backoffStep(schedule, attempt);
  return Math.round(step - step * schedule.jitter * rng.unit());
};

/** Counts attempts by the reset rule. One per connection that must be kept up. */
export class Backoff {
  readonly #schedule: Schedule;
  readonly #rng: Rng;
  #attempt = 0;
  #since: Millis | undefined;

  constructor(schedule: Schedule, rng: Rng) {
    this.#schedule = schedule;
    this.#rng = rng;
  }

  /** How many waits were taken since the last healthy connection. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The connection works (for a relay client: it is registered). */
  succeeded(now: Millis): void {
    this.#since = now;
  }

  /** The connection, or the attempt at it, is over. @returns the wait before the next attempt; undefined: give up. */
  failed(now: Millis): Millis | undefined {
    if (this.#since !== undefined && now - this.#since >= this.#schedule.healthyMillis) this.#attempt = 0;
    this.#since = undefined;
    if (this.#attempt >= this.#schedule.triesMax) return undefined;
    return backoffWait(this.#schedule, this.#attempt++, this.#rng);
  }
}
