/** Removing what carries a run's marks: containers first, then networks, a few at a time, again where the engine hesitates. */
import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { LAB_VALUE, LABEL } from './labels.ts';

/** More at once made the engine lose count of a network's endpoints (measured on 20.10). */
const AT_ONCE = 4;
const NETWORK_TRIES = 5;

/** Runs at most `atOnce` of the jobs at a time. Never rejects: what failed comes back in order. */
export const eachAtMost = async <Item>(
  atOnce: number,
  items: readonly Item[],
  job: (item: Item) => Promise<void>,
): Promise<readonly { readonly item: Item; readonly error: unknown }[]> => {
  const failed: { readonly item: Item; readonly error: unknown }[] = [];
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue)
      try {
        await job(item);
      } catch (error) {
        failed.push({ item, error });
      }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return failed;
};

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

const removeContainer = async (docker: Docker, id: string): Promise<void> => {
  try {
    await docker.getContainer(id).remove({ force: true, v: true });
  } catch (error) {
    // 404: gone already; 409: somebody else (a janitor, the engine) is removing it
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
  }
};

const removeNetwork = async (docker: Docker, id: string): Promise<void> => {
  for (let tries = 1; ; tries++)
    try {
      await docker.getNetwork(id).remove();
      return;
    } catch (error) {
      if (statusOf(error) === 404) return;
      if (tries === NETWORK_TRIES) throw error;
      await pause(200 * tries);
    }
};

/**
 * Removes everything of one run.
 * @returns what could not be removed, in words; an empty list is the usual answer. Never throws.
 */
export const removeRun = async (docker: Docker, runId: string): Promise<readonly string[]> => {
  const filters = { label: [`${LABEL.lab}=${LAB_VALUE}`, `${LABEL.run}=${runId}`] };
  const left: string[] = [];
  try {
    const containers = await docker.listContainers({ all: true, filters });
    for (const { item, error } of await eachAtMost(AT_ONCE, containers, ({ Id }) =>
      removeContainer(docker, Id),
    ))
      left.push(`container ${item.Names[0] ?? item.Id}: ${(error as Error).message}`);
    const networks = await docker.listNetworks({ filters });
    for (const { item, error } of await eachAtMost(AT_ONCE, networks, ({ Id }) => removeNetwork(docker, Id)))
      left.push(`network ${item.Name}: ${(error as Error).message}`);
  } catch (error) {
    left.push(`whatever carries the label ${LABEL.run}=${runId}: ${(error as Error).message}`);
  }
  return left;
};
