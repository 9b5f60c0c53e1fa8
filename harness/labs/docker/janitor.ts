/** The Docker lab's janitor: `node janitor.ts RUN` removes what a killed runner left in the engine. See ../janitor.ts. */
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';
import { outlivedRunner } from '../janitor.ts';
import { removeRun } from './removal.ts';

/** With two seconds between them: an engine has that long to come back. */
const TRIES = 60;

const work = async (runId: string): Promise<void> => {
  if (!(await outlivedRunner())) return;
  for (let tries = 0; (await removeRun(new Docker(), runId)).length > 0 && tries < TRIES; tries++)
    await pause(2000);
  // the engine may still have been creating something for the dead runner
  await pause(500);
  await removeRun(new Docker(), runId);
};

await work(process.argv[2] as string);
