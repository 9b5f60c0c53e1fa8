/**
 * How the lab's namespaces are called: `relaylab.RUN.PID.START.KEEP.ROLE`. All that is known of a run is in the names, so that
 * whoever comes later can tell whose it is without asking anybody.
 */
import { readdirSync } from 'node:fs';
import { isDead, type Owner, thisOwner } from '../owner.ts';

export type RunName = {
  /** Lower-case letters, digits and dashes. */
  readonly run: string;
  readonly owner: Pick<Owner, 'pid' | 'startedAt'>;
  /** Left on purpose (`--keep`). */
  readonly kept: boolean;
};

/** Where iproute2 mounts named namespaces. */
export const NAMESPACES = '/run/netns';

const NAME = /^relaylab\.([a-z0-9-]+)\.(\d+)\.(\d+)\.(kept|run)\.([a-z0-9-]+)$/i;

/** `role`: `wan`, a host outside, `house-1`, a site's gateway. */
export const namespaceName = ({ run, owner, kept }: RunName, role: string): string =>
  `relaylab.${run}.${owner.pid}.${owner.startedAt}.${kept ? 'kept' : 'run'}.${role.replace(/[^a-zA-Z0-9-]/g, '-')}`;

/** undefined: not one of ours. */
export const parseNamespace = (name: string): RunName | undefined => {
  const [, run, pid, startedAt, kept] = NAME.exec(name) ?? [];
  if (run === undefined || startedAt === undefined) return undefined;
  return { run, owner: { pid: Number(pid), startedAt }, kept: kept === 'kept' };
};

/** The named namespaces of this machine. */
export const namespacesHere = (): readonly string[] => {
  try {
    return readdirSync(NAMESPACES);
  } catch {
    return []; // there never was one
  }
};

/** Those of one run. */
export const namespacesOf = (run: string, names = namespacesHere()): readonly string[] =>
  names.filter((name) => parseNamespace(name)?.run === run);

/**
 * Runs nobody owns any more. One that was left on purpose counts once nobody lives in it (`inhabited` says who does).
 * Names that are not the lab's are left alone.
 */
export const deadRuns = (
  names: readonly string[],
  inhabited: (name: string) => boolean,
  isGone: (owner: Owner) => boolean = (owner) => isDead(owner),
): readonly string[] => {
  const { host } = thisOwner();
  const dead = new Set<string>();
  const alive = new Set<string>();
  for (const name of names) {
    const parsed = parseNamespace(name);
    if (parsed === undefined) continue;
    const { run, owner, kept } = parsed;
    if (isGone({ ...owner, host }) && !(kept && inhabited(name))) dead.add(run);
    else alive.add(run);
  }
  return [...dead].filter((run) => !alive.has(run));
};
