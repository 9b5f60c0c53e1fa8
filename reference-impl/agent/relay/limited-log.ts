import type { Clock } from '../pipeline/clock.ts';
import type { Log } from '../plugin.ts';

const LINES_MAX = 10;
const WINDOW_MILLIS = 10_000;

/** Warnings that peers can cause as often as they like: ten of a kind in ten seconds, and how many were left out. */
export const limitedWarnings = (
  log: Log,
  clock: Clock,
): ((kind: string, fields: object, text: string) => void) => {
  const kinds = new Map<string, { since: number; lines: number; left: number }>();
  return (kind, fields, text) => {
    const now = clock.now();
    const known = kinds.get(kind);
    const seen =
      known !== undefined && now - known.since < WINDOW_MILLIS ? known : { since: now, lines: 0, left: 0 };
    if (seen !== known) {
      if (known !== undefined && known.left > 0)
        log.warn({ kind, left: known.left }, 'warnings that were not logged');
      kinds.set(kind, seen);
    }
    if (seen.lines++ < LINES_MAX) log.warn(fields, text);
    else seen.left++;
  };
};
