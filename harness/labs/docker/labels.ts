/**
 * How everything the Docker lab makes is marked, so that it can be found and removed by mark alone, never by image or name.
 * A run belongs to a process; its start time tells it from a later process with the same id.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** `lab=relaylab` is on everything; the others say which run, whose, and whether it was left on purpose (`--keep`). */
export const LABEL = { lab: 'lab', run: 'lab.run', owner: 'lab.owner', keep: 'lab.keep' } as const;
export const LAB_VALUE = 'relaylab';

/** A process on a machine. `startedAt`: whatever the system says, only ever compared. */
export type Owner = { readonly host: string; readonly pid: number; readonly startedAt: string };

export type RunLabels = Readonly<Record<string, string>>;

/** The marks of one run. */
export const runLabels = (runId: string, owner: Owner, keep: boolean): RunLabels => ({
  [LABEL.lab]: LAB_VALUE,
  [LABEL.run]: runId,
  [LABEL.owner]: `${owner.host}:${owner.pid}:${owner.startedAt}`,
  ...(keep ? { [LABEL.keep]: '1' } : {}),
});

/** Reads `host:pid:startedAt`; undefined if it is none. A host name has no colon, a start time may. */
export const parseOwner = (text: string | undefined): Owner | undefined => {
  const found = /^([^:]+):([1-9][0-9]*):(.+)$/.exec(text ?? '');
  return found === null
    ? undefined
    : { host: found[1] as string, pid: Number(found[2]), startedAt: found[3] as string };
};

/** What Docker takes as part of a name: anything else becomes a dash. */
export const nameFor = (runId: string, host: string, role: string): string =>
  `relaylab-${runId}-${host}-${role}`.replace(/[^a-zA-Z0-9_.-]/g, '-');

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
