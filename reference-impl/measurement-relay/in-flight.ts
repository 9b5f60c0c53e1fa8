import type { Millis } from '../machine/machine.ts';
import type { SpooledBatch } from './spool.ts';

type Sent = { readonly number: number; readonly points: number; readonly bytes: number };

/** Batches handed to a connection whose fate is not known, oldest first, and since when nothing of them has moved. */
export class InFlight {
  readonly #patienceMillis: Millis;
  #sent: Sent[] = [];
  #movedAt: Millis = 0;
  bytes = 0;

  /** @param patienceMillis how long nothing may move */
  constructor(patienceMillis: Millis) {
    this.#patienceMillis = patienceMillis;
  }

  get size(): number {
    return this.#sent.length;
  }

  /** The number sent last; undefined when nothing is on its way. */
  get last(): number | undefined {
    return this.#sent.at(-1)?.number;
  }

  /** When to give up on the connection. */
  deadline(): Millis | undefined {
    return this.#sent.length === 0 ? undefined : this.#movedAt + this.#patienceMillis;
  }

  add(now: Millis, { number, points, bytes }: SpooledBatch): void {
    if (this.#sent.length === 0) this.#movedAt = now;
    this.#sent.push({ number, points, bytes });
    this.bytes += bytes;
  }

  /** Takes off the oldest. @returns its number */
  first(now: Millis): number | undefined {
    const first = this.#sent.shift();
    if (first === undefined) return undefined;
    this.#movedAt = now;
    this.bytes -= first.bytes;
    return first.number;
  }

  /** Takes off all up to a number. @returns their points */
  through(now: Millis, number: number): number {
    let points = 0;
    for (let first = this.#sent[0]; first !== undefined && first.number <= number; first = this.#sent[0]) {
      points += first.points;
      this.first(now);
    }
    return points;
  }
}
