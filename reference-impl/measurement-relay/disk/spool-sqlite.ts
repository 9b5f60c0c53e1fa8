import { chmodSync, closeSync, openSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { WireError } from '../../machine/wire-error.ts';
import { spoolMetric } from '../memory-spool.ts';
import { WIRE_METRIC_ID_MAX } from '../messages.ts';
import type { MetricDefinition, ValueType } from '../metrics.ts';
import { type Sealed, SealedBatches } from '../sealed-batches.ts';
import {
  type Appended,
  SPOOL_LIMITS,
  type Spool,
  type SpoolBooks,
  type SpooledBatch,
  type SpoolLimits,
  type SpoolMetric,
} from '../spool.ts';
import { openDatabase } from './node-sqlite.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS spool (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, next INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS metrics
    (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value_type TEXT NOT NULL, base TEXT NOT NULL, prefix TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS parts
    (seq INTEGER PRIMARY KEY, batch INTEGER NOT NULL, points INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS parts_of_batch ON parts (batch, seq);
`;
/** Written into the file's header; another number is another layout. */
const LAYOUT = 1;

/**
 * A spool in one SQLite file (WAL): what `append` took is there after kill -9, and what was sealed after a power cut too. One
 * process at a time. Only its owner may read the file.
 */
export class SqliteSpool implements Spool {
  readonly durable: boolean = true;
  readonly #db: DatabaseSync;
  readonly #limits: SpoolLimits;
  readonly #newId: () => string;
  readonly #metrics: SpoolMetric[] = [];
  readonly #ids = new Map<string, number>();
  readonly #insert: StatementSync;
  readonly #partsOf: StatementSync;
  readonly #advance: StatementSync;
  readonly #deleteThrough: StatementSync;
  readonly #deleteOne: StatementSync;
  readonly #sealed = new SealedBatches<Sealed>();
  #id = '';
  #next = 1;
  #openPoints = 0;
  #openBytes = 0;

  /**
   * @param newId names that nobody else's spool has, 1 to 64 characters
   * @throws WireError SPOOL_IN_USE, SPOOL_UNREADABLE
   */
  constructor(path: string, newId: () => string, limits: Partial<SpoolLimits> = {}) {
    this.#limits = { ...SPOOL_LIMITS, ...limits };
    this.#newId = newId;
    this.#db = opened(path);
    this.#insert = this.#db.prepare('INSERT INTO parts (batch, points, bytes) VALUES (?, ?, ?)');
    this.#partsOf = this.#db.prepare('SELECT bytes FROM parts WHERE batch = ? ORDER BY seq');
    this.#advance = this.#db.prepare('UPDATE spool SET next = ?');
    this.#deleteThrough = this.#db.prepare('DELETE FROM parts WHERE batch <= ?');
    this.#deleteOne = this.#db.prepare('DELETE FROM parts WHERE batch = ?');
    this.#load();
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
      openPoints: this.#openPoints,
      openBytes: this.#openBytes,
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
    try {
      this.#db
        .prepare('INSERT INTO metrics (id, name, value_type, base, prefix) VALUES (?, ?, ?, ?, ?)')
        .run(wire.id, wire.name, wire.value_type, wire.unit.base, wire.unit.prefix);
    } catch {
      // its points could not be kept either
      return undefined;
    }
    this.#metrics.push(wire);
    this.#ids.set(key, wire.id);
    return wire.id;
  }

  append(part: Uint8Array, points: number, sentThrough: number): Appended {
    const { bytesMax, whenFull } = this.#limits;
    const over = this.#sealed.bytes + this.#openBytes + part.length - bytesMax;
    const room = this.#sealed.room(over, whenFull, sentThrough);
    const detail = `its limit is ${bytesMax} bytes`;
    if (room === undefined) return { taken: false, droppedPoints: 0, detail };
    try {
      this.#transaction(() => {
        for (const { number } of room.batches) this.#deleteOne.run(number);
        this.#insert.run(this.#next, points, part);
      });
    } catch (error) {
      return { taken: false, droppedPoints: 0, detail: reason(error) };
    }
    this.#sealed.makeRoom(room);
    this.#openPoints += points;
    this.#openBytes += part.length;
    return { taken: true, droppedPoints: room.points, detail };
  }

  seal(): number | undefined {
    if (this.#openPoints === 0) return undefined;
    const number = this.#next;
    try {
      // on the disk before anybody is told of the number: after a power cut it must not come to mean other points
      this.#db.exec('PRAGMA synchronous = FULL');
      this.#advance.run(number + 1);
      this.#db.exec('PRAGMA synchronous = NORMAL');
    } catch {
      // the batch goes on growing, and the next append says what is wrong
      return undefined;
    }
    this.#next = number + 1;
    this.#sealed.add({ number, points: this.#openPoints, bytes: this.#openBytes });
    this.#openPoints = 0;
    this.#openBytes = 0;
    return number;
  }

  peek(from: number): SpooledBatch | undefined {
    const batch = this.#sealed.from(from);
    if (batch === undefined) return undefined;
    const parts = this.#partsOf.all(batch.number).map(({ bytes }) => bytes as Uint8Array);
    return { ...batch, parts };
  }

  trim(through: number): number {
    const gone = this.#sealed.trim(through);
    const last = gone.at(-1);
    if (last === undefined) return 0;
    try {
      this.#deleteThrough.run(last.number);
    } catch {
      // they come back with the next start, and the server knows their numbers
    }
    return gone.reduce((sum, { points }) => sum + points, 0);
  }

  renew(): void {
    this.#id = this.#newId();
    this.#db.prepare('UPDATE spool SET id = ?').run(this.#id);
  }

  close(): void {
    this.#db.close();
  }

  #load(): void {
    const state = this.#db.prepare('SELECT id, next FROM spool').get();
    if (state === undefined) {
      this.#id = this.#newId();
      this.#db.prepare('INSERT INTO spool (one, id, next) VALUES (1, ?, 1)').run(this.#id);
    } else {
      this.#id = String(state.id);
      this.#next = Number(state.next);
    }
    const batches = this.#db.prepare(
      'SELECT batch, SUM(points) AS points, SUM(LENGTH(bytes)) AS bytes FROM parts GROUP BY batch ORDER BY batch',
    );
    for (const row of batches.all()) this.#found(Number(row.batch), Number(row.points), Number(row.bytes));
    // no point refers to them any more: the ids are free for the metrics of today
    if (this.#sealed.count === 0 && this.#openPoints === 0) this.#db.exec('DELETE FROM metrics');
    for (const row of this.#db.prepare('SELECT * FROM metrics ORDER BY id').all()) {
      const unit = { base: String(row.base), prefix: String(row.prefix) };
      const valueType = row.value_type as ValueType;
      const metric = spoolMetric(Number(row.id), {
        name: String(row.name),
        valueType,
        unit,
        description: '',
      });
      this.#metrics.push(metric.wire);
      this.#ids.set(metric.key, metric.wire.id);
    }
  }

  #found(number: number, points: number, bytes: number): void {
    if (number >= this.#next) {
      this.#openPoints += points;
      this.#openBytes += bytes;
      return;
    }
    this.#sealed.add({ number, points, bytes });
  }

  #transaction(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const opened = (path: string): DatabaseSync => {
  let db: DatabaseSync | undefined;
  try {
    // before SQLite makes it: its other files get the same rights
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    db = openDatabase(path);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    const layout = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (layout !== 0 && layout !== LAYOUT)
      throw new Error(`it has layout ${layout}, this version knows ${LAYOUT}`);
    db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${LAYOUT}; COMMIT`);
    return db;
  } catch (error) {
    db?.close();
    const inUse = reason(error).includes('database is locked');
    throw new WireError({
      code: inUse ? 'SPOOL_IN_USE' : 'SPOOL_UNREADABLE',
      fault: 'local',
      at: undefined,
      expected: `a spool, or nothing yet, at ${path}`,
      got: inUse ? 'one that another process has open' : reason(error),
      hint: inUse
        ? 'give each client a spool of its own'
        : 'move the file away: what it holds is lost to this client, and a new one is begun',
    });
  }
};
