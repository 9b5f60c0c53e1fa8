import { Client, escapeIdentifier } from 'pg';
import type { StoredPoint } from '../measure/store-watch.ts';
import { clientIn, type StoreRows } from './store-reader.ts';

const ROWS_MAX = 10_000;

type Row = {
  readonly metric: string;
  readonly value: number;
  readonly consumer: string;
  readonly attributes: unknown;
  readonly micros: number;
};

/**
 * The points in a table of PostgreSQL in the schema of `relay-agent`, read once: a new row may lie before an old one, so only
 * transactions tell in which order they came.
 */
export class PostgresRows implements StoreRows {
  readonly live = false;
  readonly #url: string;
  readonly #query: string;
  #client: Client | undefined;

  constructor(url: string, table: string) {
    this.#url = url;
    this.#query = `DECLARE stored NO SCROLL CURSOR FOR SELECT metric, value, consumer_id AS consumer, attributes,
  (extract(microseconds FROM time)::bigint % 1000000)::integer AS micros
  FROM public.${escapeIdentifier(table)} ORDER BY xmin::text::bigint, ctid`;
  }

  /** The table is this run's own. */
  begin(): void {}

  /** @throws what the database says: one that cannot be read proves nothing */
  async next(): Promise<readonly StoredPoint[]> {
    const client = this.#client ?? (await this.#begin());
    const { rows } = await client.query<Row>(`FETCH ${ROWS_MAX} FROM stored`);
    if (rows.length === 0) await this.close();
    return rows.map(({ metric, value, consumer, attributes, micros }) => {
      return { client: clientIn(attributes), consumer, metric, value, micros };
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #begin(): Promise<Client> {
    const client = new Client({ connectionString: this.#url });
    // an error between two queries is told by the next one
    client.on('error', () => {});
    await client.connect();
    this.#client = client;
    await client.query('BEGIN READ ONLY');
    await client.query(this.#query);
    return client;
  }
}
