/** Reads the database of a measurement server from beside it, and tells what lies there: not what the server says, what is so. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type StoredPoint, StoreWatch } from '../measure/store-watch.ts';
import type { Happening } from '../trace/trace.ts';
import { openSqlite } from './sqlite-store.ts';

const LOOK_MILLIS = 250;
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

/** The client a series came from, out of its attributes; '' if none is noted. */
export const clientIn = (attributes: string): string => {
  const client: unknown = JSON.parse(attributes).relay_client;
  return typeof client === 'string' ? client : '';
};

/** A number of a point; whatever else a column may hold is none. */
export const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** Looks four times a second, at rows it has not seen. The file need not be there yet. */
export class SqliteReader {
  readonly #path: string;
  readonly #say: (event: Happening) => void;
  readonly #watch: StoreWatch;
  readonly #series = new Map<number, Series>();
  #database: DatabaseSync | undefined;
  #points: StatementSync | undefined;
  #seriesOf: StatementSync | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last = 0;
  #read = 0;

  constructor(path: string, coded: readonly string[], say: (event: Happening) => void) {
    this.#path = path;
    this.#say = say;
    this.#watch = new StoreWatch(new Set(coded));
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MILLIS);
    this.#say({ type: 'host.ready', port: 0 });
  }

  /** Reads what there is by now, to its end, and says so. */
  async read(): Promise<void> {
    while (this.#look() === ROWS_MAX) await new Promise((resolve) => setImmediate(resolve));
    this.#say({ type: 'store.read', points: this.#read });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#database?.close();
    this.#database = undefined;
  }

  /** @returns rows seen for the first time */
  #look(): number {
    if (!this.#open()) return 0;
    const rows = this.#points?.all(this.#last, ROWS_MAX) as unknown as readonly Row[];
    for (const { rowid, series_id, nanos, value } of rows) {
      this.#last = rowid;
      const series = this.#seriesWith(series_id);
      this.#watch.push({ ...series, value: numberIn(value), micros: Math.floor(nanos / 1_000) });
    }
    this.#read += rows.length;
    for (const event of this.#watch.take()) this.#say(event);
    return rows.length;
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
    const series = { client: clientIn(row.attributes), consumer: row.consumer, metric: row.metric };
    this.#series.set(id, series);
    return series;
  }
}
