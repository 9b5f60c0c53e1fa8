/** Numbers, attributes and times as text, for every output alike. */
import type { Attribute, Timestamp, TypedValue, U64 } from '../../measurement-relay/messages.ts';

/** A float that is read back as the same float; `NaN`, `inf`, `-inf` and `-0` as Alumet writes them. */
export const floatText = (value: number): string => {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (Number.isFinite(value)) return `${value}`;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
};

const listText = (list: readonly U64[]): string => `[${list.join(', ')}]`;

/** For people and tables: `7`, `0.5`, `true`, the string itself, `[1, 2, 3]`. */
export const plainText = ({ tag, value }: TypedValue): string => {
  switch (tag) {
    case 'F64':
      return floatText(value);
    case 'ListU64':
      return listText(value);
    case 'U64':
    case 'Bool':
    case 'Str':
      return `${value}`;
  }
};

/** As JSON: a float keeps its point (`1.0`), u64 all its digits, and what JSON cannot say (NaN) is a string. */
const jsonValue = ({ tag, value }: TypedValue): string => {
  switch (tag) {
    case 'F64': {
      const text = floatText(value);
      return !Number.isFinite(value) ? `"${text}"` : /^-?\d+$/.test(text) ? `${text}.0` : text;
    }
    case 'U64':
    case 'Bool':
      return `${value}`;
    case 'Str':
      return JSON.stringify(value.toWellFormed());
    case 'ListU64':
      return listText(value);
  }
};

/** Each key once: of two attributes with the same key the later one counts, as in Alumet. */
export const lastOfEach = (attributes: readonly Attribute[]): ReadonlyMap<string, TypedValue> =>
  new Map(attributes);

/** An object of JSON; `{}` without attributes. */
export const attributesJson = (attributes: readonly Attribute[]): string =>
  `{${[...lastOfEach(attributes)].map(([key, value]) => `${JSON.stringify(key.toWellFormed())}:${jsonValue(value)}`).join(',')}}`;

/** Nine digits. */
export const nanosText = (nanos: number): string => `${1_000_000_000 + nanos}`.slice(1);

/** `2023-11-14T22:13:20`; years from 10000 on as ISO 8601 has them, `+010000-01-01T00:00:00`. */
const secondText = (secs: number): string => new Date(secs * 1_000).toISOString().slice(0, -5);

/** RFC 3339 with nine decimals. Remembers the last time: points of one poll share it. */
export class Rfc3339 {
  #secs = Number.NaN;
  #nanos = Number.NaN;
  #second = '';
  #text = '';

  of({ secs, nanos }: Timestamp): string {
    if (secs === this.#secs && nanos === this.#nanos) return this.#text;
    if (secs !== this.#secs) {
      this.#second = secondText(secs);
      this.#secs = secs;
    }
    this.#nanos = nanos;
    this.#text = `${this.#second}.${nanosText(nanos)}Z`;
    return this.#text;
  }
}
