import { Client, type ClientConfig, escapeLiteral } from 'pg';
import type { Origin } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { displayUnit } from '../metric-label.ts';
import { copyIn } from './copy-in.ts';
import { COPY_COLUMNS, METRIC_BYTES_MAX } from './copy-rows.ts';
import { prepareSchema, type Tables } from './postgres-schema.ts';

/** Rows of one batch, and which it is. */
export type Rows = { readonly rows: Buffer; readonly origin: Origin };

const literals = (texts: readonly string[]): string => texts.map((text) => escapeLiteral(text)).join(', ');

/** Text of PostgreSQL holds no NUL. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();

type SpoolKey = {
  readonly client: string;
  readonly spool: string;
  readonly first: number;
  readonly last: number;
};

const keyOf = ({ client, spool }: { readonly client: string; readonly spool: string }): string =>
  JSON.stringify([storable(client), storable(spool)]);

/** Each spool of some batches once, in an order that all agents share, so that none waits for another in a ring. */
const spoolsOf = (items: readonly Rows[]): readonly SpoolKey[] => {
  const spools = new Map<string, SpoolKey>();
  for (const { origin } of items) {
    const key = keyOf(origin);
    const { first, last } = spools.get(key) ?? { first: origin.batch, last: origin.batch };
    spools.set(key, {
      client: storable(origin.client),
      spool: storable(origin.spool),
      first: Math.min(first, origin.batch),
      last: Math.max(last, origin.batch),
    });
  }
  return [...spools.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, spool]) => spool);
};

/** One connection to PostgreSQL. After any error it is of no use: the caller opens another. */
export class PostgresSession {
  readonly #client: Client;
  readonly #tables: Tables;
  readonly #registry: MetricRegistry;
  #metricsWritten = 0;
  #broken = false;

  /** @param broken called when the connection is lost while nothing is asked of it */
  constructor(
    config: ClientConfig,
    tables: Tables,
    registry: MetricRegistry,
    broken: (error: Error) => void,
  ) {
    this.#client = new Client({ ...config, keepAlive: true, application_name: 'relay-agent' });
    this.#tables = tables;
    this.#registry = registry;
    this.#client.on('error', (error) => {
      if (this.#broken) return;
      this.#broken = true;
      broken(error);
    });
  }

  /** Connects, and makes the tables where they are not there. */
  async open(): Promise<void> {
    await this.#client.connect();
    await prepareSchema(this.#client, this.#tables);
  }

  /** Stores what is not stored yet, in one transaction. @returns how many of the batches were stored before */
  async store(items: readonly Rows[]): Promise<number> {
    const spools = spoolsOf(items);
    const { batches, points } = this.#tables;
    const rows = spools
      .map(({ client, spool, first }) => `(${literals([client, spool])}, ${first - 1})`)
      .join(', ');
    // an update that changes nothing keeps others out until the end, and gives back what is there
    await this.#client.query('BEGIN');
    const known = await this.#client.query<{ client: string; spool: string; last_batch: string }>(
      `INSERT INTO ${batches} AS b VALUES ${rows} ON CONFLICT (client, spool) DO UPDATE SET last_batch = b.last_batch RETURNING *`,
    );
    const stored = new Map(known.rows.map((row) => [keyOf(row), Number(row.last_batch)]));
    const fresh = items.filter(({ origin }) => {
      const key = keyOf(origin);
      const isFresh = origin.batch > (stored.get(key) ?? 0);
      // the same may be in this group twice
      if (isFresh) stored.set(key, origin.batch);
      return isFresh;
    });
    const metrics = this.#newMetrics();
    if (metrics !== undefined) await this.#client.query(metrics.sql);
    const data = fresh.filter((item) => item.rows.length > 0).map((item) => item.rows);
    if (data.length > 0) await copyIn(this.#client, `COPY ${points} (${COPY_COLUMNS}) FROM STDIN`, data);
    const ends = spools
      .map(({ client, spool, last }) => `(${literals([client, spool])}, ${last})`)
      .join(', ');
    await this.#client.query(
      `UPDATE ${batches} AS b SET last_batch = n.last FROM (VALUES ${ends}) AS n (client, spool, last) WHERE b.client = n.client AND b.spool = n.spool AND b.last_batch < n.last; COMMIT`,
    );
    this.#metricsWritten = metrics?.through ?? this.#metricsWritten;
    return items.length - fresh.length;
  }

  async lastStored(client: string, spool: string): Promise<number | undefined> {
    const { rows } = await this.#client.query<{ last_batch: string }>(
      `SELECT last_batch FROM ${this.#tables.batches} WHERE client = $1 AND spool = $2`,
      [storable(client), storable(spool)],
    );
    return rows[0] === undefined ? undefined : Number(rows[0].last_batch);
  }

  /** Of a spool that will never be asked for again. */
  async forget(client: string, spool: string): Promise<void> {
    await this.#client.query(`DELETE FROM ${this.#tables.batches} WHERE client = $1 AND spool = $2`, [
      client,
      spool,
    ]);
  }

  /** Orderly. */
  async end(): Promise<void> {
    this.#broken = true;
    await this.#client.end();
  }

  /** At once: whatever runs fails. */
  destroy(): void {
    this.#broken = true;
    void this.#client.end().catch(() => {});
    // `end` waits for an answer that may never come
    (this.#client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  #newMetrics(): { readonly sql: string; readonly through: number } | undefined {
    const { list } = this.#registry;
    const metrics = list.slice(this.#metricsWritten);
    const storableOnes = metrics.filter(({ name }) => Buffer.byteLength(name) <= METRIC_BYTES_MAX);
    if (storableOnes.length === 0) return undefined;
    const rows = new Map(
      storableOnes.map(({ name, unit, valueType }) => [
        storable(name),
        `(${literals([storable(name), storable(displayUnit(unit)), valueType])})`,
      ]),
    );
    return {
      sql: `INSERT INTO ${this.#tables.metrics} VALUES ${[...rows.values()].join(', ')} ON CONFLICT (name) DO UPDATE SET unit = excluded.unit, value_type = excluded.value_type`,
      through: list.length,
    };
  }
}
