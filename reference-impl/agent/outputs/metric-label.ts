import type { Metric, Unit } from '../../measurement-relay/metrics.ts';

/** How people write bases; what is absent is written as it is. */
const DISPLAY_BASE: Readonly<Record<string, string>> = {
  '1': '',
  Cel: '°C',
  '[degF]': '°F',
  'W.h': 'Wh',
  By: 'B',
};

const DISPLAY_PREFIX: Readonly<Record<string, string>> = {
  nano: 'n',
  micro: 'μ',
  milli: 'm',
  kilo: 'k',
  mega: 'M',
  giga: 'G',
};

const worded = (words: Readonly<Record<string, string>>, word: string): string =>
  Object.hasOwn(words, word) ? (words[word] as string) : word;

/** `ms`, `°C`, nothing for a plain number. */
export const displayUnit = ({ base, prefix }: Unit): string =>
  worded(DISPLAY_PREFIX, prefix) + worded(DISPLAY_BASE, base);

/** `millis`, `Cel`, `1`: the prefix's word and the UCUM code. */
export const uniqueUnit = ({ base, prefix }: Unit): string => prefix + base;

/** How an output names a metric. */
export type LabelOptions = { readonly appendUnit: boolean; readonly displayUnit: boolean };

/** `mem_total_B`: the name and, where there is one and it is wanted, its unit. */
export const metricLabel = ({ name, unit }: Metric, options: LabelOptions): string => {
  if (!options.appendUnit) return name;
  const text = options.displayUnit ? displayUnit(unit) : uniqueUnit(unit);
  return text === '' ? name : `${name}_${text}`;
};
