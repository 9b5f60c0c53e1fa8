/** What processes there are, for tests that prove that none is left. Linux: /proc; elsewhere what signal 0 tells. */
import { readdirSync, readFileSync } from 'node:fs';

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie holds nothing any more; its parent (here perhaps nobody) only has not looked yet.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return process.platform !== 'linux';
  }
};

/** Processes that have this word in their environment: everything a test started, whoever is its parent by now. */
export const withMark = (mark: string): readonly number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return isAlive(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
      } catch {
        return false;
      }
    });

/** Asks again and again. @throws Error when it does not become true in time */
export const until = async (what: string, holds: () => boolean, millis: number): Promise<void> => {
  const deadline = performance.now() + millis;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${millis} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};
