/**
 * A process of its own that outlives the runner and cleans up after it. When its standard input ends without the word `done`
 * (the runner was killed, even by kill -9), everything of that run is to be removed. Each lab has a program for that.
 */
import { spawn } from 'node:child_process';

/** Calls the janitor off: the run was cleaned up, or is to stay. */
export type CallOff = () => void;

/** Hires a janitor for a run: `node PROGRAM RUN`. It keeps neither the runner alive nor its terminal. */
export const hireJanitor = (program: string, runId: string): CallOff => {
  const child = spawn(process.execPath, [program, runId], {
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

/** In the janitor: waits until its runner is gone. Signals of a terminal do not reach it. @returns whether there is something to do */
export const outlivedRunner = async (): Promise<boolean> => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  let heard = '';
  for await (const chunk of process.stdin) heard += chunk;
  return !heard.includes('done');
};
