import type { Point } from '../../../measurement-relay/messages.ts';
import type { Clock } from '../../pipeline/clock.ts';
import type { Source } from '../../pipeline/element.ts';
import type { KernelUnits } from './process-files.ts';
import { type ProcessMetrics, type ProcessReading, processPoints } from './process-points.ts';
import type { MemoryMode, ProcessFilter, ProcessTable } from './process-table.ts';

export type ProcessPolling = {
  readonly periodMillis: number;
  readonly flushMillis: number;
  readonly memoryMode: MemoryMode;
};
export type ProcessGroup = ProcessPolling & { readonly filter: ProcessFilter };

type Found = Map<number, { readonly start: number; readonly group: number }>;

/** Which processes belong to which group, by the first filter that takes them. Looked up anew after `refreshMillis`. */
export class ProcessGroups {
  readonly #table: ProcessTable;
  readonly #filters: readonly ProcessFilter[];
  readonly #refreshMillis: number;
  /** pid -> its start, and the number of its group (-1: none). */
  #found: Found = new Map();
  #refreshed = Number.NEGATIVE_INFINITY;

  constructor(table: ProcessTable, filters: readonly ProcessFilter[], refreshMillis: number) {
    this.#table = table;
    this.#filters = filters;
    this.#refreshMillis = refreshMillis;
  }

  /** Processes of a group, as of the last look. */
  of(group: number, nowMillis: number): readonly number[] {
    if (nowMillis - this.#refreshed >= this.#refreshMillis) this.#refresh(nowMillis);
    return [...this.#found].flatMap(([pid, found]) => (found.group === group ? [pid] : []));
  }

  #refresh(nowMillis: number): void {
    this.#refreshed = nowMillis;
    const found: Found = new Map();
    for (const pid of this.#table.pids()) {
      const stat = this.#table.stat(pid);
      if (stat === undefined) continue;
      const known = this.#found.get(pid);
      // the same number may be another process by now
      const group =
        known?.start === stat.startTicks
          ? known.group
          : this.#filters.findIndex((filter) => this.#table.matches(filter, pid, stat));
      found.set(pid, { start: stat.startTicks, group });
    }
    this.#found = found;
  }
}

/** Measures some processes each period. Those that ended are forgotten. */
export const processSource = (
  name: string,
  { periodMillis, flushMillis, memoryMode }: ProcessPolling,
  pids: () => Iterable<number>,
  {
    table,
    metrics,
    clock,
    units,
    cores,
  }: {
    readonly table: ProcessTable;
    readonly metrics: ProcessMetrics;
    readonly clock: Clock;
    readonly units: KernelUnits;
    readonly cores: number;
  },
): Source => {
  let before = new Map<number, ProcessReading>();
  return {
    name,
    kind: 'managed',
    periodMillis,
    flushMillis,
    open: async () => undefined,
    poll: (at) => {
      const points: Point[] = [];
      const readings = new Map<number, ProcessReading>();
      for (const pid of pids()) {
        const stat = table.stat(pid);
        const memory = stat === undefined ? undefined : table.memory(pid, memoryMode, stat.virtualBytes);
        if (stat === undefined || memory === undefined) continue;
        const earlier = before.get(pid);
        const reading: ProcessReading = { stat, memory, millis: clock.now() };
        const same = earlier?.stat.startTicks === stat.startTicks ? earlier : undefined;
        for (const point of processPoints(pid, same, reading, at, metrics, { units, cores }))
          points.push(point);
        readings.set(pid, reading);
      }
      before = readings;
      return points;
    },
    close: async () => undefined,
  };
};
