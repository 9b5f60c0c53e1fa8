/**
 * `npm test`: every test file, those that want the machine for themselves last and one by one, and one closing line.
 * `npm test -- FILE|FOLDER|options of tap`: just those.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../harness/labs/compile-cache.ts';
import { closingLine, NOTHING_SKIPPED, sum, TALLY_FILE, type Tally, tallyOf } from './tally.ts';
import { type Asked, asked } from './test-plan.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TAP = join(ROOT, 'node_modules/tap/dist/esm/run.mjs');

/** Runs tap to its end, telling it what this process is told. @returns its exit code */
const tap = (args: readonly string[], tallyFile: string): Promise<number> =>
  new Promise((resolve, reject) => {
    // hundreds of processes load the same sources: the cache takes two thirds off the start of each program
    const env = { ...process.env, ...compileCache(ROOT), [TALLY_FILE]: tallyFile };
    const child = spawn(process.execPath, [TAP, ...args], { cwd: ROOT, stdio: 'inherit', env });
    const tell = (signal: NodeJS.Signals): void => void child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, tell);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const one of signals) process.off(one, tell);
      resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals]);
    });
  });

const plan = (): Asked => {
  try {
    return asked(ROOT, process.argv.slice(2));
  } catch (error) {
    console.error(`npm test: ${(error as Error).message}`);
    process.exit(1);
  }
};

const { groups, options } = plan();
const folder = mkdtempSync(join(tmpdir(), 'relaylab-tally-'));
const tallies: Tally[] = [];
let exitCode = 0;
try {
  for (const [index, { name, jobs, timeoutSeconds, files }] of groups.entries()) {
    const file = join(folder, `${index}.json`);
    const startedAt = performance.now();
    const code = await tap([`--jobs=${jobs}`, `--timeout=${timeoutSeconds}`, ...options, ...files], file);
    tallies.push(tallyOf(file, code));
    exitCode ||= code;
    console.log(`# ${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    if (code > 128) break;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const total = sum(tallies);
if (total.skipped > 0 && process.env[NOTHING_SKIPPED] === '1') exitCode ||= 1;
console.log(closingLine(total));
process.exitCode = exitCode;
