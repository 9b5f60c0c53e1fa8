import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { WINDOW_MILLIS, watchSpareTime } from './spare-time.ts';

t.test('windows without spare time are told with their length, until the watch ends', async (t) => {
  const { promise, resolve } = Promise.withResolvers<number>();
  let told = 0;
  const unwatch = watchSpareTime(
    (millis) => {
      told++;
      resolve(millis);
    },
    () => 7,
  );
  // the watch itself holds no process
  const held = setInterval(() => {}, 1_000);
  t.ok((await promise) >= WINDOW_MILLIS - 1);
  clearInterval(held);
  unwatch();
  const before = told;
  await pause(2 * WINDOW_MILLIS);
  t.equal(told, before);
});

t.test('a machine with time to spare is never told of', async (t) => {
  const unwatch = watchSpareTime(
    () => t.fail('it was idle'),
    () => performance.now() * 1_000,
  );
  await pause(2 * WINDOW_MILLIS);
  unwatch();
  t.pass('nothing was said');
});
