import type { TraceEvent } from './trace.ts';

/** Hosts hand in their lines when they can; within one host the order stays. The same list if it was in order already. */
export const inOrder = (events: readonly TraceEvent[]): readonly TraceEvent[] => {
  let last = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    if (event.t < last) return [...events].sort((a, b) => a.t - b.t);
    last = event.t;
  }
  return events;
};

/** How late a host may hand in its lines (agents gather them for some milliseconds). */
const LATE_MICROS = 1_000_000;

/** The same for a trace that is still coming in: each event is passed on once nothing earlier can come any more. */
export class Reorder {
  readonly #next: (event: TraceEvent) => void;
  #held: TraceEvent[] = [];
  #latest = Number.NEGATIVE_INFINITY;
  #sorted = true;

  constructor(next: (event: TraceEvent) => void) {
    this.#next = next;
  }

  push(event: TraceEvent): void {
    if (event.t < this.#latest) this.#sorted = false;
    else this.#latest = event.t;
    this.#held.push(event);
    const [first] = this.#held;
    if (first !== undefined && this.#latest - first.t > 2 * LATE_MICROS)
      this.#release(this.#latest - LATE_MICROS);
  }

  /** Nothing more will come. */
  end(): void {
    this.#release(Number.POSITIVE_INFINITY);
  }

  #release(until: number): void {
    if (!this.#sorted) this.#held.sort((a, b) => a.t - b.t);
    this.#sorted = true;
    const keep = this.#held.findIndex((event) => event.t > until);
    const released = keep < 0 ? this.#held : this.#held.slice(0, keep);
    this.#held = keep < 0 ? [] : this.#held.slice(keep);
    for (const event of released) this.#next(event);
  }
}
