/** Where a measurement server puts its points, as far as its actor knows. */
import type { Batch, Origin, Point } from '../../reference-impl/measurement-relay/messages.ts';
import type { MetricRegistry } from '../../reference-impl/measurement-relay/metrics.ts';
import { StoreWatch } from '../measure/store-watch.ts';
import type { StoreEvent } from '../trace/measurement-words.ts';

export interface PointStore {
  /** Stores a batch and its number together; one that is stored already is left alone. @throws Error when it cannot */
  write(batch: Batch): void;
  /** The last batch of a spool that lies here. */
  lastStored(client: string, spool: string): number | undefined;
  /** What lies here that was not told yet; a store that somebody else reads says nothing. */
  told(): readonly StoreEvent[];
  close(): void;
}

/** What a kill of the server does not touch: the batches' numbers, and which points there are. */
export type Disk = { readonly batches: Map<string, number>; readonly watch: StoreWatch };

export const newDisk = (coded: readonly string[]): Disk => ({
  batches: new Map(),
  watch: new StoreWatch(new Set(coded)),
});

const keyOf = ({ client, spool }: Pick<Origin, 'client' | 'spool'>): string => `${client}\0${spool}`;

const RELAY_CLIENT = 'relay_client';
const clientOf = ({ attributes }: Point): string => {
  const found = attributes.find(([key]) => key === RELAY_CLIENT)?.[1];
  return found?.tag === 'Str' ? found.value : '';
};

/** Keeps no point: notes which ones came, and that is told. For the simulator. */
export class MemoryStore implements PointStore {
  readonly #disk: Disk;
  readonly #registry: MetricRegistry;

  constructor(disk: Disk, registry: MetricRegistry) {
    this.#disk = disk;
    this.#registry = registry;
  }

  write({ points, origin }: Batch): void {
    const { batches, watch } = this.#disk;
    if (origin !== undefined) {
      const last = batches.get(keyOf(origin)) ?? 0;
      if (origin.batch <= last) return;
      batches.set(keyOf(origin), origin.batch);
    }
    for (const point of points) {
      const { consumer_id: consumer, value, timestamp } = point;
      watch.push({
        client: clientOf(point),
        consumer,
        metric: this.#registry.get(point.metric_id)?.name ?? '',
        value: Number(value.value),
        micros: Math.floor(timestamp.nanos / 1_000),
      });
    }
  }

  lastStored(client: string, spool: string): number | undefined {
    return this.#disk.batches.get(keyOf({ client, spool }));
  }

  told(): readonly StoreEvent[] {
    return this.#disk.watch.take();
  }

  close(): void {}
}
