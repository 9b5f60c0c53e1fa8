import { connNames, NodeDriver } from '../../drivers/node.ts';
import { WireError } from '../../machine/wire-error.ts';
import type { Batch } from '../messages.ts';
import type { MetricRegistry } from '../metrics.ts';
import { MeasurementServer } from '../server.ts';
import {
  SERVER_LIMITS,
  type ServerCommand,
  type ServerCounters,
  type ServerLimits,
  type ServerReport,
} from '../server-report.ts';

export type ServeOptions = {
  /** Default: host `::` (IPv4 too) and port 50051. Port 0: any free one. */
  readonly listen?: { readonly host?: string; readonly port?: number };
  readonly registry: MetricRegistry;
  /**
   * Resolves to true when a batch is stored, as far as you promise: only then is it acknowledged. False or a rejection: it is not, and
   * a client that waits for the acknowledgement sends it again. Several may be open at once, of a spool one.
   */
  readonly deliver: (batch: Batch) => Promise<boolean> | boolean;
  /** For an output that stores `origin` with the points: the last batch of a spool it has. Without it a restart forgets. */
  readonly lastStored?: (client: string, spool: string) => Promise<number | undefined>;
  /** Default true. */
  readonly acknowledge?: boolean;
  readonly limits?: Partial<ServerLimits>;
  /** Hears of everything but batches, for logs and counters. Must not throw. */
  readonly report?: (event: ServerReport) => void;
};

/** A server that runs, until `close`. */
export class ServedMeasurements {
  readonly #driver: NodeDriver<ServerReport, ServerCommand>;
  readonly #machine: MeasurementServer;
  readonly #options: ServeOptions;
  readonly #listening = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();
  #port = 0;
  #closing = false;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#machine = new MeasurementServer({
      listen: { host: options.listen?.host ?? '::', port: options.listen?.port ?? 50_051 },
      registry: options.registry,
      acknowledge: options.acknowledge ?? true,
      limits: { ...SERVER_LIMITS, ...options.limits },
    });
    this.#driver = new NodeDriver<ServerReport, ServerCommand>(this.#machine, {
      name: connNames(),
      report: (event) => this.#report(event),
    });
    this.#driver.start();
  }

  /** Where it listens. */
  get port(): number {
    return this.#port;
  }

  get counters(): Readonly<ServerCounters> {
    return this.#machine.counters;
  }

  /** @throws WireError LISTEN_FAILED */
  async ready(): Promise<this> {
    this.#port = await this.#listening.promise;
    return this;
  }

  /** Takes nothing more, waits for what it has handed out (at most `limits.drainMillis`), then closes all. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#driver.stop();
    }
    await this.#stopped.promise;
    // a client that never closes its end must not hold us; the driver bounds how long it listens to it
    await this.#driver.whenIdle();
    this.#driver.destroy();
  }

  #report(event: ServerReport): void {
    switch (event.type) {
      case 'server.batch':
        void this.#deliver(event.token, event.batch);
        return;
      case 'server.spool':
        void this.#lastStored(event.token, event.client, event.spool);
        break;
      case 'server.listening':
        this.#listening.resolve(event.port);
        break;
      case 'server.unlistened':
        this.#listening.reject(this.#unlistened(event.why));
        break;
      case 'server.stopped':
        this.#stopped.resolve();
        break;
      default:
    }
    this.#options.report?.(event);
  }

  async #deliver(token: number, batch: Batch): Promise<void> {
    let stored = false;
    try {
      stored = await this.#options.deliver(batch);
    } catch {
      // whoever stores has said why; to us it is not stored
    }
    this.#driver.tell({ type: stored ? 'stored' : 'failed', token });
  }

  async #lastStored(token: number, client: string, spool: string): Promise<void> {
    try {
      const batch = await this.#options.lastStored?.(client, spool);
      this.#driver.tell({ type: 'lastStored', token, batch });
    } catch {
      // not to know is not to have none: the client must come again
      this.#driver.tell({ type: 'failed', token });
    }
  }

  #unlistened(why: string): WireError {
    const { host = '::', port = 50_051 } = this.#options.listen ?? {};
    return new WireError({
      code: 'LISTEN_FAILED',
      fault: 'local',
      at: undefined,
      expected: `to listen on ${host} port ${port}`,
      got: why,
      hint: why === 'in use' ? 'another port, or stop what has this one' : 'another address or port',
    });
  }
}

/** Takes the measurements of clients. Resolves when it listens. @throws WireError LISTEN_FAILED */
export const serveMeasurements = (options: ServeOptions): Promise<ServedMeasurements> =>
  new ServedMeasurements(options).ready();
