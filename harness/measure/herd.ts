/** How large a share of a fleet a schedule brings back within 100 ms by chance alone. */
import { backoffWait, type Schedule } from '../../reference-impl/backoff/schedule.ts';
import { Rng } from '../../reference-impl/machine/rng.ts';

/** Smaller fleets are not judged: a few clients in one window are chance. Rulings, "Herd". */
export const HERD_FLEET_MIN = 50;
const WINDOW_MILLIS = 100;
/** Waits drawn in all: a large fleet needs fewer fleets, its share varies less. */
const DRAWS_MAX = 3_000_000;
const FLEETS_MAX = 2_000;
const FLEETS_MIN = 30;
const QUANTILE = 0.999;

/** Attempts of one fleet, all lost at 0, after the relay is ready again: the busiest window's share. */
const busiest = (schedule: Schedule, size: number, awayMillis: number, rng: Rng): number => {
  const attempts: number[] = [];
  for (let client = 0; client < size; client++) {
    let t = 0;
    for (let attempt = 0; t < awayMillis; attempt++) t += backoffWait(schedule, attempt, rng);
    attempts.push(t);
  }
  attempts.sort((a, b) => a - b);
  let most = 0;
  for (let last = 0, first = 0; last < attempts.length; last++) {
    while ((attempts[first] ?? 0) <= (attempts[last] ?? 0) - WINDOW_MILLIS) first++;
    most = Math.max(most, last - first + 1);
  }
  return most / size;
};

/** Drawn once: pages and checks ask for the same fleets again and again. */
const known = new Map<string, number>();

/** 99.9th percentile of the busiest 100 ms over simulated fleets; the same for the same arguments everywhere. */
export const herdLimit = (schedule: Schedule, size: number, awayMillis: number): number => {
  const key = JSON.stringify([schedule, size, Math.round(awayMillis)]);
  const limit = known.get(key) ?? simulated(schedule, size, awayMillis);
  known.set(key, limit);
  return limit;
};

const simulated = (schedule: Schedule, size: number, awayMillis: number): number => {
  const draws = size * 8;
  const fleets = Math.max(FLEETS_MIN, Math.min(FLEETS_MAX, Math.floor(DRAWS_MAX / draws)));
  const rng = new Rng(0x4e2d, size, Math.round(awayMillis), Math.round(schedule.baseMillis));
  const shares = Array.from({ length: fleets }, () => busiest(schedule, size, awayMillis, rng)).sort(
    (a, b) => a - b,
  );
  return shares[Math.min(shares.length - 1, Math.ceil(shares.length * QUANTILE))] ?? 1;
};
