/** PORT-POOL-4: a user is served at once while a pooled connection waits. */
import type { Analysis } from '../../measure/analysis.ts';
import type { Finding } from '../../verdict/verdict.ts';
import { count } from './check.ts';
import type { Tunnel, TunnelBook } from './tunnel-book.ts';
import { evidence } from './tunnel-words.ts';

/** A pool that is polled once a second serves after half of that in the middle; "at once" is far below. */
const AT_ONCE_MICROS = 400_000;
/** Fewer users say nothing about a middle. */
const USERS_MIN = 8;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const millis = (micros: number): string => `${Math.round(micros / 1000)} ms`;

/**
 * Time from connected to the first byte of the answer on clean links, pool against the other modes of the same run.
 * @param hanging pool users that no service ever saw, though nothing was in the way for long enough
 */
export const atOnce = (book: TunnelBook, analysis: Analysis, hanging: readonly Tunnel[]): Finding => {
  const waits = { pool: [] as number[], other: [] as number[] };
  let slowest: Tunnel | undefined;
  for (const tunnel of book.tunnels.values()) {
    const { opened, connected, firstByte } = tunnel;
    if (opened.close === 'half' || connected === undefined || firstByte === undefined) continue;
    const site = analysis.facts.sites.find(({ name }) => name === book.siteOf(tunnel));
    if (site?.link !== 'clean' || !book.undisturbed(tunnel)) continue;
    const wait = firstByte.t - connected.t;
    waits[opened.mode === 'pool' ? 'pool' : 'other'].push(wait);
    const before = slowest === undefined ? -1 : (slowest.firstByte?.t ?? 0) - (slowest.connected?.t ?? 0);
    if (opened.mode === 'pool' && wait > before) slowest = tunnel;
  }
  const [pool, other] = [median(waits.pool), median(waits.other)];
  const expected = `first byte within ${millis(AT_ONCE_MICROS)} in the middle, on clean links`;
  const got = `${millis(pool)} in the middle (other modes ${millis(other)})`;
  const common = {
    clause: 'PORT-POOL-4',
    expected,
    got,
    exercised: waits.pool.length,
    evidence: [],
    ladder: [],
  };
  const [hung] = hanging;
  if (hung !== undefined) {
    const summary = `${count(hanging.length, 'pool user')} waited in vain although the pool was alive`;
    const shown = evidence(hung, 'waited until its patience was over');
    return {
      ...common,
      verdict: 'fail',
      blame: 'target',
      broken: hanging.length,
      summary,
      evidence: shown,
    };
  }
  if (waits.pool.length < USERS_MIN)
    return {
      ...common,
      verdict: 'not-applicable',
      blame: undefined,
      broken: 0,
      summary: 'too few undisturbed pool users on clean links',
    };
  if (pool <= AT_ONCE_MICROS)
    return {
      ...common,
      verdict: 'pass',
      blame: undefined,
      broken: 0,
      summary: `pool users had their first byte after ${millis(pool)} in the middle`,
    };
  if (other > AT_ONCE_MICROS / 2)
    return {
      ...common,
      verdict: 'inconclusive',
      blame: 'environment',
      broken: 0,
      summary: `everything is slow here: ${got}`,
    };
  const broken = waits.pool.filter((wait) => wait > AT_ONCE_MICROS).length;
  const summary = `pool users wait ${millis(pool)} in the middle although connections are waiting`;
  const shown = slowest === undefined ? [] : evidence(slowest, 'served late');
  return { ...common, verdict: 'fail', blame: 'target', broken, summary, evidence: shown };
};
