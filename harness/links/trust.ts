/** Before a scenario: are the effects it uses what they declare, here and now? About two seconds, or none by yesterday's result. */
import type { Fault } from 'chaos-proxy';
import type { Bench } from './bench.ts';
import { bare, effectOf, faultText } from './effects.ts';
import { thisMachine } from './machine.ts';
import type { Standing } from './reading.ts';
import { readTrusted, writeTrusted } from './record.ts';
import { selfTest } from './selftest.ts';

/** What is known of one effect. `text`: why it is not ok, or how that is known. */
export type EffectTrust = {
  readonly kind: Fault['kind'];
  readonly effect: string;
  readonly standing: Standing;
  readonly text: string;
};

export type TrustOptions = {
  /** Where results are kept for a day; undefined: nowhere. */
  readonly record: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  readonly open?: typeof Bench.open;
};

const WITHIN_MILLIS = 2_000;
const AT_ONCE = 3;
const ATTEMPTS = 3;

/** The short form of each effect, once. */
const briefOf = (faults: readonly Fault[]): ReadonlyMap<string, Fault> =>
  new Map(
    faults.map((fault) => {
      const brief = effectOf(fault).brief(bare(fault));
      return [faultText(brief), brief];
    }),
  );

/** Measures each effect in its short form, side by side. Never throws. An effect nobody could measure is unclear, not off. */
export const trustEffects = async (
  faults: readonly Fault[],
  { record, signal, progress, open }: TrustOptions,
): Promise<readonly EffectTrust[]> => {
  const wanted = briefOf(faults);
  if (wanted.size === 0) return [];
  const machine = thisMachine();
  const known = record === undefined ? {} : readTrusted(record, machine, Date.now());
  const fresh = [...wanted].filter(([effect]) => known[effect] === undefined).map(([, fault]) => fault);
  if (fresh.length > 0) progress(`measuring ${fresh.length} link effects`);
  const { results } = await selfTest(fresh, {
    atOnce: AT_ONCE,
    attempts: ATTEMPTS,
    withinMillis: WITHIN_MILLIS,
    signal,
    ...(open === undefined ? {} : { open }),
  });
  const measured = new Map(results.map((result) => [result.effect, result]));
  const now = Date.now();
  const good = results
    .filter(({ standing }) => standing === 'ok')
    .map(({ effect }) => [effect, now] as const);
  if (record !== undefined && good.length > 0)
    writeTrusted(record, machine, { ...known, ...Object.fromEntries(good) });
  return [...wanted].map(([effect, { kind }]): EffectTrust => {
    const result = measured.get(effect);
    if (result !== undefined)
      return { kind, effect, standing: result.standing, text: result.why || 'measured within tolerance' };
    const minutes = Math.round((now - (known[effect] ?? now)) / 60_000);
    return { kind, effect, standing: 'ok', text: `measured within tolerance ${minutes} min ago` };
  });
};
