/** What a measurement says, and how it is judged against what was declared and against the machine's own noise. */
import type { Noise } from './noise.ts';

/** One quantity of an effect. Words are equal or not; numbers may differ by their tolerance. */
export type Reading = {
  readonly quantity: string;
  readonly declared: number | string;
  readonly measured: number | string;
  /** `ms`, `B/s`, `%`; empty for words and counts. */
  readonly unit: string;
  /** How far a number may be off, in its unit, on a machine without noise. */
  readonly tolerance: number;
  /** How far one millisecond of lateness moves the number; 0: time does not matter. */
  readonly perMilli: number;
  /** Whether many samples stand behind it, or one, which the worst moment of the machine may have hit. */
  readonly hitBy: 'typical' | 'worst';
};

/** `ok`: within tolerance; `off`: not, and the machine does not explain it; `unclear`: the machine was too busy to say. */
export type Standing = 'ok' | 'off' | 'unclear';

const number = (
  quantity: string,
  unit: string,
  declared: number,
  measured: number,
  more: Pick<Reading, 'tolerance' | 'perMilli' | 'hitBy'>,
): Reading => ({ quantity, unit, declared, measured, ...more });

export const reading = {
  /** A time out of many samples. */
  millis: (quantity: string, declared: number, measured: number, tolerance: number): Reading =>
    number(quantity, 'ms', declared, measured, { tolerance, perMilli: 1, hitBy: 'typical' }),
  /** A time out of one sample, or of few. */
  onceMillis: (quantity: string, declared: number, measured: number, tolerance: number): Reading =>
    number(quantity, 'ms', declared, measured, { tolerance, perMilli: 1, hitBy: 'worst' }),
  /** Bytes per second, seen for `overMillis`. */
  rate: (
    declared: number,
    measured: number,
    tolerance: number,
    overMillis: number,
    quantity: string,
  ): Reading =>
    number(quantity, 'B/s', declared, measured, {
      tolerance,
      perMilli: declared / Math.max(1, overMillis),
      hitBy: 'worst',
    }),
  /** A count that no clock has a part in. */
  count: (quantity: string, declared: number, measured: number, tolerance = 0, unit = ''): Reading =>
    number(quantity, unit, declared, measured, { tolerance, perMilli: 0, hitBy: 'typical' }),
  /** A count that a late timer changes by `perMilli` a millisecond. */
  timedCount: (
    quantity: string,
    declared: number,
    measured: number,
    tolerance: number,
    perMilli: number,
  ): Reading => number(quantity, '', declared, measured, { tolerance, perMilli, hitBy: 'worst' }),
  words: (quantity: string, declared: string, measured: string): Reading => ({
    quantity,
    declared,
    measured,
    unit: '',
    tolerance: 0,
    perMilli: 0,
    hitBy: 'typical',
  }),
} as const;

/**
 * Noise widens a tolerance at most to its double. What is outside of that but explained by noise is unclear; only what no noise
 * of this moment explains is off.
 */
export const standingOf = (
  { declared, measured, tolerance, perMilli, hitBy }: Reading,
  noise: Noise,
): Standing => {
  if (typeof declared === 'string' || typeof measured === 'string')
    return declared === measured ? 'ok' : 'off';
  const error = Math.abs(measured - declared);
  const slack = perMilli * (hitBy === 'worst' ? noise.worstMillis : noise.typicalMillis);
  // a measurement that saw nothing has no number, and no noise is that large
  if (Number.isNaN(error)) return 'off';
  if (error <= tolerance + Math.min(slack, tolerance)) return 'ok';
  return error <= tolerance + 2 * slack ? 'unclear' : 'off';
};

const WORST: readonly Standing[] = ['off', 'unclear', 'ok'];

/** The worst of them; none at all is unclear. */
export const worstOf = (standings: readonly Standing[]): Standing =>
  standings.length === 0 ? 'unclear' : (WORST.find((standing) => standings.includes(standing)) as Standing);
