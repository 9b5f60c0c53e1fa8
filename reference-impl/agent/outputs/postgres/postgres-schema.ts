/** The tables in PostgreSQL. */
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { AgentError } from '../../agent-error.ts';

export const SCHEMA_VERSION = 1;
const marked = (version: number | string): string => `relay-agent measurements, version ${version}`;
/** Of two agents that start at once one makes the tables. */
const LOCK = 0x72656c6d;

/** Names as SQL wants them, with their schema. */
export type Tables = {
  readonly points: string;
  readonly batches: string;
  readonly metrics: string;
};

export const tablesOf = (schema: string, table: string): Tables => {
  const named = (suffix: string): string => `${escapeIdentifier(schema)}.${escapeIdentifier(table + suffix)}`;
  return { points: named(''), batches: named('_batches'), metrics: named('_metrics') };
};

/**
 * One row a point. `time` has microseconds, `nanos` the nanoseconds beyond them; `exact` is the value where a double precision
 * cannot say it (U64 above 2^53), else NULL. Units are in the table of metrics. `last_batch`: the last one that is stored.
 */
export const schemaSql = ({ points, batches, metrics }: Tables, timescale: boolean): string => `
CREATE TABLE ${points} (
  time timestamptz NOT NULL,
  metric text NOT NULL,
  value double precision NOT NULL,
  resource_kind text NOT NULL,
  resource_id text NOT NULL,
  consumer_kind text NOT NULL,
  consumer_id text NOT NULL,
  attributes jsonb NOT NULL,
  nanos smallint NOT NULL,
  exact numeric(20)
);
COMMENT ON TABLE ${points} IS ${escapeLiteral(marked(SCHEMA_VERSION))};
CREATE INDEX ON ${points} (metric, time DESC);
CREATE TABLE ${batches} (client text, spool text, last_batch bigint NOT NULL, PRIMARY KEY (client, spool));
CREATE TABLE ${metrics} (name text PRIMARY KEY, unit text NOT NULL, value_type text NOT NULL);
${
  timescale
    ? `SELECT create_hypertable(${escapeLiteral(points)}, 'time');`
    : `CREATE INDEX ON ${points} USING brin (time);`
}`;

/** Makes the tables where they are not there. @throws AgentError OUTPUT_DATABASE for tables that are something else */
export const prepareSchema = async (client: Client, tables: Tables): Promise<void> => {
  await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK})`);
  const found = await client.query<{ comment: string | null; known: boolean; timescale: boolean }>(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS comment, to_regclass($1) IS NOT NULL AS known,
      EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS timescale`,
    [tables.points],
  );
  const { comment = null, known = false, timescale = false } = found.rows[0] ?? {};
  if (!known) await client.query(schemaSql(tables, timescale));
  await client.query('COMMIT');
  if (known && comment !== marked(SCHEMA_VERSION))
    throw new AgentError({
      code: 'OUTPUT_DATABASE',
      where: 'plugins.postgres.table',
      expected: `a name that is free, or ${marked(SCHEMA_VERSION)}`,
      got: `${tables.points}, ${comment ?? 'without a comment that says so'}`,
      hint: 'give another table',
    });
};
