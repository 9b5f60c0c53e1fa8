/** Waits before retries against the schedules they follow: the same question of relay clients and of measurement agents. */
import type { Analysis } from '../../measure/analysis.ts';
import type { BackoffPoint, Fleet } from '../../measure/comeback.ts';
import { differs } from '../../measure/fit.ts';

/** Fewer late waits than this are the machine's doing: a timer that fired late under load. */
const LATE_SHARE_MAX = 0.02;

export type JudgedWaits = {
  readonly attempts: number;
  /** Not in the envelope of their schedule. */
  readonly outside: readonly BackoffPoint[];
  /** Of those, how many are late and not early. */
  readonly late: number;
  /** The first early one, else the first late one. */
  readonly worst: BackoffPoint | undefined;
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'not-applicable';
};

/**
 * Early is always wrong. Late is wrong when many waits are that the machine had time for, and the fit tells of another schedule;
 * many late ones else leave it open.
 * @param misfit whether a fleet keeps another schedule than it should
 * @param excusedShareMax what many are where the machine was busy in every wait that is outside
 */
export const judgeWaits = (
  fleets: readonly Fleet[],
  { busy }: Pick<Analysis, 'busy'>,
  misfit: (fleet: Fleet) => boolean,
  excusedShareMax = LATE_SHARE_MAX,
): JudgedWaits => {
  const attempts = fleets.reduce((sum, fleet) => sum + fleet.attempts, 0);
  const outside = fleets.flatMap(({ points }) => points.filter(({ inside }) => !inside));
  const early = outside.filter(({ waitMicros, stepMicros }) => waitMicros < stepMicros);
  const late = outside.length - early.length;
  const unexcused = outside.filter(({ t, waitMicros }) => busy.share(t - waitMicros, t) === 0).length;
  const wrong = early.length > 0 || (unexcused > attempts * LATE_SHARE_MAX && fleets.some(misfit));
  const many = late > attempts * (unexcused === 0 ? excusedShareMax : LATE_SHARE_MAX);
  return {
    ...{ attempts, outside, late },
    worst: early[0] ?? outside[0],
    verdict: attempts === 0 ? 'not-applicable' : wrong ? 'fail' : many ? 'inconclusive' : 'pass',
  };
};

/** What the waits as a whole tell of is another schedule. */
export const fitsAnother = ({ fit, schedule }: Fleet): boolean =>
  differs(fit.baseMillis, schedule.baseMillis) ||
  differs(fit.factor, schedule.factor) ||
  differs(fit.capMillis, schedule.capMillis);
