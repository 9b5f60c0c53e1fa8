import type { Millis } from '../../machine/machine.ts';
import type { Timestamp } from '../../measurement-relay/messages.ts';

/** All that a pipeline knows of time. `../real-clock.ts` is the real one; tests turn theirs by hand. */
export interface Clock {
  /** Never goes back. */
  now(): Millis;
  /** Unix time, for points. */
  timestamp(): Timestamp;
  /** Calls once, at that time or soon after, never before and never within `wake`. @returns gives it up */
  wake(at: Millis, call: () => void): () => void;
}
