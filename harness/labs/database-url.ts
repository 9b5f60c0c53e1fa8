/** What `--db postgres://...` says: where the database is, and how it may be shown. Words of libpq, also where it says nothing. */
import { userInfo } from 'node:os';

/** Where it listens: a TCP port, or a Unix socket. */
export type DatabasePlace =
  | { readonly host: string; readonly port: number }
  /** The socket itself. */
  | { readonly path: string };

type Environment = Readonly<Record<string, string | undefined>>;

const PORT = 5432;

/** Whether it names a PostgreSQL server, not a file. */
export const isPostgres = (db: string): boolean => /^postgres(ql)?:/.test(db);

/** The name of a server's Unix socket in its folder. */
export const socketName = (port: number): string => `.s.PGSQL.${port}`;

/** @throws Error that says how it is written, and nothing of what was given: there may be a password in it */
const parsed = (db: string): URL => {
  let url: URL;
  try {
    url = new URL(db);
    decodeURIComponent(url.hostname + url.username + url.password + url.pathname);
  } catch {
    throw new Error('expected postgres://user:password@host:port/database');
  }
  if (db.startsWith(`${url.protocol}//`)) return url;
  throw new Error('expected postgres://user:password@host:port/database');
};

/** What is wrong with an address or the path of a file, without a password; undefined: nothing. */
export const mistakeIn = (db: string): string | undefined => {
  if (db === '' || /^(?!postgres)\w+:\/\//.test(db))
    return 'expected postgres://user:password@host:port/database, or the path of an SQLite file';
  if (!isPostgres(db)) return undefined;
  try {
    databasePlace(db, {});
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

/** @throws Error when it is no such address */
export const databasePlace = (db: string, env: Environment = process.env): DatabasePlace => {
  const url = parsed(db);
  const asked = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  const host = asked === '' ? (env.PGHOST ?? 'localhost') : asked.replace(/^\[(.*)\]$/, '$1');
  const port = Number((url.searchParams.get('port') ?? url.port) || (env.PGPORT ?? PORT));
  if (host.includes(',')) throw new Error('expected one host, not several');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('expected a port up to 65535');
  return host.startsWith('/') ? { path: `${host}/${socketName(port)}` } : { host, port };
};

/** For people. */
export const placeText = (place: DatabasePlace): string =>
  'path' in place ? place.path : `${place.host}:${place.port}`;

/** For logs, traces and reports; of what cannot be read, nothing before the last `@` but its beginning. */
export const withoutPassword = (db: string): string => {
  try {
    const url = parsed(db);
    if (url.password !== '') url.password = '***';
    if (url.searchParams.has('password')) url.searchParams.set('password', '***');
    return url.href;
  } catch {
    return db.replace(/:\/\/.*@/, '://***@');
  }
};

/** TLS of a connection ends where its stream does; these ask for none. */
const PLAIN = new Set(['disable', 'allow', 'prefer']);

/**
 * The same database through the socket in a folder. User, database and password that are the environment's are written out: where
 * this is read, the environment is another one.
 * @throws Error for one that insists on TLS, which is not spoken through a socket
 */
export const throughFolder = (db: string, folder: string, env: Environment = process.env): string => {
  const url = parsed(db);
  const mode = url.searchParams.get('sslmode') ?? 'prefer';
  if (!PLAIN.has(mode)) throw new Error(`sslmode=${mode} asks for TLS, which a Unix socket does not have`);
  for (const key of ['host', 'port', 'sslmode']) url.searchParams.delete(key);
  const user = url.username || encodeURIComponent(env.PGUSER ?? userInfo().username);
  const password = url.password || encodeURIComponent(env.PGPASSWORD ?? '');
  const database = url.pathname.slice(1) || encodeURIComponent(env.PGDATABASE ?? '') || user;
  const account = password === '' ? user : `${user}:${password}`;
  return `postgres://${account}@${encodeURIComponent(folder)}:${PORT}/${database}${url.search}`;
};
