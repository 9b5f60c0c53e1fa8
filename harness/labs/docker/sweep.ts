/** Start-up sweep: runs whose owner died without a janitor (the machine was switched off, say) are removed by the next run. */
import type Docker from 'dockerode';
import { isDead, type Owner } from '../owner.ts';
import { LAB_VALUE, LABEL, parseOwner } from './labels.ts';
import { removeRun } from './removal.ts';

/** A container or network that carries the lab's marks. */
export type Marked = {
  readonly kind: 'container' | 'network';
  readonly labels: Readonly<Record<string, string>>;
};

/**
 * The runs nobody owns any more. A run that was left on purpose (`--keep`) counts only once its containers are gone (they
 * end by themselves). Everything is decided by labels; what has no run or owner label is left alone.
 */
export const deadRuns = (
  marked: readonly Marked[],
  isGone: (owner: Owner | undefined) => boolean = (owner) => isDead(owner),
): readonly string[] => {
  const dead = new Set<string>();
  const alive = new Set<string>();
  for (const { kind, labels } of marked) {
    const run = labels[LABEL.run];
    if (labels[LABEL.lab] !== LAB_VALUE || run === undefined) continue;
    const kept = labels[LABEL.keep] !== undefined && kind === 'container';
    if (!kept && isGone(parseOwner(labels[LABEL.owner]))) dead.add(run);
    else alive.add(run);
  }
  return [...dead].filter((run) => !alive.has(run));
};

/** Removes dead runs. @returns what was done and what could not be, in words */
export const sweepDeadRuns = async (docker: Docker): Promise<readonly string[]> => {
  const filters = { label: [`${LABEL.lab}=${LAB_VALUE}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const marked: Marked[] = [
    ...containers.map(({ Labels }) => ({ kind: 'container' as const, labels: Labels })),
    ...networks.map(({ Labels }) => ({ kind: 'network' as const, labels: Labels ?? {} })),
  ];
  const said: string[] = [];
  for (const run of deadRuns(marked)) {
    said.push(`removing what run ${run} left behind`);
    said.push(...(await removeRun(docker, run)));
  }
  return said;
};
