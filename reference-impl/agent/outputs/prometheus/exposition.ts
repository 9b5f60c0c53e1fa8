/** Names and values as Prometheus' text format has them. */
import type { Unit } from '../../../measurement-relay/metrics.ts';

/** Units in the words that Prometheus' conventions want; others as they are. */
const BASE_WORDS: Readonly<Record<string, string>> = {
  '1': '',
  s: 'seconds',
  W: 'watts',
  J: 'joules',
  V: 'volts',
  A: 'amperes',
  Hz: 'hertz',
  Cel: 'celsius',
  '[degF]': 'fahrenheit',
  'W.h': 'watt_hours',
  By: 'bytes',
  '%': 'percent',
};

/** `milliseconds`, `bytes`; nothing for a plain number. */
export const unitWord = ({ base, prefix }: Unit): string => {
  const word = Object.hasOwn(BASE_WORDS, base) ? (BASE_WORDS[base] as string) : base;
  return `${prefix}${word}`;
};

const safe = (text: string, others: RegExp): string => {
  const cleaned = text.replace(others, '_');
  return cleaned === '' || /^\d/.test(cleaned) ? `_${cleaned}` : cleaned;
};

/** Letters, digits, `_` and `:`, no digit first. */
export const metricName = (text: string): string => safe(text, /[^a-zA-Z0-9_:]/g);

/** Letters, digits and `_`, no digit first, and not the `__` at the start that Prometheus keeps for itself. */
export const labelName = (text: string): string => safe(text, /[^a-zA-Z0-9_]/g).replace(/^__+/, '_');

/** Inside quotes. */
export const labelValue = (text: string): string =>
  text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `7`, `1.5`, `NaN`, `+Inf`. */
export const sampleValue = (value: number | bigint): string => {
  if (typeof value === 'bigint' || Number.isFinite(value)) return `${value}`;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
};

/** The text of HELP: of one line. */
export const helpText = (text: string): string =>
  text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
