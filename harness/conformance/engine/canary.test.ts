import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { Canary } from './canary.ts';

const DEADLINE_MILLIS = 20_000;

const until = async (holds: () => boolean): Promise<boolean> => {
  const deadline = performance.now() + DEADLINE_MILLIS;
  while (!holds() && performance.now() < deadline) await pause(50);
  return holds();
};

t.test('somebody who waits for a processor shows, where the kernel tells', async (t) => {
  const canary = new Canary();
  const burners = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(2)'], { stdio: 'ignore' }),
  );
  t.teardown(() => {
    for (const burner of burners) burner.kill('SIGKILL');
    canary.stop();
  });
  if (existsSync('/proc/pressure/cpu')) t.ok(await until(() => canary.stalledShare(300) > 0.9));
  else t.equal(canary.stalledShare(300), 0);
  t.ok(canary.stalledShare(60_000) <= 1.01, 'a share, also of more time than there was');
});

t.test('an echo tells how fast the machine answers', async (t) => {
  const canary = new Canary();
  t.teardown(() => canary.stop());
  t.ok(await until(() => canary.worstMillis(60_000) > 0));
});
