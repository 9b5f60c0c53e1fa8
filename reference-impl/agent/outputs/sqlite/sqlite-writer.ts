import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { NumberValue, Origin, Point } from '../../../measurement-relay/messages.ts';
import type { Metric, MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { displayUnit } from '../metric-label.ts';
import { type Series, SeriesCache } from '../series-cache.ts';
import { attributesJson } from '../value-text.ts';

/** Rows of one statement: binding is the cost, and more rows gain nothing. */
const ROWS = 100;
const COLUMNS = 4;
/** Series and value. */
const SHARED_COLUMNS = 2;
const SIGNED_MAX = 2n ** 63n - 1n;

const placesOf = (rows: number, columns: number): string =>
  Array(rows)
    .fill(`(${Array(columns).fill('?').join(',')})`)
    .join(',');

// OR ROLLBACK: a statement that cannot fail by itself needs no copies of the pages it changes; whoever calls rolls back anyway
const INTO = 'INSERT OR ROLLBACK INTO points (series_id, secs, nanos, value)';
const insert = (rows: number): string => `${INTO} VALUES ${placesOf(rows, COLUMNS)}`;
/** Points of one poll share their time. It is bound once then, which is a sixth of all that an insert costs. */
const insertAtOneTime = (rows: number): string =>
  `${INTO} SELECT column1, ?, ?, column2 FROM (VALUES ${placesOf(rows, SHARED_COLUMNS)})`;

/** As the column keeps it: see `sqlite-schema.ts`. */
const kept = ({ tag, value }: NumberValue): SQLInputValue => {
  if (tag === 'F64') return Number.isNaN(value) ? null : value;
  return typeof value === 'bigint' && value > SIGNED_MAX ? `${value}` : value;
};

/** A series, and its row's id as long as the transaction that wrote it was not rolled back. */
type SeriesRow = { readonly series: Series; id: number; epoch: number };

const NUMBERS = 3;

/**
 * Points as they wait to be written: some 30 bytes each instead of hundreds, so that the points themselves can be forgotten at once,
 * before the garbage collector has to move them.
 */
export type PackedPoints = {
  readonly rows: readonly SeriesRow[];
  /** secs, nanos, value of each. */
  readonly numbers: Float64Array;
  /** Values that a float does not hold, by the point's place. */
  readonly others: ReadonlyMap<number, SQLInputValue>;
};

const EPOCH_NONE = -1;

const rowOf = (point: Series): SeriesRow => {
  const { metric_id, resource_kind, resource_id, consumer_kind, consumer_id, attributes } = point;
  const series = { metric_id, resource_kind, resource_id, consumer_kind, consumer_id, attributes };
  return { series, id: 0, epoch: EPOCH_NONE };
};

/** Whether the next `ROWS` points are of one time. */
const shareTime = ({ numbers }: PackedPoints, from: number): boolean => {
  const first = from * NUMBERS;
  const end = first + ROWS * NUMBERS;
  for (let at = first + NUMBERS; at < end; at += NUMBERS)
    if (numbers[at] !== numbers[first] || numbers[at + 1] !== numbers[first + 1]) return false;
  return true;
};

const valueAt = ({ numbers, others }: PackedPoints, index: number): SQLInputValue => {
  const other = others.size === 0 ? undefined : others.get(index);
  return other === undefined ? (numbers[index * NUMBERS + 2] as number) : other;
};

/** Puts points into the tables, inside a transaction of the caller's. */
export class SqliteWriter {
  readonly #registry: MetricRegistry;
  readonly #many: StatementSync;
  readonly #manyAtOneTime: StatementSync;
  readonly #one: StatementSync;
  readonly #addMetric: StatementSync;
  readonly #addSeries: StatementSync;
  readonly #addBatch: StatementSync;
  readonly #lastBatch: StatementSync;
  readonly #series = new SeriesCache<SeriesRow>(rowOf);
  /** Counts rollbacks: ids of an epoch before are void. */
  #epoch = 0;
  readonly #metrics = new Map<number, number>();
  readonly #bound: SQLInputValue[] = new Array(ROWS * COLUMNS).fill(0);
  readonly #boundAtOneTime: SQLInputValue[] = new Array(2 + ROWS * SHARED_COLUMNS).fill(0);

  constructor(database: DatabaseSync, registry: MetricRegistry) {
    this.#registry = registry;
    this.#many = database.prepare(insert(ROWS));
    this.#manyAtOneTime = database.prepare(insertAtOneTime(ROWS));
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
  }

  /** After a rollback: ids that were given in it are void. */
  forget(): void {
    this.#epoch++;
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
    this.writePacked(this.pack(points));
  }

  /** Outside of any transaction. */
  pack(points: readonly Point[]): PackedPoints {
    const rows: SeriesRow[] = new Array(points.length);
    const numbers = new Float64Array(points.length * NUMBERS);
    const others = new Map<number, SQLInputValue>();
    for (let index = 0, at = 0; index < points.length; index++, at += NUMBERS) {
      const point = points[index] as Point;
      rows[index] = this.#series.of(point);
      numbers[at] = point.timestamp.secs;
      numbers[at + 1] = point.timestamp.nanos;
      const value = kept(point.value);
      if (typeof value === 'number') numbers[at + 2] = value;
      else others.set(index, value);
    }
    return { rows, numbers, others };
  }

  writePacked(packed: PackedPoints): void {
    const { length } = packed.rows;
    const whole = length - (length % ROWS);
    for (let from = 0; from < whole; from += ROWS) {
      if (shareTime(packed, from)) this.#writeAtOneTime(packed, from);
      else this.#writeMany(packed, from);
    }
    const single: SQLInputValue[] = [];
    for (let index = whole; index < length; index++) {
      this.#bind(packed, index, single, 0);
      this.#one.run(...single);
    }
  }

  #writeMany(packed: PackedPoints, from: number): void {
    const bound = this.#bound;
    for (let row = 0; row < ROWS; row++) this.#bind(packed, from + row, bound, row * COLUMNS);
    this.#many.run(...bound);
  }

  #writeAtOneTime(packed: PackedPoints, from: number): void {
    const bound = this.#boundAtOneTime;
    bound[0] = packed.numbers[from * NUMBERS] as number;
    bound[1] = packed.numbers[from * NUMBERS + 1] as number;
    for (let row = 0, at = 2; row < ROWS; row++, at += SHARED_COLUMNS) {
      bound[at] = this.#rowId(packed.rows[from + row] as SeriesRow);
      bound[at + 1] = valueAt(packed, from + row);
    }
    this.#manyAtOneTime.run(...bound);
  }

  #bind(packed: PackedPoints, index: number, bound: SQLInputValue[], at: number): void {
    const from = index * NUMBERS;
    bound[at] = this.#rowId(packed.rows[index] as SeriesRow);
    bound[at + 1] = packed.numbers[from] as number;
    bound[at + 2] = packed.numbers[from + 1] as number;
    bound[at + 3] = valueAt(packed, index);
  }

  #rowId(row: SeriesRow): number {
    if (row.epoch !== this.#epoch) {
      row.id = this.#seriesId(row.series);
      row.epoch = this.#epoch;
    }
    return row.id;
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
