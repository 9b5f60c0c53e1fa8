import type { ClientConfig } from 'pg';
import type { ConfigTable } from '../../config/config-table.ts';
import type { AgentContext, Plugin } from '../../plugin.ts';
import { QUEUE_DEFAULTS, RETRY_DEFAULTS, readQueue } from '../queue-config.ts';
import { type PostgresConfig, PostgresOutput } from './postgres-output.ts';

const HOST = '127.0.0.1';
const PORT = 5432;
/** Also the database. */
const USER = 'relay';
/** Identifiers of PostgreSQL are cut off silently at 63 bytes; `_batches` and `_metrics` come behind. */
const TABLE_BYTES_MAX = 55;

const withoutPassword = (table: ConfigTable, text: string): string => {
  try {
    const url = new URL(text);
    if (!/^postgres(ql)?:$/.test(url.protocol)) throw new Error(url.protocol);
    return `postgres://${url.username}${url.password === '' ? '' : ':***'}@${url.host}${url.pathname}`;
  } catch {
    // the error of URL would print what it could not read
    throw table.error(
      'url',
      'CONFIG_VALUE',
      'postgres://user:password@host:port/database',
      'write it like that',
    );
  }
};

const readPlace = (table: ConfigTable): { readonly connection: ClientConfig; readonly place: string } => {
  const connectMillis = table.duration('connect_timeout', '10s', { moreThanZero: true });
  const timeouts = { connectionTimeoutMillis: Math.ceil(connectMillis) };
  const url = table.optionalString('url');
  const host = table.string('host', HOST);
  const port = table.integer('port', { least: 1, most: 65_535 }, PORT);
  const user = table.string('user', USER);
  const database = table.string('database', user);
  const password = table.optionalString('password');
  if (url !== undefined) {
    // the written defaults have the parts: a url on the command line is no contradiction to those
    const parts = {
      host: host !== HOST,
      port: port !== PORT,
      user: user !== USER,
      database: database !== USER,
    };
    for (const [key, isGiven] of Object.entries({ ...parts, password: password !== undefined }))
      if (isGiven)
        throw table.error(key, 'CONFIG_VALUE', 'either url or its parts', `take url or ${key} away`);
    return { connection: { connectionString: url, ...timeouts }, place: withoutPassword(table, url) };
  }
  return {
    connection: { host, port, user, database, ...timeouts, ...(password === undefined ? {} : { password }) },
    place: `postgres://${user}${password === undefined ? '' : ':***'}@${host}:${port}/${database}`,
  };
};

const identifier = (table: ConfigTable, key: string, fallback: string): string => {
  const name = table.string(key, fallback);
  if (name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= TABLE_BYTES_MAX) return name;
  throw table.error(key, 'CONFIG_VALUE', `a name of 1 to ${TABLE_BYTES_MAX} bytes`, `such as "${fallback}"`);
};

/** `[plugins.postgres]`: measurements into PostgreSQL, or TimescaleDB. */
export const postgresPlugin: Plugin<PostgresConfig, AgentContext> = {
  name: 'postgres',
  defaults: `# Where it is; or all in one, and then none of the parts: url = "postgres://user:\${PASSWORD}@host:5432/database?sslmode=verify-full"
host = "127.0.0.1"
port = 5432
user = "relay"
# Without one, PGPASSWORD or ~/.pgpass: password = "\${RELAY_PASSWORD}"
database = "relay"
connect_timeout = "10s"
# Made when they are not there, with TABLE_batches and TABLE_metrics; a hypertable where the extension timescaledb is.
schema = "public"
table = "measurements"
${QUEUE_DEFAULTS}${RETRY_DEFAULTS}`,
  read: (table) => ({
    ...readPlace(table),
    schema: identifier(table, 'schema', 'public'),
    table: identifier(table, 'table', 'measurements'),
    ...readQueue(table),
  }),
  create: (config, { registry, log, clock }) => [
    { type: 'output', output: new PostgresOutput(config, registry, log, clock) },
  ],
};
