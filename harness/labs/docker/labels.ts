/**
 * How everything the Docker lab makes is marked, so that it can be found and removed by mark alone, never by image or name.
 */
import type { Owner } from '../owner.ts';

/** `lab=relaylab` is on everything; the others say which run, whose, and whether it was left on purpose (`--keep`). */
export const LABEL = { lab: 'lab', run: 'lab.run', owner: 'lab.owner', keep: 'lab.keep' } as const;
export const LAB_VALUE = 'relaylab';

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
