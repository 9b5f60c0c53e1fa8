/** Points as lines of InfluxDB's line protocol. */
import type { Attribute, Point, Timestamp, TypedValue, U64 } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { type Series, SeriesCache } from '../series-cache.ts';
import { lastOfEach, nanosText, plainText } from '../value-text.ts';

export type LineOptions = {
  /** Where attributes go that no list names. */
  readonly attributesAs: 'tag' | 'field';
  readonly attributesAsTags: ReadonlySet<string>;
  readonly attributesAsFields: ReadonlySet<string>;
  /** U64 as `7u`; else as `7i`, and above 2^63-1 as a float. */
  readonly uintSuffix: boolean;
};

/** What is ours, or has a meaning to InfluxDB: an attribute of that name gets PREFIX before it. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['resource_kind', 'resource_id', 'resource_consumer_kind', 'resource_consumer_id'],
  ...['value', 'time'],
]);
const PREFIX = 'alumet_attribute__';
const SIGNED_MAX = 2n ** 63n - 1n;
/** Of the last second that nanoseconds in 64 bits reach, in 2262. */
const SECS_MAX = 9_223_372_035;

/** Line breaks end a line wherever they are, and a backslash at the end would take the delimiter behind it. */
const oneLine = (text: string): string => {
  const flat = text.toWellFormed().replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return flat.endsWith('\\') ? `${flat} ` : flat;
};

/** Commas and spaces get a backslash; a `#` at the start would make a comment of the line. */
export const measurementText = (name: string): string => {
  const text = oneLine(name).replace(/[, ]/g, '\\$&');
  return text === '' ? '_' : text.startsWith('#') ? `\\${text}` : text;
};

/** Keys of tags and fields, and values of tags: commas, equals signs and spaces get a backslash. */
export const keyText = (text: string): string => oneLine(text).replace(/[,= ]/g, '\\$&');

/** A string as a field: quotes and backslashes get a backslash. */
export const stringField = (text: string): string => `"${text.toWellFormed().replace(/["\\]/g, '\\$&')}"`;

const uint = (value: U64, suffix: boolean): string => {
  if (suffix) return `${value}u`;
  return typeof value === 'bigint' && value > SIGNED_MAX ? `${Number(value)}` : `${value}i`;
};

/** @returns undefined for what the protocol cannot say (NaN, infinities) */
const fieldText = ({ tag, value }: TypedValue, suffix: boolean): string | undefined => {
  switch (tag) {
    case 'F64':
      return Number.isFinite(value) ? `${value}` : undefined;
    case 'U64':
      return uint(value, suffix);
    case 'Bool':
      return `${value}`;
    case 'Str':
      return stringField(value);
    case 'ListU64':
      return stringField(value.join(','));
  }
};

const attributeKey = (key: string): string => (RESERVED.has(key) || key === '' ? `${PREFIX}${key}` : key);

const timeText = ({ secs, nanos }: Timestamp): string =>
  secs === 0 ? `${nanos}` : `${secs}${nanosText(nanos)}`;

/** Renders points; what the points of a series share is made once. */
export class LineProtocol {
  readonly #options: LineOptions;
  readonly #series: SeriesCache<{ readonly before: string; readonly after: string }>;

  constructor(options: LineOptions, registry: MetricRegistry) {
    this.#options = options;
    this.#series = new SeriesCache((series) => {
      const metric = registry.get(series.metric_id);
      if (metric === undefined) throw new Error(`no metric has the id ${series.metric_id}`);
      const { tags, fields } = this.#attributes(series);
      return { before: `${measurementText(metric.name)}${tags} value=`, after: `${fields} ` };
    });
  }

  /** @returns the lines, and how many points the protocol cannot say (no number, or a time after 2262) */
  of(points: readonly Point[]): { readonly lines: string; readonly left: number } {
    let lines = '';
    let left = 0;
    for (const point of points) {
      const value = fieldText(point.value, this.#options.uintSuffix);
      if (value === undefined || point.timestamp.secs > SECS_MAX) {
        left++;
        continue;
      }
      const { before, after } = this.#series.of(point);
      lines += `${before}${value}${after}${timeText(point.timestamp)}\n`;
    }
    return { lines, left };
  }

  #isTag(key: string): boolean {
    const { attributesAs, attributesAsTags, attributesAsFields } = this.#options;
    return attributesAs === 'tag' ? !attributesAsFields.has(key) : attributesAsTags.has(key);
  }

  #attributes(series: Series): { readonly tags: string; readonly fields: string } {
    const { resource_kind, resource_id, consumer_kind, consumer_id, attributes } = series;
    const tags = new Map([
      ['resource_kind', resource_kind],
      ['resource_id', resource_id],
      ['resource_consumer_kind', consumer_kind],
      ['resource_consumer_id', consumer_id],
    ]);
    let fields = '';
    for (const [key, value] of lastOfEach(attributes)) {
      const name = attributeKey(key);
      if (this.#isTag(key)) tags.set(name, plainText(value));
      else fields += this.#field([name, value]);
    }
    // InfluxDB asks for tags in the order of their keys, and knows no empty one
    const sorted = [...tags].filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1));
    return { tags: sorted.map(([key, value]) => `,${keyText(key)}=${keyText(value)}`).join(''), fields };
  }

  #field([key, value]: Attribute): string {
    const text = fieldText(value, this.#options.uintSuffix);
    return text === undefined ? '' : `,${keyText(key)}=${text}`;
  }
}
