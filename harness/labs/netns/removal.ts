/** Removing the namespaces of a run, with whoever still lives in them. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './commands.ts';
import { deadRuns, NAMESPACES, namespacesHere, namespacesOf } from './names.ts';

const TRIES = 5;

/** The processes in these namespaces. One pass over /proc, whatever their number. */
export const inhabitants = (names: readonly string[]): ReadonlyMap<string, readonly number[]> => {
  const byNumber = new Map<string, string>();
  const found = new Map<string, number[]>();
  for (const name of names)
    try {
      byNumber.set(`net:[${statSync(join(NAMESPACES, name)).ino}]`, name);
    } catch {
      // gone meanwhile
    }
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const name = byNumber.get(readlinkSync(`/proc/${entry}/ns/net`));
      if (name !== undefined) found.set(name, [...(found.get(name) ?? []), Number(entry)]);
    } catch {
      // ended meanwhile
    }
  }
  return found;
};

const killAll = (names: readonly string[]): void => {
  for (const pids of inhabitants(names).values())
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ended meanwhile
      }
};

/**
 * Ends what still runs in a run's namespaces and removes them; the kernel takes devices, rules and connections along.
 * @returns what could not be removed, in words; an empty list is the usual answer. Never throws.
 */
export const removeRun = async (runId: string): Promise<readonly string[]> => {
  let said = '';
  for (let tries = 0; tries < TRIES; tries++) {
    const names = namespacesOf(runId);
    if (names.length === 0) return [];
    if (tries > 0) await pause(100 * tries);
    killAll(names);
    const lines = names.map((name) => `netns del ${name}\n`).join('');
    await run(['ip', '-force', '-batch', '-'], lines).catch((error: unknown) => {
      said = (error as Error).message;
    });
  }
  return namespacesOf(runId).map((name) => `network namespace ${name}: ${said}`);
};

/** Start-up sweep: what a run left whose runner and janitor both died. @returns what was done and what could not be, in words */
export const sweepDeadRuns = async (): Promise<readonly string[]> => {
  const names = namespacesHere();
  const living = inhabitants(names);
  const said: string[] = [];
  for (const dead of deadRuns(names, (name) => living.has(name))) {
    said.push(`removing what run ${dead} left behind`);
    said.push(...(await removeRun(dead)));
  }
  return said;
};
