import { WIRE_METRIC_ID_MAX } from './messages.ts';
import { type MetricDefinition, plainUnit } from './metrics.ts';
import {
  type Appended,
  roomFor,
  SPOOL_LIMITS,
  type Spool,
  type SpoolBooks,
  type SpooledBatch,
  type SpoolLimits,
  type SpoolMetric,
} from './spool.ts';

/** A metric in the spool's words, and the text that tells it from others. */
export const spoolMetric = (id: number, metric: MetricDefinition): { wire: SpoolMetric; key: string } => {
  const { name, valueType } = metric;
  const unit = plainUnit(metric.unit);
  return {
    wire: { id, name, value_type: valueType, unit },
    key: JSON.stringify([name, valueType, unit.base, unit.prefix]),
  };
};

type Growing = { points: number; bytes: number; parts: Uint8Array[] };
const empty = (): Growing => ({ points: 0, bytes: 0, parts: [] });

/** A spool that dies with its process. */
export class MemorySpool implements Spool {
  readonly durable: boolean = false;
  readonly #limits: SpoolLimits;
  readonly #newId: () => string;
  readonly #metrics: SpoolMetric[] = [];
  readonly #ids = new Map<string, number>();
  #id: string;
  #open = empty();
  #sealed: SpooledBatch[] = [];
  #sealedPoints = 0;
  #sealedBytes = 0;
  #next = 1;

  /** @param newId names that nobody else's spool has, 1 to 64 characters */
  constructor(newId: () => string, limits: Partial<SpoolLimits> = {}) {
    this.#newId = newId;
    this.#id = newId();
    this.#limits = { ...SPOOL_LIMITS, ...limits };
  }

  get id(): string {
    return this.#id;
  }

  get metrics(): readonly SpoolMetric[] {
    return this.#metrics;
  }

  get next(): number {
    return this.#next;
  }

  get books(): SpoolBooks {
    return {
      openPoints: this.#open.points,
      openBytes: this.#open.bytes,
      sealedBatches: this.#sealed.length,
      sealedPoints: this.#sealedPoints,
      sealedBytes: this.#sealedBytes,
    };
  }

  metricId(metric: MetricDefinition): number | undefined {
    const { wire, key } = spoolMetric(this.#metrics.length, metric);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (wire.id > WIRE_METRIC_ID_MAX) return undefined;
    this.#metrics.push(wire);
    this.#ids.set(key, wire.id);
    return wire.id;
  }

  append(part: Uint8Array, points: number, sentThrough: number): Appended {
    const dropped = this.#makeRoom(part.length, sentThrough);
    const detail = `its limit is ${this.#limits.bytesMax} bytes`;
    if (dropped === undefined) return { taken: false, droppedPoints: 0, detail };
    this.#open.parts.push(part);
    this.#open.points += points;
    this.#open.bytes += part.length;
    return { taken: true, droppedPoints: dropped, detail };
  }

  seal(): number | undefined {
    if (this.#open.points === 0) return undefined;
    const number = this.#next++;
    this.#sealed.push({ number, ...this.#open });
    this.#sealedPoints += this.#open.points;
    this.#sealedBytes += this.#open.bytes;
    this.#open = empty();
    return number;
  }

  peek(from: number): SpooledBatch | undefined {
    // those before it are in flight: few
    return this.#sealed.find(({ number }) => number >= from);
  }

  trim(through: number): number {
    let count = 0;
    let points = 0;
    for (const batch of this.#sealed) {
      if (batch.number > through) break;
      count++;
      points += batch.points;
      this.#sealedBytes -= batch.bytes;
    }
    this.#sealed.splice(0, count);
    this.#sealedPoints -= points;
    return points;
  }

  renew(): void {
    this.#id = this.#newId();
  }

  close(): void {
    this.#open = empty();
    this.#sealed = [];
  }

  /** @returns points dropped for it; undefined: there is no room to be had */
  #makeRoom(bytes: number, sentThrough: number): number | undefined {
    const over = this.#sealedBytes + this.#open.bytes + bytes - this.#limits.bytesMax;
    const room = roomFor(over, this.#sealed, this.#limits.whenFull, sentThrough);
    if (room === undefined) return undefined;
    this.#sealed.splice(room.first, room.count);
    this.#sealedBytes -= room.bytes;
    this.#sealedPoints -= room.points;
    return room.points;
  }
}
