/** How late this machine's own timers are: nothing a link does can be more exact than that. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds by which a timer was late: nine of ten, and the worst. */
export type Noise = { readonly typicalMillis: number; readonly worstMillis: number };

const RESOLUTION_MILLIS = 1;
const NANOS = 1e6;

/** Watches the timers from now on. @returns what ends it and tells */
export const watchNoise = (): (() => Noise) => {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MILLIS });
  histogram.enable();
  return () => {
    histogram.disable();
    // a histogram without a sample answers with zero
    const late = (nanos: number): number => Math.max(0, nanos / NANOS - RESOLUTION_MILLIS);
    return { typicalMillis: late(histogram.percentile(90)), worstMillis: late(histogram.max) };
  };
};

/** The noise of a moment in which this process does nothing else. */
export const idleNoise = async (millis: number): Promise<Noise> => {
  const stop = watchNoise();
  await pause(millis);
  return stop();
};
