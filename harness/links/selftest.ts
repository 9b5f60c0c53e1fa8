/** Runs measurements and says of each effect whether it can be trusted on this machine, now. */
import type { Fault } from 'chaos-proxy';
import { Bench } from './bench.ts';
import { effectOf, faultText } from './effects.ts';
import { idleNoise, type Noise, watchNoise } from './noise.ts';
import { type Reading, type Standing, standingOf, worstOf } from './reading.ts';

export type JudgedReading = Reading & { readonly standing: Standing };

export type EffectResult = {
  readonly kind: Fault['kind'];
  /** As the command line writes it. */
  readonly effect: string;
  readonly standing: Standing;
  /** Empty when all is well. */
  readonly why: string;
  readonly readings: readonly JudgedReading[];
  /** Of the machine, while this was measured. */
  readonly noise: Noise;
  readonly attempts: number;
};

export type SelfTest = {
  /** Of the machine with nothing else to do. */
  readonly idle: Noise;
  readonly results: readonly EffectResult[];
  readonly millis: number;
};

export type SelfTestOptions = {
  /** Measurements side by side: quicker, and noisier. */
  readonly atOnce: number;
  /** What is not within tolerance is measured again, so often in all; the best attempt counts. */
  readonly attempts: number;
  /** No measurement is begun later than this, in milliseconds from now; what is missing is unclear. */
  readonly withinMillis: number;
  readonly signal: AbortSignal;
  /** A test may put a lie in the place of a link. */
  readonly open?: typeof Bench.open;
  readonly onDone?: (result: EffectResult, done: number, of: number) => void;
};

const SEED = 0x5e1f_7e57;
/** A measurement that hangs is a measurement that failed. */
const STUCK_MILLIS = 10_000;
const IDLE_MILLIS = 100;

const numeral = (value: number): string =>
  Number.isNaN(value) ? 'nothing' : Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(1);

/** A value with its unit: `61.2 ms`, `1.49 MB/s`, `fin / fin`. */
export const shown = (value: number | string, unit: string): string => {
  if (typeof value === 'string') return value;
  if (unit === 'B/s' && value >= 1e6) return `${(value / 1e6).toFixed(2)} MB/s`;
  if (unit === 'B/s' && value >= 1e3) return `${(value / 1e3).toFixed(1)} kB/s`;
  if (unit === '' && Number.isInteger(value)) return String(value);
  return `${numeral(value)}${unit === '' ? '' : ` ${unit}`}`;
};

const whyOf = (readings: readonly JudgedReading[], noise: Noise): string => {
  const worst = worstOf(readings.map(({ standing }) => standing));
  if (worst === 'ok') return '';
  const bad = readings.find(({ standing }) => standing === worst) as JudgedReading;
  const { quantity, declared, measured, unit } = bad;
  const said = `${quantity}: ${shown(measured, unit)} instead of ${shown(declared, unit)}`;
  return worst === 'off'
    ? said
    : `${said}, while timers of this machine were up to ${noise.worstMillis.toFixed(0)} ms late: too busy to tell`;
};

const unmeasured = (fault: Fault, why: string, noise: Noise): EffectResult => ({
  kind: fault.kind,
  effect: faultText(fault),
  standing: 'unclear',
  why,
  readings: [],
  noise,
  attempts: 0,
});

const measureOnce = async (fault: Fault, attempt: number, open: typeof Bench.open): Promise<EffectResult> => {
  const test = effectOf(fault);
  const base = { kind: fault.kind, effect: faultText(fault), attempts: attempt };
  const stop = watchNoise();
  let bench: Bench | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    bench = await open(test.fromStart ? [fault] : [], SEED + attempt);
    const stuck = new Promise<never>((_resolve, reject) => {
      const millis = test.takesMillis(fault) * 4 + STUCK_MILLIS;
      timer = setTimeout(
        () => reject(new Error(`not measured within ${Math.round(millis / 1000)} s`)),
        millis,
      );
    });
    const readings = await Promise.race([test.measure(bench, fault), stuck]);
    const noise = stop();
    const judged = readings.map((reading) => ({ ...reading, standing: standingOf(reading, noise) }));
    const standing = worstOf(judged.map((reading) => reading.standing));
    return { ...base, standing, why: whyOf(judged, noise), readings: judged, noise };
  } catch (error) {
    return { ...base, standing: 'unclear', why: (error as Error).message, readings: [], noise: stop() };
  } finally {
    clearTimeout(timer);
    await bench?.close();
  }
};

const RANK: Readonly<Record<Standing, number>> = { ok: 0, unclear: 1, off: 2 };

/**
 * Measures one effect. An attempt that is not ok is repeated; one that is unclear beats one that is off, since an effect that
 * is really off is so every time.
 */
export const measureEffect = async (
  fault: Fault,
  options: Pick<SelfTestOptions, 'attempts' | 'signal' | 'open'>,
): Promise<EffectResult> => {
  let best: EffectResult | undefined;
  for (let attempt = 1; attempt <= options.attempts && !options.signal.aborted; attempt++) {
    const result = await measureOnce(fault, attempt, options.open ?? Bench.open);
    if (best === undefined || RANK[result.standing] <= RANK[best.standing]) best = result;
    if (best.standing === 'ok') break;
  }
  return best ?? unmeasured(fault, 'interrupted', { typicalMillis: 0, worstMillis: 0 });
};

/** Measures each of them. Never throws: what cannot be measured is unclear, with the reason. */
export const selfTest = async (faults: readonly Fault[], options: SelfTestOptions): Promise<SelfTest> => {
  const began = performance.now();
  const idle = await idleNoise(IDLE_MILLIS);
  const results: EffectResult[] = [];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < faults.length; n = next++) {
      const fault = faults[n] as Fault;
      const late = performance.now() - began > options.withinMillis;
      const result = late
        ? unmeasured(fault, `no time left: ${options.withinMillis / 1000} s were given to all`, idle)
        : await measureEffect(fault, options);
      results[n] = result;
      options.onDone?.(result, ++done, faults.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce, faults.length) }, worker));
  return { idle, results, millis: Math.round(performance.now() - began) };
};
