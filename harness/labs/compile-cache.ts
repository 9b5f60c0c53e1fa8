/** What lets agents start in a quarter of the time: Node keeps what it made of our sources (stripped of types, compiled). */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/**
 * Variables for the environment of agents, and so of the programs they start. Node tells by itself what is out of date, and goes
 * without a cache where the folder cannot be written or read. None while coverage is measured: the two do not go together.
 * @param root folder of this repository
 */
export const compileCache = (root: string): Readonly<Record<string, string>> =>
  process.env.NODE_V8_COVERAGE !== undefined
    ? {}
    : {
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compile'),
      };

const WARM_MILLIS = 5_000;

/**
 * Runs an agent that ends at once, so that those who may only read the cache (containers) find it full. The cache is one user's:
 * containers of root gain nothing by what somebody else's process left. Never fails: without it they start more slowly.
 */
export const warmCompileCache = (root: string, agent: string): Promise<void> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', agent], {
      stdio: 'ignore',
      env: { ...process.env, ...compileCache(root) },
      timeout: WARM_MILLIS,
      killSignal: 'SIGKILL',
    });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
