import { ChaosError } from './chaos-error.ts';
import { nearest } from './faults/check.ts';
import type { Fault } from './faults/registry.ts';

/** A named link: its faults, and what they mean in words. */
export type Profile = { readonly note: string; readonly faults: readonly Fault[] };

/** Link profiles. Latencies are one way, rates are shared by all connections of the link, each direction for itself. */
export const PROFILES = {
  clean: { note: 'no faults', faults: [] },
  mobile: {
    note: '60 ± 25 ms each way, 12 Mbit/s down, 4 Mbit/s up',
    faults: [
      { kind: 'latency', ms: 60, jitter: 25 },
      { kind: 'bandwidth', rate: 1_500_000, scope: 'link', direction: 'down' },
      { kind: 'bandwidth', rate: 500_000, scope: 'link', direction: 'up' },
    ],
  },
  slow: {
    note: '150 ± 10 ms each way, 512 kbit/s',
    faults: [
      { kind: 'latency', ms: 150, jitter: 10 },
      { kind: 'bandwidth', rate: 64_000, scope: 'link' },
    ],
  },
  lossy: {
    note: '40 ± 10 ms each way, 3 % of segments come 200 ms late or more',
    faults: [
      { kind: 'latency', ms: 40, jitter: 10 },
      { kind: 'lossLike', ratio: 0.03 },
    ],
  },
  stalling: {
    note: '30 ms each way, nothing passes for 1.5 s of every 6 s, from 2 s on',
    faults: [
      { kind: 'latency', ms: 30 },
      { kind: 'stall', onMs: 1500, offMs: 4500, when: { afterMillis: 2000 } },
    ],
  },
  satellite: {
    note: '300 ± 15 ms each way, 20 Mbit/s down, 3 Mbit/s up, 0.5 % of segments late',
    faults: [
      { kind: 'latency', ms: 300, jitter: 15, dist: 'normal' },
      { kind: 'bandwidth', rate: 2_500_000, scope: 'link', direction: 'down' },
      { kind: 'bandwidth', rate: 375_000, scope: 'link', direction: 'up' },
      { kind: 'lossLike', ratio: 0.005, rtoMs: 600 },
    ],
  },
} as const satisfies Record<string, Profile>;
export type ProfileName = keyof typeof PROFILES;

/** The profile of that name. @throws ChaosError PROFILE_UNKNOWN naming the nearest */
export const profileOf = (name: string): Profile => {
  if (Object.hasOwn(PROFILES, name)) return PROFILES[name as ProfileName];
  throw new ChaosError('PROFILE_UNKNOWN', {
    expected: Object.keys(PROFILES).join(' | '),
    got: `'${name}'`,
    hint: `did you mean '${nearest(name, Object.keys(PROFILES))}'?`,
  });
};
