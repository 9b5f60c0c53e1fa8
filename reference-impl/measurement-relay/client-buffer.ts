import type { Millis } from '../machine/machine.ts';
import type { ClientConfig, ClientCounters } from './client-report.ts';
import type { LostPoints } from './lost-points.ts';
import type { Point } from './messages.ts';
import { BATCH_BYTES_MAX, type PointsTaker, PointsWriter } from './points-writer.ts';

/** Between the polls and the spool: encodes points, gives metrics their ids on the wire, ends batches by length and time. */
export class ClientBuffer {
  readonly #config: ClientConfig;
  readonly #counters: ClientCounters;
  readonly #lost: LostPoints;
  readonly #writer = new PointsWriter();
  /** By the registry's id. `none`: the spool has no id left. */
  readonly #wireIds: (number | 'none')[] = [];
  #lastSeal: Millis = 0;
  /** Batches up to here are on their way. */
  sentThrough = 0;

  constructor(config: ClientConfig, counters: ClientCounters, lost: LostPoints) {
    this.#config = config;
    this.#counters = counters;
    this.#lost = lost;
  }

  /** Takes what an earlier run has left. */
  start(now: Millis): void {
    const { spool } = this.#config;
    this.#lastSeal = now;
    spool.seal();
    this.#counters.recovered = spool.books.sealedPoints;
    this.#counters.spooled = spool.books.sealedPoints;
    this.syncMetrics();
  }

  /** Gives every metric of the registry an id in the spool. */
  syncMetrics(): void {
    const { list } = this.#config.registry;
    for (const metric of list.slice(this.#wireIds.length))
      this.#wireIds.push(this.#config.spool.metricId(metric) ?? 'none');
  }

  append(now: Millis, points: readonly Point[]): void {
    this.#counters.received += points.length;
    this.syncMetrics();
    const { spool, bufferMaxLength } = this.#config;
    const { openPoints } = spool.books;
    // the points of one poll stay together
    if (openPoints > 0 && openPoints + points.length > bufferMaxLength) this.seal(now);
    this.#writer.write(points, this.#taker(now));
    this.sealIfDue(now);
    this.recount();
  }

  /** Ends the batch that grows, if it holds anything. */
  seal(now: Millis): void {
    if (this.#config.spool.seal() === undefined) return;
    this.#lastSeal = now;
    this.recount();
  }

  sealIfDue(now: Millis): void {
    const { openPoints } = this.#config.spool.books;
    if (openPoints === 0) return;
    if (openPoints >= this.#config.bufferMaxLength || now >= this.#sealAt()) this.seal(now);
  }

  /** When the batch that grows ends by itself. */
  deadline(): Millis | undefined {
    return this.#counters.buffered === 0 ? undefined : this.#sealAt();
  }

  /** After anything was done to the spool. */
  recount(): void {
    const { openPoints, sealedPoints } = this.#config.spool.books;
    this.#counters.buffered = openPoints;
    this.#counters.spooled = sealedPoints;
  }

  #sealAt(): Millis {
    return this.#lastSeal + this.#config.bufferTimeoutMillis;
  }

  #taker(now: Millis): PointsTaker {
    return {
      wireId: (point) => this.#wireId(point),
      unencodable: (detail) => this.#lost.add('unencodable', 1, detail),
      tooLong: (bytes) =>
        this.#lost.add('too long', 1, `${bytes} bytes, a batch has at most ${BATCH_BYTES_MAX}`),
      part: (bytes, points) => this.#part(now, bytes, points),
    };
  }

  #wireId({ metric_id }: Point): number | undefined {
    const id = this.#wireIds[metric_id];
    if (typeof id === 'number') return id;
    if (id === undefined) this.#lost.add('unknown metric', 1, `metric id ${metric_id}`);
    else this.#lost.add('too many metrics', 1, `metric id ${metric_id}: the spool has no id left for it`);
    return undefined;
  }

  #part(now: Millis, bytes: Uint8Array, points: number): void {
    const { spool } = this.#config;
    if (spool.books.openBytes + bytes.length > BATCH_BYTES_MAX) this.seal(now);
    const { taken, droppedPoints, detail } = spool.append(bytes, points, this.sentThrough);
    if (droppedPoints > 0) this.#lost.add('dropped for newer', droppedPoints, detail);
    if (!taken) this.#lost.add('spool full', points, detail);
  }
}
