/** The netns lab's janitor: `node janitor.ts RUN` removes what a killed runner left. See ../janitor.ts. */
import { setTimeout as pause } from 'node:timers/promises';
import { outlivedRunner } from '../janitor.ts';
import { removeRun } from './removal.ts';

/** Whatever the dead runner had started may still be making namespaces: looked at again after this long. */
const AGAIN_MILLIS = 2_000;

const work = async (runId: string): Promise<void> => {
  if (!(await outlivedRunner())) return;
  await removeRun(runId);
  await pause(AGAIN_MILLIS);
  await removeRun(runId);
};

await work(process.argv[2] as string);
