import type { ConfigTable } from '../../config/config-table.ts';
import type { AgentContext, Plugin } from '../../plugin.ts';
import { QUEUE_DEFAULTS, RETRY_DEFAULTS, readQueue } from '../queue-config.ts';
import { type InfluxConfig, InfluxOutput } from './influx-output.ts';

const readHost = (table: ConfigTable): URL => {
  const host = table.string('host', 'http://localhost:8086');
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url;
  throw table.error(
    'host',
    'CONFIG_VALUE',
    'http://host:port or https://host:port',
    'token, or user and password, have keys of their own',
  );
};

/** Adds a path behind that of the host, which may have one (a proxy). */
const endpoint = (
  host: URL,
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string => {
  const url = new URL(host);
  url.pathname = url.pathname.replace(/\/$/, '') + path;
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
};

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const V1_KEYS = ['retention_policy', 'user', 'password'] as const;
const V2_KEYS = ['org', 'bucket', 'token'] as const;

const readTarget = (table: ConfigTable): Pick<InfluxConfig, 'url' | 'authorization'> => {
  const host = readHost(table);
  const isV1 = table.has('database');
  for (const key of isV1 ? V2_KEYS : V1_KEYS)
    if (table.has(key))
      throw table.error(
        key,
        'CONFIG_VALUE',
        'org, bucket and token (InfluxDB 2), or database, user and password (InfluxDB 1)',
        `take ${key} away`,
      );
  if (isV1) {
    const user = table.optionalString('user');
    const url = endpoint(host, '/write', {
      db: table.string('database'),
      rp: table.optionalString('retention_policy'),
      precision: 'ns',
    });
    return { url, authorization: user === undefined ? undefined : basic(user, table.string('password', '')) };
  }
  const token = table.optionalString('token');
  const url = endpoint(host, '/api/v2/write', {
    org: table.string('org', 'relay'),
    bucket: table.string('bucket', 'measurements'),
    precision: 'ns',
  });
  return { url, authorization: token === undefined ? undefined : `Token ${token}` };
};

/** `[plugins.influx]`: measurements into InfluxDB 1 or 2. */
export const influxPlugin: Plugin<InfluxConfig, AgentContext> = {
  name: 'influx',
  defaults: `host = "http://localhost:8086"
# InfluxDB 2, with token = "\${INFLUX_TOKEN}". InfluxDB 1 instead: database, and perhaps retention_policy, user, password.
org = "relay"
bucket = "measurements"
# Attributes become "tag"s or "field"s, but for those that a list names. As fields (Alumet's choice) they do not tell points apart:
# of user, system and idle at the same time InfluxDB keeps one.
attributes_as = "tag"
attributes_as_tags = []
attributes_as_fields = []
# Unsigned numbers as "7u"; without it (InfluxDB 1) as "7i".
uint_suffix = true
gzip = false
request_timeout = "30s"
${QUEUE_DEFAULTS}${RETRY_DEFAULTS}`,
  read: (table) => ({
    ...readTarget(table),
    attributesAs: table.choice('attributes_as', ['tag', 'field'], 'tag'),
    attributesAsTags: new Set(table.strings('attributes_as_tags', [])),
    attributesAsFields: new Set(table.strings('attributes_as_fields', [])),
    uintSuffix: table.boolean('uint_suffix', true),
    gzip: table.boolean('gzip', false),
    requestMillis: Math.ceil(table.duration('request_timeout', '30s', { moreThanZero: true })),
    ...readQueue(table),
  }),
  create: (config, { registry, log, clock }) => [
    { type: 'output', output: new InfluxOutput(config, registry, log, clock) },
  ],
};
