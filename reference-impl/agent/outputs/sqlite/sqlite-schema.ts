/** The tables of a database of measurements, and what an older or foreign one is told. */
import type { DatabaseSync } from 'node:sqlite';
import { AgentError } from '../../agent-error.ts';

/** `PRAGMA user_version`: 0 is a new file. */
export const SCHEMA_VERSION = 1;
/** `PRAGMA application_id`, so that no other program's database is taken for one: "relm". */
const APPLICATION_ID = 0x72656c6d;

/**
 * Names and labels are kept once: `points` has four columns. `value` is a float for F64; for U64 a number as well up to 2^53, an
 * integer up to 2^63 and the digits as text above, all exact. NULL is NaN. Whoever reads asks the view `measurements`.
 */
const SCHEMA = `
CREATE TABLE metrics (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  unit TEXT NOT NULL,
  value_type TEXT NOT NULL
) STRICT;
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  metric_id INTEGER NOT NULL REFERENCES metrics (id),
  resource_kind TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  consumer_kind TEXT NOT NULL,
  consumer_id TEXT NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (metric_id, resource_kind, resource_id, consumer_kind, consumer_id, attributes)
) STRICT;
CREATE TABLE points (
  series_id INTEGER NOT NULL REFERENCES series (id),
  secs INTEGER NOT NULL,
  nanos INTEGER NOT NULL,
  value
);
CREATE INDEX points_secs ON points (secs);
CREATE TABLE batches (
  client TEXT NOT NULL,
  spool TEXT NOT NULL,
  last_batch INTEGER NOT NULL,
  PRIMARY KEY (client, spool)
) STRICT, WITHOUT ROWID;
CREATE VIEW measurements AS
SELECT
  metrics.name AS metric,
  coalesce(strftime('%Y-%m-%dT%H:%M:%S', points.secs, 'unixepoch'), '@' || points.secs) || printf('.%09dZ', points.nanos) AS timestamp,
  CASE WHEN metrics.value_type = 'U64' AND typeof(points.value) = 'real' THEN CAST(points.value AS INTEGER) ELSE points.value END AS value,
  metrics.unit AS unit,
  series.resource_kind, series.resource_id, series.consumer_kind, series.consumer_id, series.attributes,
  points.secs, points.nanos, metrics.value_type
FROM points JOIN series ON series.id = points.series_id JOIN metrics ON metrics.id = series.metric_id;
`;

const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

/** Makes the tables in a new file. @throws AgentError OUTPUT_DATABASE for a file that is something else */
export const prepareSchema = (database: DatabaseSync, path: string): void => {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  if (version === SCHEMA_VERSION && application === APPLICATION_ID) return;
  if (version !== 0 || application !== 0 || tables > 0)
    throw new AgentError({
      code: 'OUTPUT_DATABASE',
      where: 'plugins.sqlite.path',
      expected: `a new file, or measurements in version ${SCHEMA_VERSION}`,
      got:
        application === APPLICATION_ID
          ? `version ${version} in ${path}`
          : `a database of another program in ${path}`,
      hint: application === APPLICATION_ID ? 'read it with the agent that wrote it' : 'give another path',
    });
  database.exec(
    `BEGIN IMMEDIATE; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
  );
};
