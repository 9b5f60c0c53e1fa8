/** One row a kind of fault: what the self-test runs by itself, how it is cut short before a scenario, and how it is measured. */
import type { Fault } from 'chaos-proxy';
import type { Bench } from './bench.ts';
import {
  measureAcceptDelay,
  measureCoalesce,
  measureLatency,
  measureLossLike,
  measureSlowClose,
} from './delays.ts';
import {
  measureBlackhole,
  measureCorrupt,
  measureCutAfter,
  measureDown,
  measureRefuse,
  measureReset,
} from './ends.ts';
import { measureBandwidth, measureSlice, measureStall } from './rates.ts';
import type { Reading } from './reading.ts';

export type EffectTest<F extends Fault> = {
  /** What the whole self-test measures. */
  readonly standard: readonly F[];
  /** The same mechanism with times and chances that show within half a second. */
  readonly brief: (fault: F) => F;
  /** The fault is on the link before the first connection; else the measurement puts it there at its own moment. */
  readonly fromStart: boolean;
  /** How long it takes, in milliseconds, without what the machine adds. */
  readonly takesMillis: (fault: F) => number;
  readonly measure: (bench: Bench, fault: F) => Promise<readonly Reading[]>;
};

const most = (limit: number, value: number): number => Math.min(limit, value);

