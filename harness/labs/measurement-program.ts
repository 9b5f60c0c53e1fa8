/** Agents and servers of measurements as programs in a real lab: our own with its database, or a command of the command line. */

import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorSpec } from '../agents/actor-spec.ts';
import type { MeasurementAgentSpec, MeasurementServerSpec } from '../agents/measurement-spec.ts';
import type { Ground } from './ground.ts';

type Program = Extract<ActorSpec<never>, { kind: 'program' }>;

/** The tables of one run in a database that others use too; the agent process puts its own number for `{run}`. */
export const POSTGRES_TABLE = 'relaylab_{run}';
/** Where the password of a database is not seen by whoever looks at processes. */
const PASSWORD_VARIABLE = 'RELAYLAB_DB_PASSWORD';

/** An address, or a part of one, inside TOML's single quotes. */
const quotable = (text: string): string => text.replaceAll("'", '%27');

/** A connection string as a setting of `relay-agent`: all of it but the password. */
const postgresSettings = (url: URL): readonly string[] => {
  const { protocol, username, password, host, pathname, search } = url;
  const account = password === '' ? username : `${username}:\${${PASSWORD_VARIABLE}}`;
  const text = `${protocol}//${account === '' ? '' : `${account}@`}${host}${pathname}${search}`;
  return [`plugins.postgres.url='${quotable(text)}'`, `plugins.postgres.table='${POSTGRES_TABLE}'`];
};

/** The same for somebody else's program: without the password, which libpq and most others find in the environment. */
const withoutPassword = (url: URL): string => {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
};

const filled = (argv: readonly string[], values: Readonly<Record<string, string>>): readonly string[] =>
  argv.map((arg) => arg.replace(/\{(\w+)\}/g, (text, name: string) => values[name] ?? text));

/**
 * The server as `relay-agent` with a database, or the command of `--server-exec`; undefined: it is an actor (its store is memory,
 * or slower than it needs to be).
 */
export const serverProgram = (
  { exec, store, storePointsPerSecond, acknowledge }: MeasurementServerSpec,
  host: string,
  { node, root }: Pick<Ground, 'node' | 'root'>,
): Program | undefined => {
  if (store === 'memory') return undefined;
  const url = 'postgres' in store ? new URL(store.postgres) : undefined;
  const common = { kind: 'program', host, listens: true } as const;
  if (exec !== undefined) {
    const db = 'sqlite' in store ? store.sqlite : url && withoutPassword(url);
    const place = 'csv' in store ? { csv: store.csv } : { db: db as string };
    const secret = url === undefined || url.password === '' ? undefined : decodeURIComponent(url.password);
    const env = secret === undefined ? {} : { PGPASSWORD: secret };
    return { ...common, env, argv: filled(exec, { ...place, host }) };
  }
  // ours acknowledges, and a CSV file cannot know which batch it has
  if ('csv' in store) return undefined;
  if (storePointsPerSecond > 0 && url === undefined) return undefined;
  const output =
    'sqlite' in store
      ? [`plugins.sqlite.path='${store.sqlite}'`, "plugins.sqlite.synchronous='normal'"]
      : postgresSettings(url as URL);
  const settings = [...output, `plugins.relay-server.acknowledge=${acknowledge}`];
  const argv = [
    ...[node, `${root}/reference-impl/agent/bin/relay-agent.ts`, '--relay-in', `${host}:{port}`],
    ...[
      '--config',
      '{work}/relay-agent.toml',
      '--plugins',
      `relay-server,${url === undefined ? 'sqlite' : 'postgres'}`,
    ],
    ...settings.flatMap((setting) => ['--config-override', setting]),
    ...['--log-level', 'warn', '--log-format', 'json'],
  ];
  // as it stands in the address: percent-encoded
  const env = url === undefined ? {} : { [PASSWORD_VARIABLE]: quotable(url.password) };
  return { ...common, env, argv };
};

/** Somebody else's agent: it measures what it likes, and reports through the same link and NAT. */
export const agentProgram = ({
  exec = [],
  server: { host, port },
  agent,
}: MeasurementAgentSpec<Address>): Program => {
  const argv = filled(exec, { host, port: String(port), name: agent });
  return { kind: 'program', argv, env: {}, host, listens: false };
};
