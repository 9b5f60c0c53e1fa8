/** Points as rows of a CSV file, written straight into memory. */
import type { NumberValue, Point } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { metricLabel } from '../metric-label.ts';
import { type Series, SeriesCache } from '../series-cache.ts';
import { floatText, lastOfEach, plainText, Rfc3339 } from '../value-text.ts';
import { type CsvFormat, field, lateField } from './csv-text.ts';

const WORD = 4;
/** More than any number takes, and than `copy` writes behind the end of what it copies. */
const SPARE_BYTES = 40;
const ZERO = 0x30;
const TEN_9 = 1e9;

/** Text as bytes, in words: they are copied some three times as fast as bytes are, and without a call for each piece. */
type Piece = { readonly words: Int32Array; readonly length: number };

const pieceOf = (text: string): Piece => {
  const bytes = Buffer.from(text);
  const padded = new DataView(new ArrayBuffer(Math.ceil(bytes.length / WORD) * WORD));
  new Uint8Array(padded.buffer).set(bytes);
  const words = new Int32Array(padded.byteLength / WORD);
  for (let i = 0; i < words.length; i++) words[i] = padded.getInt32(i * WORD, true);
  return { words, length: bytes.length };
};

/** Up to three bytes behind the end are written too. @returns the end */
const copy = ({ words, length }: Piece, into: DataView, at: number): number => {
  for (let i = 0, p = at; i < words.length; i++, p += WORD) into.setInt32(p, words[i] as number, true);
  return at + length;
};

/** @param value an integer below 10^9 @param least digits; zeros fill them up @returns the end */
const putDigits = (value: number, least: number, into: DataView, at: number): number => {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  if (digits < least) digits = least;
  let rest = value;
  for (let p = at + digits - 1; p >= at; p--) {
    const tens = (rest / 10) | 0;
    into.setUint8(p, ZERO + rest - tens * 10);
    rest = tens;
  }
  return at + digits;
};

/** @param text ASCII @returns the end */
const putText = (text: string, into: DataView, at: number): number => {
  for (let i = 0; i < text.length; i++) into.setUint8(at + i, text.charCodeAt(i));
  return at + text.length;
};

const putNumber = ({ tag, value }: NumberValue, into: DataView, at: number): number => {
  if (tag === 'F64') return putText(floatText(value), into, at);
  if (typeof value !== 'number') return putText(`${value}`, into, at);
  if (value < TEN_9) return putDigits(value, 1, into, at);
  const high = Math.floor(value / TEN_9);
  return putDigits(value - high * TEN_9, 9, into, putDigits(high, 1, into, at));
};

/** What all rows of a series share. */
type RowParts = { readonly before: Piece; readonly after: Piece; readonly bytes: number };

/** Rows of one file. */
export class CsvRows {
  readonly #series: SeriesCache<RowParts>;
  readonly #times = new Rfc3339();
  readonly #delimiter: string;
  #timeText = '';
  #time: Piece = pieceOf('');
  #end = 0;

  /** @param columns attributes with a column of their own, in its order */
  constructor(format: CsvFormat, columns: readonly string[], registry: MetricRegistry) {
    this.#delimiter = format.delimiter;
    const own = new Set(columns);
    this.#series = new SeriesCache((series) => partsOf(series, format, columns, own, registry));
  }

  /** Where the last row that `put` wrote ends. */
  get end(): number {
    return this.#end;
  }

  /**
   * Writes rows for as long as they fit. @param from the first point @param at where its row begins
   * @returns the first point that did not fit
   */
  put(points: readonly Point[], from: number, into: DataView, at: number): number {
    const room = into.byteLength - SPARE_BYTES;
    let end = at;
    let index = from;
    for (; index < points.length; index++) {
      const point = points[index] as Point;
      const { before, after, bytes } = this.#series.of(point);
      const time = this.#timeOf(point);
      if (end + bytes + time.length > room) break;
      end = copy(time, into, copy(before, into, end));
      end = copy(after, into, putNumber(point.value, into, end));
    }
    this.#end = end;
    return index;
  }

  /** Bytes that hold the row of any point whose parts are so long. */
  bytesOf(point: Point): number {
    return this.#series.of(point).bytes + this.#timeOf(point).length + SPARE_BYTES;
  }

  #timeOf({ timestamp }: Point): Piece {
    const text = this.#times.of(timestamp);
    if (text !== this.#timeText) {
      this.#timeText = text;
      this.#time = pieceOf(`${text}${this.#delimiter}`);
    }
    return this.#time;
  }
}

const partsOf = (
  series: Series,
  format: CsvFormat,
  columns: readonly string[],
  own: ReadonlySet<string>,
  registry: MetricRegistry,
): RowParts => {
  const { delimiter, lateDelimiter } = format;
  const metric = registry.get(series.metric_id);
  if (metric === undefined) throw new Error(`no metric has the id ${series.metric_id}`);
  const attributes = lastOfEach(series.attributes);
  const { resource_kind, resource_id, consumer_kind, consumer_id } = series;
  const texts = [resource_kind, resource_id, consumer_kind, consumer_id];
  for (const column of columns) {
    const value = attributes.get(column);
    texts.push(value === undefined ? '' : plainText(value));
  }
  const late = [...attributes].filter(([key]) => !own.has(key));
  texts.push(lateField(late, lateDelimiter));
  const before = pieceOf(`${field(metricLabel(metric, format), delimiter)}${delimiter}`);
  const after = pieceOf(`${delimiter}${texts.map((text) => field(text, delimiter)).join(delimiter)}\n`);
  return { before, after, bytes: before.length + after.length };
};
