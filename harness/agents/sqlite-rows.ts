import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { StoredPoint } from '../measure/store-watch.ts';
import { openSqlite } from './sqlite-store.ts';
import { clientIn, type StoreRows } from './store-reader.ts';

/** Rows of one look: nobody else of this process has its turn meanwhile. */
const ROWS_MAX = 20_000;

type Row = {
  readonly rowid: number;
  readonly series_id: number;
  readonly nanos: number;
  readonly value: unknown;
};
type Series = Pick<StoredPoint, 'client' | 'consumer' | 'metric'>;

const POINTS = 'SELECT rowid, series_id, nanos, value FROM points WHERE rowid > ? ORDER BY rowid LIMIT ?';
const SERIES = `SELECT metrics.name AS metric, consumer_id AS consumer, attributes FROM series
  JOIN metrics ON metrics.id = series.metric_id WHERE series.id = ?`;

/** The points in a file of SQLite in the schema of `relay-agent`. The file need not be there yet. */
export class SqliteRows implements StoreRows {
  readonly live = true;
  readonly #path: string;
  readonly #series = new Map<number, Series>();
  #database: DatabaseSync | undefined;
  #points: StatementSync | undefined;
  #seriesOf: StatementSync | undefined;
  #last = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** A file of an earlier run is read on from its end. */
  begin(): void {
    if (!this.#open()) return;
    const row = this.#database?.prepare('SELECT max(rowid) AS last FROM points').get() as {
      last: number | null;
    };
    this.#last = row.last ?? 0;
  }

  async next(): Promise<readonly StoredPoint[]> {
    if (!this.#open()) return [];
    const rows = this.#points?.all(this.#last, ROWS_MAX) as unknown as readonly Row[];
    this.#last = rows.at(-1)?.rowid ?? this.#last;
    return rows.map(({ series_id, nanos, value }) => ({
      ...this.#seriesWith(series_id),
      value: typeof value === 'number' ? value : undefined,
      micros: Math.floor(nanos / 1_000),
    }));
  }

  async close(): Promise<void> {
    this.#database?.close();
    this.#database = undefined;
  }

  #open(): boolean {
    if (this.#database !== undefined) return true;
    let database: DatabaseSync | undefined;
    try {
      database = openSqlite(this.#path, true);
      this.#points = database.prepare(POINTS);
      this.#seriesOf = database.prepare(SERIES);
    } catch {
      // not there yet, or without its tables: the server has not come so far
      database?.close();
      return false;
    }
    this.#database = database;
    return true;
  }

  #seriesWith(id: number): Series {
    const known = this.#series.get(id);
    if (known !== undefined) return known;
    const row = this.#seriesOf?.get(id) as { metric: string; consumer: string; attributes: string };
    const { metric, consumer, attributes } = row;
    const series = { client: clientIn(JSON.parse(attributes)), consumer, metric };
    this.#series.set(id, series);
    return series;
  }
}
