import type { Millis } from '../machine/machine.ts';
import { U32_MAX } from './frame.ts';

/**
 * One ping under way at a time, and the silence it may meet. Anything heard from the peer restarts the wait for the answer:
 * on a slow link the answer stands behind payload, and a peer that talks is alive.
 */
export class Keepalive {
  readonly #everyMillis: Millis;
  readonly #answerMillis: Millis;
  #since: Millis | undefined;
  #value = U32_MAX;
  #sentAt: Millis | undefined;
  #heardAt: Millis = 0;

  /** @param everyMillis between pings, 0: none by itself @param answerMillis silence allowed after a ping, 0: any */
  constructor(everyMillis: Millis, answerMillis: Millis) {
    this.#everyMillis = everyMillis;
    this.#answerMillis = answerMillis;
  }

  /** The first call starts the clock. */
  start(now: Millis): void {
    this.#since ??= now;
  }

  heard(now: Millis): void {
    this.#heardAt = now;
  }

  get waiting(): boolean {
    return this.#sentAt !== undefined;
  }

  /** How long the peer has been silent since the ping, or before it. */
  silentMillis(now: Millis): Millis {
    return now - Math.max(this.#sentAt ?? 0, this.#heardAt);
  }

  /** @returns the value of the ping to send now; undefined: one is under way and its answer will do */
  ping(now: Millis): number | undefined {
    if (this.#sentAt !== undefined) return undefined;
    this.#sentAt = now;
    this.#since = now;
    this.#value = (this.#value + 1) >>> 0;
    return this.#value;
  }

  /** @returns the round trip; undefined: nobody asked with this value */
  answered(now: Millis, value: number): Millis | undefined {
    if (this.#sentAt === undefined || value !== this.#value) return undefined;
    const rttMillis = now - this.#sentAt;
    this.#sentAt = undefined;
    return rttMillis;
  }

  /** When the answer is overdue, or else when the next ping is due. */
  due(): Millis | undefined {
    if (this.#sentAt !== undefined)
      return this.#answerMillis === 0
        ? undefined
        : Math.max(this.#sentAt, this.#heardAt) + this.#answerMillis;
    if (this.#everyMillis === 0 || this.#since === undefined) return undefined;
    return this.#since + this.#everyMillis;
  }
}
