import type { DatabaseSync } from 'node:sqlite';
import { prepareSchema } from '../../reference-impl/agent/outputs/sqlite/sqlite-schema.ts';
import { SqliteWriter } from '../../reference-impl/agent/outputs/sqlite/sqlite-writer.ts';
import { openDatabase } from '../../reference-impl/measurement-relay/disk/node-sqlite.ts';
import type { Batch } from '../../reference-impl/measurement-relay/messages.ts';
import type { MetricRegistry } from '../../reference-impl/measurement-relay/metrics.ts';
import type { StoreEvent } from '../trace/measurement-words.ts';
import type { PointStore } from './point-store.ts';

const LOCK_MILLIS = 5_000;

/** A path with `{work}` in it, in the work folder. @throws Error where there is none */
export const inWork = (path: string, work: (() => string) | undefined): string => {
  if (!path.includes('{work}')) return path;
  if (work === undefined) throw new Error(`${path}: there is no work folder here`);
  return path.replaceAll('{work}', work());
};

/** Opens a database. The module is asked for only here: the simulator has no use for it. */
export const openSqlite = (path: string, readOnly: boolean): DatabaseSync =>
  openDatabase(path, { readOnly, timeout: LOCK_MILLIS });

/** A database file in the schema of `relay-agent`: points and the number of their batch in one transaction. */
export class SqliteStore implements PointStore {
  readonly #database: DatabaseSync;
  readonly #writer: SqliteWriter;

  /** @throws Error when the file cannot be opened, or is something else */
  constructor(path: string, registry: MetricRegistry) {
    const database = openSqlite(path, false);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = normal');
    prepareSchema(database, path);
    this.#database = database;
    this.#writer = new SqliteWriter(database, registry);
  }

  write({ points, origin }: Batch): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      if (origin === undefined || this.#writer.begin(origin)) this.#writer.write(points);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      this.#writer.forget();
      throw error;
    }
  }

  lastStored(client: string, spool: string): number | undefined {
    return this.#writer.lastBatch(client, spool);
  }

  /** Whoever wants to know reads it. */
  told(): readonly StoreEvent[] {
    return [];
  }

  close(): void {
    this.#database.close();
  }
}