/** Every kind there is: a new fault without a measurement does not compile, and a test says so too. */
export const EFFECTS: {
  readonly [Kind in Fault['kind']]: EffectTest<Extract<Fault, { readonly kind: Kind }>>;
} = {
  latency: {
    standard: [
      { kind: 'latency', ms: 40 },
      { kind: 'latency', ms: 60, jitter: 25 },
      { kind: 'latency', ms: 60, jitter: 15, dist: 'normal', direction: 'down' },
      { kind: 'latency', ms: 30, jitter: 10, dist: 'pareto', direction: 'up' },
    ],
    brief: (fault) => ({ ...fault, ms: most(300, fault.ms), jitter: most(30, fault.jitter ?? 0) }),
    fromStart: true,
    takesMillis: ({ ms, jitter = 0 }) => 2 * ms + 4 * jitter + 150,
    measure: measureLatency,
  },
  bandwidth: {
    standard: [
      { kind: 'bandwidth', rate: 64_000, direction: 'up' },
      { kind: 'bandwidth', rate: 1_500_000, scope: 'link' },
      { kind: 'bandwidth', rate: 500_000, burst: 65_536, direction: 'down' },
    ],
    brief: (fault) => ({ ...fault, burst: most(65_536, fault.burst ?? 0) }),
    fromStart: true,
    takesMillis: ({ direction = 'both' }) => (direction === 'both' ? 800 : 400),
    measure: measureBandwidth,
  },
  slice: {
    standard: [
      { kind: 'slice', size: 64, variation: 16, delayUs: 4_000 },
      { kind: 'slice', size: 100, delayUs: 500, direction: 'down' },
    ],
    brief: (fault) => ({ ...fault, delayUs: most(8_000, fault.delayUs ?? 1_000) }),
    fromStart: true,
    takesMillis: ({ delayUs = 1_000 }) => delayUs / 25,
    measure: measureSlice,
  },
  coalesce: {
    standard: [{ kind: 'coalesce', windowMs: 100 }],
    brief: (fault) => ({ ...fault, windowMs: most(200, fault.windowMs) }),
    fromStart: true,
    takesMillis: ({ windowMs }) => windowMs,
    measure: measureCoalesce,
  },
  cutAfter: {
    standard: [
      { kind: 'cutAfter', bytes: 4_096, how: 'fin', direction: 'up' },
      { kind: 'cutAfter', bytes: 4_096, how: 'close', direction: 'down' },
      { kind: 'cutAfter', bytes: 4_096, how: 'rst', direction: 'down' },
      { kind: 'cutAfter', bytes: 1_000, how: 'silent', direction: 'up' },
      { kind: 'cutAfter', marker: 'hex:0d0a', occurrence: 2, how: 'rst', direction: 'up' },
    ],
    brief: (fault) => (fault.bytes === undefined ? fault : { ...fault, bytes: most(65_536, fault.bytes) }),
    fromStart: true,
    takesMillis: () => 130,
    measure: measureCutAfter,
  },
  reset: {
    standard: [{ kind: 'reset' }, { kind: 'reset', afterMs: 150 }],
    brief: (fault) => ({ ...fault, afterMs: most(200, fault.afterMs ?? 0) }),
    fromStart: false,
    takesMillis: ({ afterMs = 0 }) => afterMs + 20,
    measure: measureReset,
  },
  slowClose: {
    standard: [{ kind: 'slowClose', ms: 200 }],
    brief: (fault) => ({ ...fault, ms: most(200, fault.ms) }),
    fromStart: true,
    takesMillis: ({ ms }) => 2 * ms,
    measure: measureSlowClose,
  },
  stall: {
    standard: [
      { kind: 'stall', onMs: 400 },
      { kind: 'stall', onMs: 200, offMs: 300, direction: 'up' },
    ],
    brief: ({ offMs: _once, ...fault }) => ({ ...fault, onMs: most(300, fault.onMs) }),
    fromStart: false,
    takesMillis: ({ onMs, offMs = 0 }) => 2 * onMs + offMs,
    measure: measureStall,
  },
  blackhole: {
    standard: [
      { kind: 'blackhole', closeMs: 250 },
      { kind: 'blackhole', direction: 'up' },
    ],
    brief: (fault) => (fault.closeMs === undefined ? fault : { ...fault, closeMs: most(200, fault.closeMs) }),
    fromStart: false,
    takesMillis: ({ closeMs = 150 }) => closeMs,
    measure: measureBlackhole,
  },
  refuse: {
    standard: [
      { kind: 'refuse', first: 2 },
      { kind: 'refuse', ratio: 0.3 },
    ],
    brief: (fault) => (fault.first === undefined ? fault : { ...fault, first: most(5, fault.first) }),
    fromStart: true,
    takesMillis: () => 100,
    measure: measureRefuse,
  },
  acceptDelay: {
    standard: [{ kind: 'acceptDelay', ms: 150 }],
    brief: (fault) => ({ ...fault, ms: most(200, fault.ms) }),
    fromStart: true,
    takesMillis: ({ ms }) => ms + 20,
    measure: measureAcceptDelay,
  },
  lossLike: {
    standard: [
      { kind: 'lossLike', ratio: 0.2, rtoMs: 100 },
      { kind: 'lossLike', ratio: 0.03, direction: 'down' },
    ],
    // at three in a hundred, most short measurements would see no loss at all
    brief: (fault) => ({
      ...fault,
      ratio: Math.min(0.3, Math.max(0.15, fault.ratio)),
      correlation: 0,
      rtoMs: most(50, fault.rtoMs ?? 200),
    }),
    fromStart: true,
    takesMillis: ({ rtoMs = 200 }) => rtoMs * 4 + 200,
    measure: measureLossLike,
  },
  corrupt: {
    standard: [
      { kind: 'corrupt', atByte: 17, direction: 'up' },
      { kind: 'corrupt', ratio: 0.1, direction: 'down' },
    ],
    brief: (fault) => (fault.atByte === undefined ? fault : { ...fault, atByte: most(65_536, fault.atByte) }),
    fromStart: true,
    takesMillis: () => 30,
    measure: measureCorrupt,
  },
  down: {
    standard: [{ kind: 'down' }],
    brief: (fault) => fault,
    fromStart: false,
    takesMillis: () => 20,
    measure: measureDown,
  },
};

/** The row of a fault, seen without its particulars. */
export const effectOf = (fault: Fault): EffectTest<Fault> =>
  EFFECTS[fault.kind] as unknown as EffectTest<Fault>;

/** The effect alone: which connections it hits and when is for a scenario to choose, and not measured. */
export const bare = (fault: Fault): Fault => {
  const { selector: _selector, when: _when, forMillis: _forMillis, ...rest } = fault;
  return rest as Fault;
};

/** As the command line writes it: `latency:ms=60,jitter=25`. */
export const faultText = (fault: Fault): string => {
  const { kind, ...rest } = fault;
  const pairs = Object.entries(rest).map(([name, value]) =>
    typeof value === 'object'
      ? Object.entries(value as object)
          .map(([inner, its]) => `${name}.${inner}=${Array.isArray(its) ? its.join('-') : its}`)
          .join(',')
      : `${name}=${value}`,
  );
  return pairs.length === 0 ? kind : `${kind}:${pairs.join(',')}`;
};

/** What the whole self-test measures: every kind, in the order help prints them. */
export const standardFaults = (): readonly Fault[] =>
  Object.values(EFFECTS).flatMap((test) => [...test.standard]);
