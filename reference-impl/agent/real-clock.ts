import type { Clock } from './pipeline/clock.ts';

/** Longest wait a timer of Node can take. */
const TIMER_MILLIS_MAX = 2 ** 31 - 1;
const SECOND = 1_000_000_000n;

/** The machine's clock. Wall time is read once a second and in between goes on with the monotonic clock, which has nanoseconds. */
export const realClock = (): Clock => {
  let wall = 0n;
  let since = -SECOND;
  return {
    now: () => performance.now(),
    timestamp: () => {
      const now = process.hrtime.bigint();
      if (now - since >= SECOND) {
        wall = BigInt(Date.now()) * 1_000_000n;
        since = now;
      }
      const nanos = wall + (now - since);
      return { secs: Number(nanos / SECOND), nanos: Number(nanos % SECOND) };
    },
    wake: (at, call) => {
      let timer: NodeJS.Timeout;
      const arm = (): void => {
        const wait = Math.ceil(at - performance.now());
        timer =
          wait > TIMER_MILLIS_MAX ? setTimeout(arm, TIMER_MILLIS_MAX) : setTimeout(call, Math.max(1, wait));
      };
      arm();
      return () => clearTimeout(timer);
    },
  };
};
