/** A PostgreSQL server of one's own for a test or a bench: a fresh cluster in a folder of its own, gone when it is closed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DEBIAN = '/usr/lib/postgresql';
const START_MILLIS = 30_000;
const STOP_MILLIS = 10_000;
/** Those under which a server may run when we are root, which it refuses to be. */
const UNPRIVILEGED = ['postgres', 'nobody'] as const;
const READY = /database system is ready to accept connections/;

/** Where the server's programs are (Debian's folder, newest version first, else PATH), or undefined. */
export const postgresFolder = (path: string = process.env.PATH ?? ''): string | undefined => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const debian = versions
    .map((version) => join(DEBIAN, version, 'bin'))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return [...debian, ...path.split(':')].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  );
};

type Account = { readonly uid: number; readonly gid: number } | undefined;

const account = (): Account => {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of UNPRIVILEGED) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    `PostgreSQL does not run as root, and none of ${UNPRIVILEGED.join(', ')} is an account here`,
  );
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

/** The server. It may be killed and started again over the same data. */
export class ThrowawayPostgres {
  readonly port: number;
  /** Its data, also where its unix socket is. */
  readonly folder: string;
  readonly #programs: string;
  readonly #account: Account;
  #child: ChildProcess | undefined;
  readonly #onExit = (): void => {
    this.#child?.kill('SIGKILL');
  };

  private constructor(programs: string, account: Account, port: number) {
    this.#programs = programs;
    this.#account = account;
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'relay-postgres-'));
    if (account !== undefined) chownSync(this.folder, account.uid, account.gid);
  }

  /** A cluster, started. @throws Error when there are no programs, or with the server's last words */
  static async start(): Promise<ThrowawayPostgres> {
    const programs = postgresFolder();
    if (programs === undefined) throw new Error('PostgreSQL is not installed here');
    const server = new ThrowawayPostgres(programs, account(), await freePort());
    try {
      const { folder } = server;
      const options = ['-D', folder, '-A', 'trust', '-U', 'relay', '-E', 'UTF8', '--locale=C', '--no-sync'];
      const initdb = server.#spawn('initdb', options);
      const words = lastWords(initdb);
      const [code] = (await once(initdb, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`initdb ended with ${code}: ${words()}`);
      await server.begin();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** For `pg`: a connection string over loopback TCP. */
  get url(): string {
    return `postgres://relay@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** Starts it over the data that are there: at first, and after `kill`. */
  async begin(): Promise<void> {
    const deadline = Date.now() + START_MILLIS;
    for (;;) {
      const outcome = await this.#tryStart(deadline - Date.now());
      if (outcome === undefined) return;
      // what a killed server has left keeps the shared memory until it notices that its parent is gone
      if (!/shared memory block|Address already in use/.test(outcome) || Date.now() > deadline)
        throw new Error(`postgres: ${outcome}`);
    }
  }

  /** SIGKILL, as a crash: nothing is written out, every connection breaks. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it in order (its clients are thrown out) and removes the data. */
  async close(): Promise<void> {
    await this.#end('SIGINT');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    process.off('exit', this.#onExit);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MILLIS);
    await exited;
    clearTimeout(timer);
  }

  #spawn(program: string, options: readonly string[]): ChildProcess {
    return spawn(join(this.#programs, program), options, {
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(this.#account ?? {}),
    });
  }

  /** @returns undefined when it is ready, else its last words */
  async #tryStart(millis: number): Promise<string | undefined> {
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${this.port}`,
      `unix_socket_directories=${this.folder}`,
    ];
    const child = this.#spawn('postgres', [
      '-D',
      this.folder,
      ...settings.flatMap((setting) => ['-c', setting]),
    ]);
    const words = lastWords(child);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const timer = setTimeout(
      () => resolve(`not ready after ${START_MILLIS} ms: ${words()}`),
      Math.max(0, millis),
    );
    child.stderr?.on('data', () => {
      if (READY.test(words())) resolve(undefined);
    });
    child.once('exit', () => resolve(words()));
    child.once('error', (error) => resolve(error.message));
    const outcome = await promise;
    clearTimeout(timer);
    if (outcome === undefined) {
      this.#child = child;
      process.once('exit', this.#onExit);
    } else child.kill('SIGKILL');
    return outcome;
  }
}

const WORDS_CHARS_MAX = 2_000;

/** What a program said last; it is read for as long as it lives, so that it never waits for us. */
const lastWords = (child: ChildProcess): (() => string) => {
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-WORDS_CHARS_MAX);
  });
  return () => said.trim();
};
