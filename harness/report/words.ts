/** Numbers as people read them: the same words on the page, in the terminal and in the summary. */

/** Thin no-break space: digits of one number never part, and never part from their unit. */
const THIN = '\u202f';

/** 1234567 -> `1 234 567`, with thin no-break spaces. */
export const whole = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, THIN);

/** At most `digits` digits after the point, without trailing zeros. */
export const short = (n: number, digits = 1): string => String(Number(n.toFixed(digits)));

/** Microseconds as seconds with one digit, or as milliseconds below a tenth of a second. */
export const duration = (micros: number): string => {
  if (micros >= 600_000_000) return `${short(micros / 60_000_000)}${THIN}min`;
  if (micros >= 100_000) return `${(micros / 1_000_000).toFixed(1)}${THIN}s`;
  if (micros >= 1_000) return `${short(micros / 1_000)}${THIN}ms`;
  return micros === 0 ? `0.0${THIN}s` : `${whole(micros)}${THIN}µs`;
};

/** A moment of the run: seconds with one digit. */
export const moment = (micros: number): string => `${(micros / 1_000_000).toFixed(1)}${THIN}s`;

/** Bytes with the largest fitting unit; exact below 10 kB. */
export const bytes = (n: number): string => {
  if (n >= 1e9) return `${(n / 1e9).toFixed(2)}${THIN}GB`;
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)}${THIN}MB`;
  if (n >= 1e4) return `${(n / 1e3).toFixed(0)}${THIN}kB`;
  return `${whole(n)}${THIN}B`;
};

/** A share of 1 in whole per cent. */
export const percent = (share: number): string => `${Math.round(share * 100)}${THIN}%`;

/** `1 client`, `2 clients`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${whole(n)} ${n === 1 ? one : many}`;

/** Only plain spaces and no control characters: for logs and files that people grep. */
export const plain = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\u202f\u00a0]/g, ' ')
    .replace(/[^\P{Cc}\n\r\t]/gu, '\ufffd');

/** First letter upper case. */
export const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** First letter upper case, full stop at the end. */
export const sentence = (text: string): string => {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const first = capital(trimmed);
  return /[.!?]$/.test(first) ? first : `${first}.`;
};
