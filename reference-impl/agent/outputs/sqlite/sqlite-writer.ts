import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { NumberValue, Origin, Point } from '../../../measurement-relay/messages.ts';
import type { Metric, MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { displayUnit } from '../metric-label.ts';
import { type Series, SeriesCache } from '../series-cache.ts';
import { attributesJson } from '../value-text.ts';

/** Rows of one statement: binding is the cost, and more rows gain nothing. */
const ROWS = 100;
const COLUMNS = 4;
const SIGNED_MAX = 2n ** 63n - 1n;

const insert = (rows: number): string =>
  `INSERT INTO points (series_id, secs, nanos, value) VALUES ${Array(rows).fill('(?,?,?,?)').join(',')}`;

/** As the column keeps it: see `sqlite-schema.ts`. */
const kept = ({ tag, value }: NumberValue): SQLInputValue => {
  if (tag === 'F64') return Number.isNaN(value) ? null : value;
  return typeof value === 'bigint' && value > SIGNED_MAX ? `${value}` : value;
};

/** Puts points into the tables, inside a transaction of the caller's. */
export class SqliteWriter {
  readonly #registry: MetricRegistry;
  readonly #many: StatementSync;
  readonly #one: StatementSync;
  readonly #addMetric: StatementSync;
  readonly #addSeries: StatementSync;
  readonly #addBatch: StatementSync;
  readonly #lastBatch: StatementSync;
  readonly #series: SeriesCache<number>;
  readonly #metrics = new Map<number, number>();
  readonly #bound: SQLInputValue[] = new Array(ROWS * COLUMNS).fill(0);

  constructor(database: DatabaseSync, registry: MetricRegistry) {
    this.#registry = registry;
    this.#many = database.prepare(insert(ROWS));
    this.#one = database.prepare(insert(1));
    this.#addMetric = database.prepare(
      'INSERT INTO metrics (name, unit, value_type) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET unit = excluded.unit, value_type = excluded.value_type RETURNING id',
    );
    this.#addSeries = database.prepare(
      // an update that changes nothing: only so does the row come back
      'INSERT INTO series (metric_id, resource_kind, resource_id, consumer_kind, consumer_id, attributes) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET metric_id = excluded.metric_id RETURNING id',
    );
    this.#addBatch = database.prepare(
      'INSERT INTO batches (client, spool, last_batch) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last_batch = excluded.last_batch WHERE excluded.last_batch > last_batch',
    );
    this.#lastBatch = database.prepare('SELECT last_batch FROM batches WHERE client = ? AND spool = ?');
    this.#series = new SeriesCache((series) => this.#seriesId(series));
  }

  /** After a rollback: ids that were given in it are void. */
  forget(): void {
    this.#series.clear();
    this.#metrics.clear();
  }

  lastBatch(client: string, spool: string): number | undefined {
    return (this.#lastBatch.get(client, spool) as { last_batch: number } | undefined)?.last_batch;
  }

  /** @returns false when this batch was stored before */
  begin({ client, spool, batch }: Origin): boolean {
    return Number(this.#addBatch.run(client, spool, batch).changes) > 0;
  }

  write(points: readonly Point[]): void {
    const bound = this.#bound;
    const whole = points.length - (points.length % ROWS);
    for (let from = 0; from < whole; from += ROWS) {
      for (let row = 0, at = 0; row < ROWS; row++) at = this.#bind(points[from + row] as Point, bound, at);
      this.#many.run(...bound);
    }
    const single: SQLInputValue[] = [];
    for (let i = whole; i < points.length; i++) {
      this.#bind(points[i] as Point, single, 0);
      this.#one.run(...single);
    }
  }

  #bind(point: Point, bound: SQLInputValue[], at: number): number {
    bound[at] = this.#series.of(point);
    bound[at + 1] = point.timestamp.secs;
    bound[at + 2] = point.timestamp.nanos;
    bound[at + 3] = kept(point.value);
    return at + COLUMNS;
  }

  #seriesId({
    metric_id,
    resource_kind,
    resource_id,
    consumer_kind,
    consumer_id,
    attributes,
  }: Series): number {
    const texts = [resource_kind, resource_id, consumer_kind, consumer_id, attributesJson(attributes)];
    const row = this.#addSeries.get(this.#metricId(metric_id), ...texts.map((text) => text.toWellFormed()));
    return (row as { id: number }).id;
  }

  #metricId(id: number): number {
    const known = this.#metrics.get(id);
    if (known !== undefined) return known;
    const metric = this.#registry.get(id) as Metric | undefined;
    if (metric === undefined) throw new Error(`no metric has the id ${id}`);
    const row = this.#addMetric.get(metric.name.toWellFormed(), displayUnit(metric.unit), metric.valueType);
    const rowId = (row as { id: number }).id;
    this.#metrics.set(id, rowId);
    return rowId;
  }
}
