import { WIRE_METRIC_ID_MAX } from './messages.ts';
import { type MetricDefinition, plainUnit } from './metrics.ts';
import { SealedBatches } from './sealed-batches.ts';
import {
  type Appended,
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
  #sealed = new SealedBatches<SpooledBatch>();
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
      sealedBatches: this.#sealed.count,
      sealedPoints: this.#sealed.points,
      sealedBytes: this.#sealed.bytes,
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
    const { bytesMax, whenFull } = this.#limits;
    const over = this.#sealed.bytes + this.#open.bytes + part.length - bytesMax;
    const room = this.#sealed.room(over, whenFull, sentThrough);
    const detail = `its limit is ${bytesMax} bytes`;
    if (room === undefined) return { taken: false, droppedPoints: 0, detail };
    this.#sealed.makeRoom(room);
    this.#open.parts.push(part);
    this.#open.points += points;
    this.#open.bytes += part.length;
    return { taken: true, droppedPoints: room.points, detail };
  }

  seal(): number | undefined {
    if (this.#open.points === 0) return undefined;
    const number = this.#next++;
    this.#sealed.add({ number, ...this.#open });
    this.#open = empty();
    return number;
  }

  peek(from: number): SpooledBatch | undefined {
    return this.#sealed.from(from);
  }

  trim(through: number): number {
    return this.#sealed.trim(through).reduce((sum, { points }) => sum + points, 0);
  }

  renew(): void {
    this.#id = this.#newId();
  }

  close(): void {
    this.#open = empty();
    this.#sealed = new SealedBatches();
  }
}
