/** Who takes measurements: our agent into each of its outputs, a plain sink, and Alumet's agent where its binary is given. */
import { createReadStream, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { ThrowawayPostgres } from '../../../reference-impl/agent/outputs/throwaway-postgres.ts';
import { openDatabase } from '../../../reference-impl/measurement-relay/disk/node-sqlite.ts';
import { freePort } from '../children.ts';
import { type Contender, type Running, runningAs, started } from '../contenders.ts';

/** A server of measurements that runs. */
export type Ingest = Running & {
  /** Before each turn: makes room, where the last turn's points would be in the way. */
  clear(): Promise<void>;
  /** Points that are stored since `clear`; undefined: whoever closes the connection has stored them. */
  readonly stored: (() => Promise<number>) | undefined;
  /** What the database runs as, if it is a process of its own. */
  readonly databasePids: readonly number[];
  /** Stops the database from taking anything until the answer is called. */
  readonly hold?: () => Promise<() => Promise<void>>;
};

const NODE = process.execPath;
const ROOT = new URL('../../../', import.meta.url);
const AGENT = fileURLToPath(new URL('reference-impl/agent/bin/relay-agent.ts', ROOT));
const SINK = fileURLToPath(new URL('programs/ingest-sink.ts', import.meta.url));

export const NAMES = {
  ceiling: 'loopback ceiling',
  nothing: 'relay-agent, nothing',
  csv: 'relay-agent, CSV',
  sqlite: 'relay-agent, SQLite',
  postgres: 'relay-agent, PostgreSQL',
  alumet: 'Alumet, nothing',
  alumetCsv: 'Alumet, CSV',
} as const;

const nothingToClear = async (): Promise<void> => {};

/** A folder for one contender, gone when it is. */
const folderOf = (): { readonly folder: string; readonly remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-bench-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
};

/** Our agent as a server, with the table of one output (or none) behind its own. */
const agentWith = async (output: string, folder: string, remove: () => void): Promise<Running> => {
  const port = await freePort();
  const file = join(folder, 'agent.toml');
  writeFileSync(file, `[plugins.relay-server]\naddress = "127.0.0.1:${port}"\n${output}`);
  const command = [NODE, AGENT, '--config', file, '--no-default-config', '--log-level', 'error'];
  return runningAs(port, [await started(command, port)], remove);
};

export const ceiling: Contender = {
  name: NAMES.ceiling,
  own: false,
  start: async (): Promise<Ingest> => {
    const port = await freePort();
    const running = runningAs(port, [await started([NODE, SINK, `${port}`], port)]);
    return { ...running, clear: nothingToClear, stored: undefined, databasePids: [] };
  },
};

export const intoNothing: Contender = {
  name: NAMES.nothing,
  own: true,
  start: async (): Promise<Ingest> => {
    const { folder, remove } = folderOf();
    const running = await agentWith('', folder, remove);
    return { ...running, clear: nothingToClear, stored: undefined, databasePids: [] };
  },
};

export const intoCsv: Contender = {
  name: NAMES.csv,
  own: true,
  start: async (): Promise<Ingest> => {
    const { folder, remove } = folderOf();
    const path = join(folder, 'out.csv');
    const running = await agentWith(`[plugins.csv]\noutput_path = ${JSON.stringify(path)}\n`, folder, remove);
    const clear = async (): Promise<void> => truncateSync(path);
    return { ...running, clear, stored: undefined, databasePids: [] };
  },
};

/** So that the end of a turn is not a wait for more points. */
const PROMPT = 'batch_timeout = "10ms"\n';

export const intoSqlite: Contender = {
  name: NAMES.sqlite,
  own: true,
  start: async (): Promise<Ingest> => {
    const { folder, remove } = folderOf();
    const path = join(folder, 'out.sqlite');
    const running = await agentWith(
      `[plugins.sqlite]\npath = ${JSON.stringify(path)}\n${PROMPT}`,
      folder,
      remove,
    );
    const database = openDatabase(path, { readOnly: true });
    const last = database.prepare('SELECT coalesce(max(rowid), 0) AS last FROM points');
    const count = (): number => Number((last.get() as { last: number }).last);
    let before = 0;
    return {
      ...running,
      clear: async () => {
        before = count();
      },
      stored: async () => count() - before,
      databasePids: [],
      stop: async () => {
        database.close();
        await running.stop();
      },
    };
  },
};

export const intoPostgres: Contender = {
  name: NAMES.postgres,
  own: true,
  start: async (): Promise<Ingest> => {
    const server = await ThrowawayPostgres.start();
    const { folder, remove } = folderOf();
    try {
      const running = await agentWith(`[plugins.postgres]\nurl = "${server.url}"\n${PROMPT}`, folder, remove);
      const client = new Client(server.url);
      await client.connect();
      return {
        ...running,
        clear: async () => {
          await client.query('TRUNCATE measurements');
        },
        stored: async () => Number((await client.query('SELECT count(*) AS n FROM measurements')).rows[0]?.n),
        databasePids: [server.pid],
        hold: async () => {
          await client.query('BEGIN; LOCK TABLE measurements IN ACCESS EXCLUSIVE MODE');
          return async () => {
            await client.query('COMMIT');
          };
        },
        stop: async () => {
          await client.end();
          await running.stop();
          await server.close();
        },
      };
    } catch (error) {
      await server.close();
      throw error;
    }
  },
};

const linesOf = async (path: string): Promise<number> => {
  let lines = 0;
  for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>)
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
  return lines;
};

/**
 * Alumet's agent as a server that writes CSV. It never looks at what came in one read with the end of a frame until more comes, so
 * bytes that it has read are not points it has taken: what counts is in its file, and without a file there is nothing to count.
 */
export const alumetCsv = (binary: string): Contender => ({
  name: NAMES.alumetCsv,
  own: false,
  start: async (): Promise<Ingest> => {
    const { folder, remove } = folderOf();
    const port = await freePort();
    const path = join(folder, 'out.csv');
    const command = [
      ...[binary, '--config', join(folder, 'alumet.toml'), '--relay-in', `127.0.0.1:${port}`],
      ...['--plugins', 'relay-server,csv', '--output-file', path],
    ];
    const running = runningAs(port, [await started(command, port)], remove);
    let before = 0;
    const clear = async (): Promise<void> => {
      before = await linesOf(path);
    };
    return { ...running, clear, stored: async () => (await linesOf(path)) - before, databasePids: [] };
  },
});
