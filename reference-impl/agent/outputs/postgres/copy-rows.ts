/** Points as rows of COPY's text format. */
import type { Attribute, Point, Timestamp } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { SeriesCache } from '../series-cache.ts';
import { attributesJson, floatText, nanosText } from '../value-text.ts';

/** The columns in the order in which rows have them: what a series shares is last, in one piece. */
export const COPY_COLUMNS =
  'time, nanos, value, exact, metric, resource_kind, resource_id, consumer_kind, consumer_id, attributes';

/** PostgreSQL's text holds neither NUL nor half a character. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

const column = (text: string): string =>
  text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] as string);

const storableAttribute = ([key, value]: Attribute): Attribute => [
  storable(key),
  value.tag === 'Str' ? { tag: 'Str', value: storable(value.value) } : value,
];

/** `2023-11-14T22:13:20`, with as many digits as the year has. */
const secondText = (secs: number): string =>
  new Date(secs * 1_000).toISOString().slice(0, -5).replace(/^\+0*/, '');

/** A metric's name is in an index, whose rows have at most 2,704 bytes. */
export const METRIC_BYTES_MAX = 2_000;

/** Renders points; what the points of a series share is made once. */
export class CopyRows {
  readonly #series: SeriesCache<string | undefined>;
  #time: Timestamp = { secs: Number.NaN, nanos: 0 };
  #second = '';
  #timeText = '';

  constructor(registry: MetricRegistry) {
    this.#series = new SeriesCache((point) => {
      const metric = registry.get(point.metric_id);
      if (metric === undefined) throw new Error(`no metric has the id ${point.metric_id}`);
      if (Buffer.byteLength(metric.name) > METRIC_BYTES_MAX) return undefined;
      const { resource_kind, resource_id, consumer_kind, consumer_id, attributes } = point;
      const texts = [metric.name, resource_kind, resource_id, consumer_kind, consumer_id].map(storable);
      return `${[...texts, attributesJson(attributes.map(storableAttribute))].map(column).join('\t')}\n`;
    });
  }

  /** @returns the rows, and how many points the table cannot hold (names too long) */
  of(points: readonly Point[]): { readonly rows: Buffer; readonly left: number } {
    let text = '';
    let left = 0;
    for (const point of points) {
      const series = this.#series.of(point);
      if (series === undefined) {
        left++;
        continue;
      }
      const { tag, value } = point.value;
      const number = tag === 'F64' ? floatText(value) : value;
      // beyond 2^53 a u64 is a bigint, and a double precision no longer exact
      text += `${this.#timeOf(point.timestamp)}${number}\t${typeof number === 'bigint' ? number : '\\N'}\t${series}`;
    }
    return { rows: Buffer.from(text), left };
  }

  /** Time to the microsecond, and the nanoseconds that are left. */
  #timeOf(time: Timestamp): string {
    const { secs, nanos } = time;
    if (secs === this.#time.secs && nanos === this.#time.nanos) return this.#timeText;
    if (secs !== this.#time.secs) this.#second = secondText(secs);
    this.#time = time;
    this.#timeText = `${this.#second}.${nanosText(nanos).slice(0, 6)}Z\t${nanos % 1_000}\t`;
    return this.#timeText;
  }
}
