/** Watches whether this machine has processor time to spare: what happens late on one that has none is not always its doer's fault. */
import { cpus } from 'node:os';

export const WINDOW_MILLIS = 250;
/** Less idle time than this share of a window: somebody had to wait for a processor. */
const IDLE_SHARE_MIN = 0.05;

const idleSoFar = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0);

/**
 * Calls back at the end of every window without spare time, with its length in milliseconds.
 * @param idleMillis how long all processors together were idle so far
 * @returns what ends the watch
 */
export const watchSpareTime = (busy: (millis: number) => void, idleMillis = idleSoFar): (() => void) => {
  const processors = cpus().length;
  let idle = idleMillis();
  let at = performance.now();
  const look = (): void => {
    const [nowIdle, now] = [idleMillis(), performance.now()];
    const millis = now - at;
    if (nowIdle - idle < millis * processors * IDLE_SHARE_MIN) busy(Math.round(millis));
    idle = nowIdle;
    at = now;
  };
  const timer = setInterval(look, WINDOW_MILLIS);
  timer.unref();
  return () => clearInterval(timer);
};
