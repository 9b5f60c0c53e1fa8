import { randomBytes } from 'node:crypto';
import { connNames, NodeDriver } from '../../drivers/node.ts';
import type { Address, Millis } from '../../machine/machine.ts';
import { MeasurementClient } from '../client.ts';
import {
  BUFFER,
  CLIENT_BOUNDS,
  type ClientBounds,
  type ClientCommand,
  type ClientCounters,
  type ClientReport,
  RETRY,
  type RetryOptions,
} from '../client-report.ts';
import { MemorySpool } from '../memory-spool.ts';
import type { Point } from '../messages.ts';
import type { MetricRegistry } from '../metrics.ts';
import type { Spool } from '../spool.ts';

export type MeasurementClientOptions = {
  readonly server: Address;
  readonly clientName: string;
  /** What the ids of appended points mean. */
  readonly registry: MetricRegistry;
  /** Default: in memory, 64 MiB, the oldest is dropped. Another one is yours to close, after `close`. */
  readonly spool?: Spool;
  /** Default 4,096 points. */
  readonly bufferMaxLength?: number;
  /** Default 30 s. */
  readonly bufferTimeoutMillis?: Millis;
  /** What is not named is as in `RETRY`: 500 ms doubling to 4 s, 8 retries. `maxTimes: Infinity` never gives up. */
  readonly retry?: Partial<RetryOptions>;
  /** Default true. */
  readonly acknowledge?: boolean;
  readonly bounds?: Partial<ClientBounds>;
  /** Hears of everything, for logs and counters. Must not throw. */
  readonly report?: (event: ClientReport) => void;
};

/** A client that runs, until `close` or until it gives up. */
export class OpenedClient {
  readonly #driver: NodeDriver<ClientReport, ClientCommand>;
  readonly #machine: MeasurementClient;
  readonly #report: ((event: ClientReport) => void) | undefined;
  readonly #gaveUp = Promise.withResolvers<Extract<ClientReport, { type: 'client.gaveUp' }>>();
  readonly #stopped = Promise.withResolvers<number>();
  #closing = false;

  constructor(options: MeasurementClientOptions) {
    const name = connNames();
    this.#report = options.report;
    this.#machine = new MeasurementClient({
      server: options.server,
      clientName: options.clientName,
      registry: options.registry,
      spool: options.spool ?? new MemorySpool(newSpoolId),
      bufferMaxLength: options.bufferMaxLength ?? BUFFER.bufferMaxLength,
      bufferTimeoutMillis: options.bufferTimeoutMillis ?? BUFFER.bufferTimeoutMillis,
      retry: { ...RETRY, ...options.retry },
      acknowledge: options.acknowledge ?? true,
      bounds: { ...CLIENT_BOUNDS, ...options.bounds },
      name,
    });
    this.#driver = new NodeDriver<ClientReport, ClientCommand>(this.#machine, {
      name,
      report: (event) => this.#hear(event),
    });
    this.#driver.start();
  }

  get counters(): Readonly<ClientCounters> {
    return this.#machine.counters;
  }

  /** Resolves (never rejects) if the client gives up; it may still be told to `close`. */
  get gaveUp(): Promise<Extract<ClientReport, { type: 'client.gaveUp' }>> {
    return this.#gaveUp.promise;
  }

  /** Takes the points of one poll, with the registry's metric ids. Never waits. A durable spool has them when this returns. */
  append(points: readonly Point[]): void {
    this.#driver.tell({ type: 'append', points });
  }

  /** Sends what is in the buffer now. */
  flush(): void {
    this.#driver.tell({ type: 'flush' });
  }

  /** Delivers what is left (at most `bounds.drainMillis`) and ends. @returns points that could not be delivered */
  async close(): Promise<number> {
    if (!this.#closing) {
      this.#closing = true;
      this.#driver.stop();
    }
    return this.#stopped.promise;
  }

  #hear(event: ClientReport): void {
    this.#report?.(event);
    if (event.type === 'client.gaveUp') this.#gaveUp.resolve(event);
    if (event.type !== 'client.stopped') return;
    // not inside the driver's own turn
    queueMicrotask(() => {
      this.#driver.destroy();
      this.#stopped.resolve(event.left);
    });
  }
}

/** Random name for a spool: 128 bits in hex. */
export const newSpoolId = (): string => randomBytes(16).toString('hex');

/** Brings measurements to a server, and goes on trying by its retry schedule when that is away. */
export const openMeasurementClient = (options: MeasurementClientOptions): OpenedClient =>
  new OpenedClient(options);
