import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../../measurement-relay/disk/node-sqlite.ts';
import type { Batch, Origin } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { AgentError, reasonOf } from '../../agent-error.ts';
import type { Clock } from '../../pipeline/clock.ts';
import type { Output } from '../../pipeline/element.ts';
import type { Log } from '../../plugin.ts';
import { type QueueConfig, type QueueState, StoringQueue, type Weighed } from '../storing-queue.ts';
import { prepareSchema } from './sqlite-schema.ts';
import { type PackedPoints, SqliteWriter } from './sqlite-writer.ts';

export type SqliteConfig = QueueConfig & {
  readonly path: string;
  /** `full`: what is stored survives a power cut; `normal`: only the end of this process. */
  readonly synchronous: 'full' | 'normal';
};

type Item = Weighed & { readonly packed: PackedPoints; readonly origin: Origin | undefined };

/** About what a point takes while it waits, packed. */
const POINT_BYTES = 32;
/** Read at once from the log into the file: larger is fewer fsyncs, and a longer pause each. */
const CHECKPOINT_PAGES = 4_000;

/**
 * Measurements in an SQLite file: one transaction for a group of batches, with the number of each batch beside its points, so that
 * a batch that is delivered again is known. A database that is locked, or a disk that is full, is asked again.
 */
export class SqliteOutput implements Output {
  readonly name = 'sqlite/out';
  readonly #config: SqliteConfig;
  readonly #registry: MetricRegistry;
  readonly #log: Log;
  readonly #queue: StoringQueue<Item>;
  #database: DatabaseSync | undefined;
  #writer: SqliteWriter | undefined;

  constructor(config: SqliteConfig, registry: MetricRegistry, log: Log, clock: Clock) {
    this.#config = config;
    this.#registry = registry;
    this.#log = log;
    const store = async (items: readonly Item[]): Promise<void> => this.#store(items);
    this.#queue = new StoringQueue({ ...config, name: this.name, clock, log, store });
  }

  get state(): QueueState {
    return this.#queue.state;
  }

  async open(): Promise<void> {
    const { path, synchronous } = this.#config;
    try {
      if (path !== ':memory:') {
        // SQLite gives its log and index files the mode of the file
        closeSync(openSync(path, 'a', 0o600));
      }
      const database = openDatabase(path, { timeout: 5_000 });
      this.#database = database;
      database.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = OFF`,
      );
      database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      prepareSchema(database, path);
      // from now on a lock is waited for without holding up everything else
      database.exec('PRAGMA busy_timeout = 0');
      this.#writer = new SqliteWriter(database, this.#registry);
    } catch (error) {
      this.#database?.close();
      this.#database = undefined;
      if (error instanceof AgentError) throw error;
      throw new AgentError({
        code: 'OUTPUT_DATABASE',
        where: 'plugins.sqlite.path',
        expected: 'an SQLite database that can be written',
        got: `${path}: ${reasonOf(error)}`,
        hint: 'give the path of a file in a folder that exists and may be written',
        cause: error,
      });
    }
  }

  async write({ points, origin }: Batch): Promise<void> {
    if (points.length === 0 && origin === undefined) return;
    const packed = this.#opened().writer.pack(points);
    const item = { points: points.length, bytes: points.length * POINT_BYTES, packed, origin };
    await this.#queue.put(item, origin === undefined ? 'taken' : 'stored');
  }

  flush(): Promise<void> {
    return this.#queue.flush();
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#database?.close();
    this.#database = undefined;
  }

  lastStored(client: string, spool: string): Promise<number | undefined> {
    return this.#queue.exclusively(async () => this.#writer?.lastBatch(client, spool));
  }

  #opened(): { readonly database: DatabaseSync; readonly writer: SqliteWriter } {
    if (this.#database === undefined || this.#writer === undefined)
      throw new Error(`${this.name} is not open`);
    return { database: this.#database, writer: this.#writer };
  }

  #store(items: readonly Item[]): void {
    const { database, writer } = this.#opened();
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const { packed, origin } of items) {
        if (origin === undefined || writer.begin(origin)) writer.writePacked(packed);
        else this.#log.debug({ ...origin }, `${this.name}: a batch came again and is stored already`);
      }
      database.exec('COMMIT');
    } catch (error) {
      writer.forget();
      // some errors have rolled back already
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}
