/**
 * A target that we start: on a port we give it (`{port}`), or on one of its own that it tells in its first lines. `{dir}` is a
 * folder, empty at each start, `{output}` a file in it, and each file of the profile has its own name.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../agents/program.ts';
import { auditGroup, listensOn } from '../../measure/process-audit.ts';
import type { Happening } from '../../trace/trace.ts';
import type { Holdings } from '../case.ts';
import { type RunningServer, type ServerTarget, TargetError } from './target.ts';

const READY_MILLIS = 15_000;
/** `4000`, `127.0.0.1:4000`, `{"port": 4000}`: the last number of a line that looks like a port. */
const PORT_LINE = /(?:^|[:\s"=])(\d{2,5})["\s}.]*$/;
const CLOCK_TICK_MILLIS = 10;

/** CPU of a process group's leader and its children, from /proc. */
const cpuMillis = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * CLOCK_TICK_MILLIS;
};

export const holdingsOf = async (pid: number | undefined): Promise<Holdings | undefined> => {
  if (pid === undefined) return undefined;
  const books = await auditGroup(pid);
  return books === undefined ? undefined : { ...books, cpuMillis: await cpuMillis(pid) };
};

/** A command line as a shell would split it: words, quotes and backslashes, nothing else. @throws TargetError */
export const wordsOf = (command: string): readonly string[] => {
  const words: string[] = [];
  const pattern = /\s*((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+)/gy;
  let at = 0;
  for (let found = pattern.exec(command); found !== null; found = pattern.exec(command)) {
    at = pattern.lastIndex;
    words.push(
      (found[1] as string).replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, double, single, escaped) =>
        double !== undefined ? double.replace(/\\(.)/g, '$1') : (single ?? escaped),
      ),
    );
  }
  if (command.slice(at).trim() !== '' || words.length === 0)
    throw new TargetError(`cannot read the command ${command}: a quote is open, or it is empty`);
  return words;
};

type Place = {
  readonly output: string;
  /** By placeholder. */
  readonly paths: ReadonlyMap<string, string>;
  remove(): void;
};

/** Where one life of the target may write, and the files that it reads. */
const newPlace = (files: Readonly<Record<string, string>>): Place => {
  const dir = mkdtempSync(join(tmpdir(), 'relaylab-target-'));
  const output = join(dir, 'output.csv');
  const paths = new Map([
    ['dir', dir],
    ['output', output],
  ]);
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    // what it holds may be a secret key
    writeFileSync(path, text, { mode: 0o600 });
    paths.set(name, path);
  }
  return { output, paths, remove: () => rmSync(dir, { recursive: true, force: true }) };
};

/** A port may be taken between our look at it and the target's: another one is tried so often. */
const PORTS_MAX = 3;

/** @param files what the profile's targets read: text by placeholder */
export const execServer = (command: string, files: Readonly<Record<string, string>> = {}): ServerTarget => {
  const words = wordsOf(command);
  const given = words.some((word) => word.includes('{port}'));
  const asked = (name: string): boolean => words.some((word) => word.includes(`{${name}}`));
  const taken = Object.entries(files).filter(([name]) => asked(name));
  const needsPlace = asked('dir') || asked('output') || taken.length > 0;
  const start = async (portsLeft: number): Promise<RunningServer> => {
    const place = needsPlace ? newPlace(Object.fromEntries(taken)) : undefined;
    const argv = words.map((word) =>
      word.replace(/\{(\w+)\}/g, (whole, name: string) => place?.paths.get(name) ?? whole),
    );
    const lines: string[] = [];
    let died: string | undefined;
    let port = 0;
    const told = Promise.withResolvers<void>();
    const hear = (event: Happening): void => {
      if (event.type === 'host.ready') port = event.port;
      if (event.type === 'host.crashed') died = event.reason;
      if (event.type === 'host.stopped') died ??= 'stopped by us';
      if (event.type === 'host.output') {
        lines.push(event.text);
        if (lines.length > 200) lines.shift();
        const found = given ? null : PORT_LINE.exec(event.text);
        if (port === 0 && found !== null) port = Number(found[1]);
      }
      if (died !== undefined || port !== 0) told.resolve();
    };
    const program = new Program({ kind: 'program', argv, env: {}, host: '127.0.0.1', listens: given }, hear);
    await program.start();
    const timer = setTimeout(() => told.resolve(), READY_MILLIS);
    await told.promise;
    clearTimeout(timer);
    if (died !== undefined || port === 0) {
      await program.stop('kill');
      place?.remove();
      if (portsLeft > 0 && (await program.isPortTaken())) return start(portsLeft - 1);
      const hint = given
        ? 'It must listen on the port that replaces {port}.'
        : 'It must print the port it listens on in a line of its own, or take it from us: write {port} in the command.';
      throw new TargetError(
        `${command} is not ready: ${died ?? `no port after ${READY_MILLIS / 1_000} s`}.\n${hint}\nIt said: ${lines.slice(-8).join('\n         ') || 'nothing'}`,
      );
    }
    return {
      address: { host: '127.0.0.1', port },
      get died() {
        return died;
      },
      alive: async () => died === undefined && (await listensOn(port)),
      output: () => lines.slice(-20).join('\n'),
      holdings: () => holdingsOf(program.pid),
      signal: async (signal) => program.kill(signal),
      outputFile: place?.output,
      files: new Set(taken.map(([name]) => name)),
      stop: async () => {
        await program.stop('orderly');
        place?.remove();
      },
    };
  };
  return { text: command, restartable: true, start: () => start(PORTS_MAX - 1) };
};
