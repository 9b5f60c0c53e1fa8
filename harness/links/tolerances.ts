import type { Fault } from 'chaos-proxy';

/**
 * How far a measured effect may be from what it declares, on a machine without noise: so many milliseconds and that share of
 * the declared value, added; for what is drawn by chance also so many standard errors of the sample.
 */
export type Tolerance = { readonly millis: number; readonly share: number; readonly sigmas: number };

/** Timers are of whole milliseconds and fire up to one late; a byte takes two hops over loopback. */
export const TOLERANCES: { readonly [Kind in Fault['kind']]: Tolerance } = {
  latency: { millis: 3, share: 0.03, sigmas: 4 },
  bandwidth: { millis: 0, share: 0.05, sigmas: 0 },
  slice: { millis: 0.5, share: 0.1, sigmas: 0 },
  coalesce: { millis: 3, share: 0.05, sigmas: 0 },
  cutAfter: { millis: 0, share: 0, sigmas: 0 },
  reset: { millis: 5, share: 0.03, sigmas: 0 },
  slowClose: { millis: 4, share: 0.03, sigmas: 0 },
  // the bytes that show when a stall ends are 5 ms apart
  stall: { millis: 12, share: 0.03, sigmas: 0 },
  blackhole: { millis: 6, share: 0.03, sigmas: 0 },
  refuse: { millis: 0, share: 0, sigmas: 4 },
  acceptDelay: { millis: 5, share: 0.03, sigmas: 0 },
  lossLike: { millis: 5, share: 0.03, sigmas: 4 },
  corrupt: { millis: 0, share: 0, sigmas: 4 },
  down: { millis: 0, share: 0, sigmas: 0 },
};

/** The tolerance of a kind's time or rate, in the unit of `declared`. */
export const allowed = (kind: Fault['kind'], declared: number): number =>
  TOLERANCES[kind].millis + TOLERANCES[kind].share * declared;

/** The tolerance of a count of hits among `of` draws. */
export const allowedHits = (kind: Fault['kind'], of: number, share: number): number =>
  Math.max(1, TOLERANCES[kind].sigmas * Math.sqrt(of * share * (1 - share)));
