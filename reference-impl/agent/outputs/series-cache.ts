import type { Attribute, Point, TypedValue, U64 } from '../../measurement-relay/messages.ts';

/** What all points of one series share: everything but time and value. */
export type Series = Omit<Point, 'timestamp' | 'value'>;

type Entry<Made> = Series & {
  readonly made: Made;
  /** Who came after this one last time: sources repeat themselves, so it mostly comes again. */
  next: Entry<Made> | undefined;
};

export type SeriesLimits = {
  /** Series that are remembered; above, all are forgotten and it starts anew. Default 50,000. */
  readonly series: number;
  /** Characters of all of them together. Default 16 million. */
  readonly chars: number;
};

const DEFAULT_LIMITS: SeriesLimits = { series: 50_000, chars: 16_000_000 };
/** Longer ones are made anew each time: few of them would fill the cache. */
const KEY_CHARS_MAX = 4_096;

const sameList = (a: readonly U64[], b: readonly U64[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);

const sameValue = (a: TypedValue, b: TypedValue): boolean => {
  if (a.tag !== b.tag) return false;
  if (a.tag === 'Str') return a.value === b.value;
  if (a.tag === 'ListU64') return b.tag === 'ListU64' && sameList(a.value, b.value);
  // -0 and 0 are written differently
  return a.tag === 'F64' ? Object.is(a.value, b.value) : a.value === b.value;
};

const sameAttributes = (a: readonly Attribute[], b: readonly Attribute[]): boolean => {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const one = a[i] as Attribute;
    const other = b[i] as Attribute;
    // without destructuring: this is asked of every point
    if (one !== other && (one[0] !== other[0] || !sameValue(one[1], other[1]))) return false;
  }
  return true;
};

const sameSeries = (a: Series, b: Series): boolean =>
  a.metric_id === b.metric_id &&
  a.resource_id === b.resource_id &&
  a.resource_kind === b.resource_kind &&
  a.consumer_id === b.consumer_id &&
  a.consumer_kind === b.consumer_kind &&
  sameAttributes(a.attributes, b.attributes);

const measuredText = (text: string): string => `${text.length}|${text}`;

const valueText = ({ tag, value }: TypedValue): string =>
  Object.is(value, -0) ? `${tag}-0` : `${tag}${value}`;

/** Text that two series have in common only if they are the same: every part with its length before it. */
const keyOf = (series: Series): string => {
  let key = `${series.metric_id}|${measuredText(series.resource_kind)}${measuredText(series.resource_id)}`;
  key += measuredText(series.consumer_kind) + measuredText(series.consumer_id);
  for (const [name, value] of series.attributes) key += measuredText(name) + measuredText(valueText(value));
  return key;
};

/**
 * What an output makes of a series (a fragment of text, a row's id), once for all its points. Found again in some 30 ns where
 * points come in the order of last time, in some 300 ns elsewhere. Bounded: a client that never repeats itself only costs time.
 */
export class SeriesCache<Made> {
  readonly #make: (series: Series) => Made;
  readonly #limits: SeriesLimits;
  readonly #entries = new Map<string, Entry<Made>>();
  #chars = 0;
  #last: Entry<Made> | undefined;

  /** @param make must depend on nothing but the series */
  constructor(make: (series: Series) => Made, limits: Partial<SeriesLimits> = {}) {
    this.#make = make;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Series that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  of(point: Series): Made {
    const guess = this.#last?.next;
    if (guess === undefined || !sameSeries(guess, point)) return this.#find(point);
    this.#last = guess;
    return guess.made;
  }

  /** After what was made has lost its meaning (rows that were rolled back). */
  clear(): void {
    this.#entries.clear();
    this.#chars = 0;
    this.#last = undefined;
  }

  #find(point: Series): Made {
    const key = keyOf(point);
    if (key.length > KEY_CHARS_MAX) return this.#make(point);
    const entry = this.#entries.get(key) ?? this.#add(key, point);
    if (this.#last !== undefined) this.#last.next = entry;
    this.#last = entry;
    return entry.made;
  }

  #add(key: string, point: Series): Entry<Made> {
    const made = this.#make(point);
    if (this.#entries.size >= this.#limits.series || this.#chars + key.length > this.#limits.chars)
      this.clear();
    const { metric_id, resource_kind, resource_id, consumer_kind, consumer_id, attributes } = point;
    const kept = { metric_id, resource_kind, resource_id, consumer_kind, consumer_id, attributes };
    const entry: Entry<Made> = { ...kept, made, next: undefined };
    this.#entries.set(key, entry);
    this.#chars += key.length;
    return entry;
  }
}
