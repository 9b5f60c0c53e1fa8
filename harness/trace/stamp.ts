import type { Happening, TraceEvent } from './trace.ts';

/** Turns what a host reports into lines of the trace: adds when (whole microseconds), who, and the host's own count. */
export class Stamper {
  readonly #counts = new Map<string, number>();
  readonly #micros: () => number;
  readonly #sink: (event: TraceEvent) => void;

  constructor(micros: () => number, sink: (event: TraceEvent) => void) {
    this.#micros = micros;
    this.#sink = sink;
  }

  say(who: string, event: Happening): void {
    const n = (this.#counts.get(who) ?? 0) + 1;
    this.#counts.set(who, n);
    this.#sink({ t: this.#micros(), who, n, ...event });
  }
}
