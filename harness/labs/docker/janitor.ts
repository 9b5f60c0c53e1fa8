/**
 * A process of its own that outlives the runner: `node janitor.ts RUN`. When its standard input ends without the word `done`
 * (the runner was killed, even by kill -9), it removes everything of that run. Signals of a terminal do not reach its purpose.
 */

import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { removeRun } from './removal.ts';

/** Calls the janitor off: the run was cleaned up, or is to stay. */
export type CallOff = () => void;

/** With two seconds between them: an engine has that long to come back. */
const TRIES = 60;

/** Hires a janitor for a run. It keeps neither the runner alive nor its terminal. */
export const hireJanitor = (runId: string): CallOff => {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), runId], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  const stdin = child.stdin;
  // a janitor that could not be started must not take the run with it: the start-up sweep is still there
  child.on('error', () => undefined);
  stdin.on('error', () => undefined);
  (stdin as unknown as { unref?: () => void }).unref?.();
  return () => stdin.end('done\n');
};

const work = async (runId: string): Promise<void> => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  let heard = '';
  for await (const chunk of process.stdin) heard += chunk;
  if (heard.includes('done')) return;
  for (let tries = 0; (await removeRun(new Docker(), runId)).length > 0 && tries < TRIES; tries++)
    await pause(2000);
  // the engine may still have been creating something for the dead runner
  await pause(500);
  await removeRun(new Docker(), runId);
};

// not import.meta.main: the packed lab runs on Node 20 as well
if (process.argv[1] === import.meta.filename) await work(process.argv[2] as string);
