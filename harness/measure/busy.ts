import type { TraceEvent } from '../trace/trace.ts';

/** When the machine under a run had no processor time to spare, by what its runner said. The simulator's never lacks any. */
export class BusyCollector {
  /** In order, ends included; windows follow each other. */
  readonly #windows: { readonly fromMicros: number; readonly toMicros: number }[] = [];

  event(event: TraceEvent): void {
    if (event.type === 'machine.busy')
      this.#windows.push({ fromMicros: event.t - event.millis * 1_000, toMicros: event.t });
  }

  /** How much of this stretch of time was busy, 0 to 1. */
  share(fromMicros: number, toMicros: number): number {
    if (toMicros <= fromMicros) return 0;
    let busy = 0;
    for (const window of this.#windows)
      busy += Math.max(0, Math.min(toMicros, window.toMicros) - Math.max(fromMicros, window.fromMicros));
    return Math.min(1, busy / (toMicros - fromMicros));
  }
}
