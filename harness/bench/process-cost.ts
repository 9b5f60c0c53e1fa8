/** What a process and its children have used so far, from /proc. Linux only; elsewhere NaN. */
import { readdirSync, readFileSync } from 'node:fs';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};

const entries = (path: string): readonly string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const tasks = (pid: number): readonly string[] => entries(`/proc/${pid}/task`);

/** A process and whatever it has started that still lives. */
const family = (pid: number): readonly number[] => {
  const children = tasks(pid).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
};

/** CPU seconds of all threads; by the scheduler's own nanoseconds, since a tick of 10 ms is a third of some rounds. */
export const cpuSeconds = (pids: readonly number[]): number => {
  let nanos = 0;
  for (const pid of pids.flatMap(family)) {
    for (const task of tasks(pid)) {
      const [ran = ''] = read(`/proc/${pid}/task/${task}/schedstat`).split(' ');
      nanos += ran === '' ? Number.NaN : Number(ran);
    }
  }
  return nanos / 1e9;
};

/** Resident memory in bytes. */
export const residentBytes = (pids: readonly number[]): number => {
  let kib = 0;
  for (const pid of pids.flatMap(family))
    kib += Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN);
  return kib * 1024;
};

/** Open descriptors. */
export const descriptors = (pids: readonly number[]): number => {
  let count = 0;
  for (const pid of pids.flatMap(family)) count += entries(`/proc/${pid}/fd`).length;
  return count === 0 ? Number.NaN : count;
};
