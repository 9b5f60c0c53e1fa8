import type { Happening, TraceEvent } from './trace.ts';

/** Turns what a host reports into lines of the trace: adds when (whole microseconds), who, and the host's own count. */
export class Stamper {
  readonly #last = new Map<string, { n: number; t: number }>();
  readonly #micros: () => number;
  readonly #sink: (event: TraceEvent) => void;

  constructor(micros: () => number, sink: (event: TraceEvent) => void) {
    this.#micros = micros;
    this.#sink = sink;
  }

  /** Stamped with the time it is now. */
  say(who: string, event: Happening): void {
    this.#write(who, this.#micros(), event);
  }

  /**
   * Stamped with the time at which a machine did it, in its own clock: between two of its decisions lies exactly what it waited,
   * however busy the process was when it got round to saying so. Never before what the host said last.
   */
  sayAt(who: string, micros: number, event: Happening): void {
    this.#write(who, Math.max(micros, this.#last.get(who)?.t ?? Number.NEGATIVE_INFINITY), event);
  }

  #write(who: string, t: number, event: Happening): void {
    const n = (this.#last.get(who)?.n ?? 0) + 1;
    this.#last.set(who, { n, t });
    this.#sink({ t, who, n, ...event });
  }
}
