import { ACCEPT_DELAY, type AcceptDelayFault } from './accept-delay.ts';
import { BANDWIDTH, type BandwidthFault } from './bandwidth.ts';
import { BLACKHOLE, type BlackholeFault } from './blackhole.ts';
import { COALESCE, type CoalesceFault } from './coalesce.ts';
import { CORRUPT, type CorruptFault } from './corrupt.ts';
import { CUT_AFTER, type CutAfterFault } from './cut-after.ts';
import { DOWN, type DownFault } from './down.ts';
import type { Family } from './fault.ts';
import { LATENCY, type LatencyFault } from './latency.ts';
import { LOSS_LIKE, type LossLikeFault } from './loss-like.ts';
import { REFUSE, type RefuseFault } from './refuse.ts';
import { RESET, type ResetFault } from './reset.ts';
import { SLICE, type SliceFault } from './slice.ts';
import { SLOW_CLOSE, type SlowCloseFault } from './slow-close.ts';
import { STALL, type StallFault } from './stall.ts';

/** A fault as a value: what `checkFault` accepts and a link is given. */
export type Fault =
  | LatencyFault
  | BandwidthFault
  | SliceFault
  | CoalesceFault
  | CutAfterFault
  | ResetFault
  | SlowCloseFault
  | StallFault
  | BlackholeFault
  | RefuseFault
  | AcceptDelayFault
  | LossLikeFault
  | CorruptFault
  | DownFault;

/** Every kind of fault, in the order help prints them. Parsing, help, README and behaviour all come from here. */
export const FAMILIES: { readonly [Kind in Fault['kind']]: Family<Extract<Fault, { kind: Kind }>> } = {
  latency: LATENCY,
  bandwidth: BANDWIDTH,
  slice: SLICE,
  coalesce: COALESCE,
  cutAfter: CUT_AFTER,
  reset: RESET,
  slowClose: SLOW_CLOSE,
  stall: STALL,
  blackhole: BLACKHOLE,
  refuse: REFUSE,
  acceptDelay: ACCEPT_DELAY,
  lossLike: LOSS_LIKE,
  corrupt: CORRUPT,
  down: DOWN,
};

/** The family of a fault, seen without its particulars. */
export const familyOf = (fault: Fault): Family<Fault> => FAMILIES[fault.kind] as Family<Fault>;
