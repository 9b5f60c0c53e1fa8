import { randomUUID } from 'node:crypto';
import type { ClientConfig } from 'pg';
import type { Batch, Origin } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { AgentError, reasonOf } from '../../agent-error.ts';
import type { Clock } from '../../pipeline/clock.ts';
import type { Output } from '../../pipeline/element.ts';
import type { Log } from '../../plugin.ts';
import { type QueueConfig, type QueueState, StoringQueue, type Weighed } from '../storing-queue.ts';
import { CopyRows, METRIC_BYTES_MAX } from './copy-rows.ts';
import { tablesOf } from './postgres-schema.ts';
import { PostgresSession, type Rows } from './postgres-session.ts';

export type PostgresConfig = QueueConfig & {
  readonly connection: ClientConfig;
  /** For people: without the password. */
  readonly place: string;
  readonly schema: string;
  readonly table: string;
};

type Item = Weighed & Rows;

/** What an agent cannot mend by trying again: authentication, a database that is not there, rights. */
const LASTING = /^(28|3D|42501|0P)/;

/**
 * Measurements in PostgreSQL: rows are rendered as they come and go in by COPY, a group of batches a transaction. The numbers of the
 * batches are in the same transaction, also of those that nobody numbered: a COMMIT whose answer was lost stores nothing twice.
 */
export class PostgresOutput implements Output {
  readonly name = 'postgres/out';
  readonly #config: PostgresConfig;
  readonly #registry: MetricRegistry;
  readonly #log: Log;
  readonly #queue: StoringQueue<Item>;
  readonly #rows: CopyRows;
  /** Numbers the batches that have no number of their own. */
  readonly #run = `run ${randomUUID()}`;
  #batches = 0;
  #left = 0;
  #session: PostgresSession | undefined;

  constructor(config: PostgresConfig, registry: MetricRegistry, log: Log, clock: Clock) {
    this.#config = config;
    this.#registry = registry;
    this.#log = log;
    this.#rows = new CopyRows(registry);
    const store = (items: readonly Item[]): Promise<void> => this.#store(items);
    this.#queue = new StoringQueue({ ...config, name: this.name, clock, log, store });
  }

  get state(): QueueState {
    return this.#queue.state;
  }

  /** A server that is not there yet is waited for, later; one that refuses us is told at once. */
  async open(): Promise<void> {
    const { place } = this.#config;
    try {
      await this.#connected();
    } catch (error) {
      if (error instanceof AgentError) throw error;
      if (LASTING.test((error as { code?: string }).code ?? ''))
        throw new AgentError({
          code: 'OUTPUT_DATABASE',
          where: 'plugins.postgres',
          expected: `to be let in at ${place}`,
          got: reasonOf(error),
          hint: 'put user, password and database right, and their rights',
          cause: error,
        });
      this.#log.warn(`${this.name}: ${place} is away, and will be tried again: ${reasonOf(error)}`);
    }
  }

  async write({ points, origin }: Batch): Promise<void> {
    if (points.length === 0 && origin === undefined) return;
    const { rows, left } = this.#rows.of(points);
    if (left > 0 && this.#left === 0)
      this.#log.error(
        `${this.name}: points are left out whose metric has a name of over ${METRIC_BYTES_MAX} bytes`,
      );
    this.#left += left;
    const numbered: Origin = origin ?? { client: '', spool: this.#run, batch: ++this.#batches };
    const until = origin === undefined ? 'taken' : 'stored';
    await this.#queue.put({ points: points.length, bytes: rows.length, rows, origin: numbered }, until);
  }

  flush(): Promise<void> {
    return this.#queue.flush();
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined && this.#queue.state.points === 0) {
      await session.forget('', this.#run).catch(() => {});
      await session.end().catch(() => {});
    } else session?.destroy();
    await this.#queue.close();
    // one that was being made
    this.#drop();
  }

  /** @throws AgentError OUTPUT_DATABASE when PostgreSQL is away */
  async lastStored(client: string, spool: string): Promise<number | undefined> {
    return this.#queue.exclusively(async () => {
      try {
        return await (await this.#connected()).lastStored(client, spool);
      } catch (error) {
        this.#drop();
        throw new AgentError({
          code: 'OUTPUT_DATABASE',
          where: this.name,
          expected: `an answer from ${this.#config.place}`,
          got: reasonOf(error),
          hint: 'it is asked again when the client comes again',
          cause: error,
        });
      }
    });
  }

  async #store(items: readonly Item[]): Promise<void> {
    try {
      const before = await (await this.#connected()).store(items);
      if (before > 0) this.#log.debug(`${this.name}: ${before} batches came again and were stored already`);
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  async #connected(): Promise<PostgresSession> {
    if (this.#session !== undefined) return this.#session;
    const { connection, schema, table, place } = this.#config;
    const session = new PostgresSession(connection, tablesOf(schema, table), this.#registry, (error) => {
      this.#log.warn(`${this.name}: the connection to ${place} is lost: ${reasonOf(error)}`);
      if (this.#session === session) this.#session = undefined;
    });
    this.#session = session;
    try {
      await session.open();
    } catch (error) {
      this.#drop();
      throw error;
    }
    this.#log.info(`${this.name}: connected to ${place}`);
    return session;
  }

  #drop(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }
}
