/** Points repeat themselves: all but time and value stands on the wire as it stood last time. What it means is kept. */
import type { Point } from './messages.ts';
import type { ServerDrop } from './server-report.ts';

/** A point's resource, consumer and attributes, made ours. Points that carry the same ones share them. */
export type Labels = Pick<
  Point,
  'resource_kind' | 'resource_id' | 'consumer_kind' | 'consumer_id' | 'attributes'
> & {
  /** Why points with them are dropped. */
  readonly unfit: ServerDrop | undefined;
};

/** A metric of a client and labels, as they stood on the wire. */
export type KnownSeries = {
  /** The client's id. */
  readonly metric: number;
  readonly labels: Labels;
  /** Of the labels, in bytes. */
  readonly length: number;
  /** Little-endian; the last one overlaps the one before it, so that any length is covered. */
  readonly words: Int32Array;
  /** What came after it last time: sources repeat themselves, so it mostly comes again. */
  next: KnownSeries | undefined;
};

export type SeriesLimits = {
  /** Series that are kept, of all clients together; above, all are forgotten and it starts anew. Default 50,000. */
  readonly series: number;
  /** Bytes of their labels on the wire. Default 16 million. */
  readonly bytes: number;
};
const DEFAULT_LIMITS: SeriesLimits = { series: 50_000, bytes: 16_000_000 };
/** Longer ones are made anew each time: few of them would fill the book. */
const LABEL_BYTES_MAX = 4_096;
const WORD = 4;

/** @param length at least a word: no point has shorter labels than four empty strings and no attributes, five bytes */
const wordsAt = (view: DataView, at: number, length: number): Int32Array => {
  const words = new Int32Array(Math.ceil(length / WORD));
  const last = words.length - 1;
  for (let i = 0; i < last; i++) words[i] = view.getInt32(at + i * WORD, true);
  words[last] = view.getInt32(at + length - WORD, true);
  return words;
};

const hashAt = (metric: number, view: DataView, at: number, length: number): number => {
  let hash = length ^ (metric << 16);
  const last = at + length - WORD;
  for (let p = at; p < last; p += WORD)
    hash = Math.imul(hash ^ view.getInt32(p, true), 0x9e3779b1) ^ (hash >>> 15);
  return Math.imul(hash ^ view.getInt32(last, true), 0x9e3779b1);
};

/** Whether its labels stand there. The caller has checked that there are so many bytes. */
export const standAt = ({ words, length }: KnownSeries, view: DataView, at: number): boolean => {
  const last = words.length - 1;
  let p = at;
  for (let i = 0; i < last; i++, p += WORD) if (words[i] !== view.getInt32(p, true)) return false;
  return words[last] === view.getInt32(at + length - WORD, true);
};

/** The series of all clients of a server. Bounded: a client that never repeats itself only costs time. */
export class SeriesBook {
  readonly #limits: SeriesLimits;
  /** By sender, whose name is among the attributes, and by a hash of the bytes: of two with one hash the later one stays. */
  readonly #senders = new Map<string, Map<number, KnownSeries>>();
  #series = 0;
  #bytes = 0;

  constructor(limits: Partial<SeriesLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Series that are kept. */
  get size(): number {
    return this.#series;
  }

  /** The series of this metric whose labels stand there, if it is kept. */
  find(sender: string, metric: number, view: DataView, at: number, length: number): KnownSeries | undefined {
    const known = this.#senders.get(sender)?.get(hashAt(metric, view, at, length));
    return known?.metric === metric && known.length === length && standAt(known, view, at)
      ? known
      : undefined;
  }

  /** Keeps it. @returns undefined: too long to be kept */
  add(
    sender: string,
    metric: number,
    view: DataView,
    at: number,
    length: number,
    labels: Labels,
  ): KnownSeries | undefined {
    if (length > LABEL_BYTES_MAX) return undefined;
    const series: KnownSeries = { metric, labels, length, words: wordsAt(view, at, length), next: undefined };
    this.#keep(sender, hashAt(metric, view, at, length), series);
    return series;
  }

  #keep(sender: string, hash: number, series: KnownSeries): void {
    const { series: seriesMax, bytes: bytesMax } = this.#limits;
    if (this.#series >= seriesMax || this.#bytes + series.length > bytesMax) {
      this.#senders.clear();
      this.#series = 0;
      this.#bytes = 0;
    }
    let ofSender = this.#senders.get(sender);
    if (ofSender === undefined) {
      ofSender = new Map();
      this.#senders.set(sender, ofSender);
      this.#bytes += sender.length;
    }
    const replaced = ofSender.get(hash);
    if (replaced === undefined) this.#series++;
    else this.#bytes -= replaced.length;
    this.#bytes += series.length;
    ofSender.set(hash, series);
  }
}
