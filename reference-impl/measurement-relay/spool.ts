import type { WireMetric } from './messages.ts';
import type { MetricDefinition } from './metrics.ts';

export type SpoolLimits = {
  /** Of encoded points; what keeps them (a database, say) comes on top. */
  readonly bytesMax: number;
  /** `drop oldest` loses the oldest batch that is not on its way, `refuse` the newest points. */
  readonly whenFull: 'drop oldest' | 'refuse';
};
export const SPOOL_LIMITS: SpoolLimits = { bytesMax: 64 * 1024 * 1024, whenFull: 'drop oldest' };

/** A sealed batch: encoded points, one behind the other over all parts, with the spool's ids for metrics. */
export type SpooledBatch = {
  readonly number: number;
  readonly points: number;
  readonly bytes: number;
  readonly parts: readonly Uint8Array[];
};

/** A metric by the spool's own id, which goes on the wire. */
export type SpoolMetric = WireMetric & { readonly id: number };

/** What `append` did. */
export type Appended = {
  /** false: the points were refused, nothing is kept of them. */
  readonly taken: boolean;
  /** Points of older batches that were dropped to make room. */
  readonly droppedPoints: number;
  /** Why it was refused, or what had to go. */
  readonly detail: string;
};

/** How much a spool holds: in the batch that still grows, and in sealed ones. */
export type SpoolBooks = {
  readonly openPoints: number;
  readonly openBytes: number;
  readonly sealedBatches: number;
  readonly sealedPoints: number;
  readonly sealedBytes: number;
};

/**
 * What a client has not delivered yet: one batch that grows and sealed ones behind it, oldest first. Batches are numbered 1, 2, 3,
 * ... as they are sealed; a number never means other points, which a durable spool has made sure of when it seals. Called synchronously
 * by the client machine. A disk that fails to write shows as points refused, or as a batch that goes on growing; one that cannot be
 * read throws, through the machine, to its owner.
 */
export interface Spool {
  /** Names this spool for the server; another one after `renew`. */
  readonly id: string;
  /** Outlives the process: what cannot be delivered at the end is not lost. */
  readonly durable: boolean;
  /** Metrics its points refer to, by the spool's own ids, in their order. */
  readonly metrics: readonly SpoolMetric[];
  readonly books: SpoolBooks;
  /** The number the next sealed batch gets. */
  readonly next: number;
  /** The id of a metric in this spool, given at the first asking. @returns undefined: there are 65,536 already */
  metricId(metric: MetricDefinition): number | undefined;
  /**
   * Adds points to the batch that grows.
   * @param sentThrough batches up to this number are on their way and must stay
   */
  append(part: Uint8Array, points: number, sentThrough: number): Appended;
  /** Ends the batch that grows. @returns its number; undefined when it is empty */
  seal(): number | undefined;
  /** The first sealed batch of this number or a higher one. */
  peek(from: number): SpooledBatch | undefined;
  /** Forgets the sealed batches up to this number. @returns their points */
  trim(through: number): number;
  /** Takes another id and keeps the batches: for a spool that was set back, whose numbers the server has seen with other points. */
  renew(): void;
  close(): void;
}
