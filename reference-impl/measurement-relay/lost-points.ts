import type { ClientCounters, ClientDrop, ClientReport } from './client-report.ts';

type Dropped = Extract<ClientReport, { type: 'client.dropped' }>;

/** Counts points that are lost, and keeps one report a reason until it is taken, whatever the number of points. */
export class LostPoints {
  readonly #counters: ClientCounters;
  readonly #untold = new Map<ClientDrop, { points: number; readonly detail: string }>();

  constructor(counters: ClientCounters) {
    this.#counters = counters;
  }

  /** @param detail of the first */
  add(why: ClientDrop, points: number, detail: string): void {
    this.#counters.dropped[why] += points;
    const untold = this.#untold.get(why);
    if (untold === undefined) this.#untold.set(why, { points, detail });
    else untold.points += points;
  }

  take(): readonly Dropped[] {
    if (this.#untold.size === 0) return [];
    const reports: Dropped[] = [...this.#untold].map(([why, lost]) => ({
      type: 'client.dropped',
      why,
      ...lost,
    }));
    this.#untold.clear();
    return reports;
  }
}
