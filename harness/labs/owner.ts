/**
 * Whose a run is: what labs make outside the runner's process is marked with its owner, so that a later run can tell what
 * nobody owns any more. The start time tells a process from a later one with the same id.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process on a machine. `startedAt`: whatever the system says, only ever compared. */
export type Owner = { readonly host: string; readonly pid: number; readonly startedAt: string };

/** When a process was started: field 22 of /proc/PID/stat on Linux, `ps` elsewhere. undefined: there is no such process. */
export const startTimeOf = (pid: number): string | undefined => {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
        .trim()
        .replace(/ +/g, '_');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the program's name may hold blanks and brackets: the fields are counted from its last bracket
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
};

/** The process this is. */
export const thisOwner = (): Owner => ({
  host: hostname().replaceAll(':', '-'),
  pid: process.pid,
  startedAt: startTimeOf(process.pid) ?? 'unknown',
});

/**
 * Whether the owner is certainly dead. A run of another machine (a shared engine) or without a readable owner is never
 * called dead: nobody here can know.
 */
export const isDead = (
  owner: Owner | undefined,
  here: string = thisOwner().host,
  startTime: (pid: number) => string | undefined = startTimeOf,
): boolean => owner !== undefined && owner.host === here && startTime(owner.pid) !== owner.startedAt;
