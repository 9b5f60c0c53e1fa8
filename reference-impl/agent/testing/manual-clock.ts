import type { Clock } from '../pipeline/clock.ts';

/** A clock that a test turns. Time stands still between calls of `turn`. */
export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #waiting: { readonly at: number; readonly order: number; readonly call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  timestamp(): { readonly secs: number; readonly nanos: number } {
    return { secs: 1_000 + Math.floor(this.#now / 1000), nanos: Math.round((this.#now % 1000) * 1e6) };
  }

  wake(at: number, call: () => void): () => void {
    const entry = { at, order: this.#order++, call };
    this.#waiting.push(entry);
    return () => {
      const index = this.#waiting.indexOf(entry);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
  }

  /** How many wait. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Lets time pass: everything that falls due happens in its order, each with all that follows from it. */
  async turn(millis: number): Promise<void> {
    const end = this.#now + millis;
    await settled();
    for (;;) {
      const next = this.#waiting
        .filter(({ at }) => at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.call();
      await settled();
    }
    this.#now = end;
  }
}

/** Everything that can happen without time passing has happened: a turn of the event loop runs all microtasks. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
