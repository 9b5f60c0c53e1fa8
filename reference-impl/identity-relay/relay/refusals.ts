import type { Conn, Millis } from '../../machine/machine.ts';
import { Timeouts } from '../../machine/timeouts.ts';
import type { Refusal, RelayReport } from './relay-report.ts';

const BURST_MILLIS = 1_000;

/** Counts refusals and thins their reports: the first of each second and reason is told at once, how many there were behind it. */
export class Refusals {
  readonly totals = new Map<Refusal, number>();
  readonly #burst = new Map<Refusal, number>();
  readonly #ends = new Timeouts<Refusal>(BURST_MILLIS);

  /** @returns what is to be reported, if anything */
  add(now: Millis, conn: Conn, why: Refusal): RelayReport | undefined {
    this.totals.set(why, (this.totals.get(why) ?? 0) + 1);
    const count = this.#burst.get(why) ?? 0;
    this.#burst.set(why, count + 1);
    if (count > 0) return undefined;
    this.#ends.set(now, why);
    return { type: 'strelay.refused', conn, why };
  }

  next(): Millis | undefined {
    return this.#ends.next();
  }

  *expired(now: Millis): Generator<RelayReport> {
    for (const why of this.#ends.expired(now)) {
      const count = this.#burst.get(why) ?? 0;
      this.#burst.delete(why);
      if (count > 1) yield { type: 'strelay.refusals', why, count };
    }
  }
}
