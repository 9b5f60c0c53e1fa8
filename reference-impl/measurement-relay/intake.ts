import { type KnownSeries, type Labels, type SeriesBook, standAt } from './known-series.ts';
import type {
  Attribute,
  NumberValue,
  Point,
  Timestamp,
  TypedValue,
  WireMetric,
  WirePoint,
} from './messages.ts';
import type { MetricRefusal, MetricRegistry, ValueType } from './metrics.ts';
import { consumerFits, resourceFits, settleTimestamp } from './point-check.ts';
import { head, labelsEnd, readHead } from './point-head.ts';
import type { PointTaker } from './points-reader.ts';
import type { ServerDrop } from './server-report.ts';

/** The attribute that says which client a point is from. */
export const RELAY_CLIENT = 'relay_client';

type Registered = { readonly id: number; readonly valueType: ValueType } | 'refused';

/** What became of a metric that is not simply the metric of its name. */
export type Odd = { readonly name: string } & (
  | { readonly renamed: string; readonly why: undefined }
  | { readonly renamed: undefined; readonly why: MetricRefusal }
);

/** Points of one frame that were not taken: how many for a reason, and the first of them. */
export type Drops = Map<ServerDrop, { points: number; readonly example: string }>;

/**
 * What one connection has registered, and its points made ours: ids of the registry, `relay_client`, nothing that is malformed.
 * A point whose labels come as they came after the same ones last time is taken without the codec, and shares them: that is a third
 * of the time, and most of what the garbage collector (and each output, which tells series apart) would have to do.
 */
export class Intake implements PointTaker {
  readonly #registry: MetricRegistry;
  readonly #book: SeriesBook;
  readonly #metrics = new Map<number | bigint, Registered>();
  #sender = '';
  #into: Point[] = [];
  #drops: Drops = new Map();
  /** Of the point before. */
  #last: KnownSeries | undefined;
  /** Points of one poll share it. */
  #timestamp: Timestamp = { secs: 0, nanos: 0 };

  constructor(registry: MetricRegistry, book: SeriesBook) {
    this.#registry = registry;
    this.#book = book;
  }

  /** Defines a client's metrics; an id that comes again has a new meaning. @returns those that were renamed or refused */
  register(metrics: readonly WireMetric[], client: string): Odd[] {
    const odd: Odd[] = [];
    for (const { id, name, value_type, unit } of metrics) {
      const defined = this.#registry.tryDefine(
        { name, valueType: value_type, unit, description: '' },
        client,
      );
      if (typeof defined === 'string') {
        this.#metrics.set(id, 'refused');
        odd.push({ name, renamed: undefined, why: defined });
        continue;
      }
      this.#metrics.set(id, { id: defined, valueType: value_type });
      const known = this.#registry.get(defined)?.name;
      if (known !== undefined && known !== name) odd.push({ name, renamed: known, why: undefined });
    }
    return odd;
  }

  /** Points that are taken from now on are this sender's, and are put behind `into`; the others are counted in `drops`. */
  begin(sender: string, into: Point[], drops: Drops): void {
    if (sender !== this.#sender) this.#last = undefined;
    this.#sender = sender;
    this.#into = into;
    this.#drops = drops;
  }

  quick(bytes: Uint8Array, view: DataView, at: number): number {
    const from = readHead(bytes, view, at);
    if (from < 0) return -1;
    const { metric: wireId, secs, nanos, isFloat, value } = head;
    let series = this.#last?.next;
    if (series === undefined || series.metric !== wireId || !standsIn(series, bytes, view, from)) {
      const length = labelsEnd(bytes, from) - from;
      series = length < 0 ? undefined : this.#book.find(this.#sender, wireId, view, from, length);
      if (series === undefined) return -1;
      this.#follow(series);
    } else this.#last = series;
    const metric = this.#metrics.get(wireId);
    const tag = isFloat ? 'F64' : 'U64';
    const { labels } = series;
    if (
      metric === undefined ||
      metric === 'refused' ||
      metric.valueType !== tag ||
      labels.unfit !== undefined
    )
      return -1;
    let timestamp = this.#timestamp;
    if (timestamp.nanos !== nanos || timestamp.secs !== secs) {
      timestamp = { secs, nanos };
      this.#timestamp = timestamp;
    }
    this.#into.push({
      metric_id: metric.id,
      timestamp,
      value: { tag, value },
      resource_kind: labels.resource_kind,
      resource_id: labels.resource_id,
      consumer_kind: labels.consumer_kind,
      consumer_id: labels.consumer_id,
      attributes: labels.attributes,
    });
    return from + series.length;
  }

  take(point: WirePoint, bytes: Uint8Array, view: DataView, at: number, end: number): void {
    const metric = this.#metrics.get(point.metric_id);
    const labels = this.#labelsOf(point, bytes, view, at, end);
    const why = unfit(point, metric, labels);
    if (why !== undefined) {
      const dropped = this.#drops.get(why);
      if (dropped === undefined) this.#drops.set(why, { points: 1, example: described(point, why) });
      else dropped.points++;
      return;
    }
    this.#into.push({
      metric_id: (metric as Exclude<Registered, 'refused'>).id,
      timestamp: point.timestamp as Timestamp,
      value: point.value as NumberValue,
      resource_kind: labels.resource_kind,
      resource_id: labels.resource_id,
      consumer_kind: labels.consumer_kind,
      consumer_id: labels.consumer_id,
      attributes: labels.attributes,
    });
  }

  /** The labels of a point that the codec has read, kept for the next time. */
  #labelsOf(point: WirePoint, bytes: Uint8Array, view: DataView, at: number, end: number): Labels {
    const from = readHead(bytes, view, at);
    if (from < 0) return labelsOf(point, this.#sender);
    const { metric } = head;
    const known = this.#book.find(this.#sender, metric, view, from, end - from);
    if (known !== undefined) return known.labels;
    const labels = labelsOf(point, this.#sender);
    const series = this.#book.add(this.#sender, metric, view, from, end - from, labels);
    if (series !== undefined) this.#follow(series);
    return labels;
  }

  #follow(series: KnownSeries): void {
    if (this.#last !== undefined) this.#last.next = series;
    this.#last = series;
  }
}

const standsIn = (series: KnownSeries, bytes: Uint8Array, view: DataView, at: number): boolean =>
  at + series.length <= bytes.length && standAt(series, view, at);

const labelsOf = (point: WirePoint, sender: string): Labels => {
  const { resource_kind, resource_id, consumer_kind, consumer_id } = point;
  let unfit: ServerDrop | undefined;
  if (!resourceFits(resource_kind, resource_id)) unfit = 'malformed resource';
  else if (!consumerFits(consumer_kind, consumer_id)) unfit = 'malformed consumer';
  const attributes: Attribute[] = point.attributes;
  // a point that was relayed before keeps the client it came from
  if (!attributes.some(([key]) => key === RELAY_CLIENT))
    attributes.push([RELAY_CLIENT, { tag: 'Str', value: sender }]);
  return { resource_kind, resource_id, consumer_kind, consumer_id, attributes, unfit };
};

const unfit = (point: WirePoint, metric: Registered | undefined, labels: Labels): ServerDrop | undefined => {
  if (metric === undefined) return 'metric not registered';
  if (metric === 'refused') return 'metric refused';
  if (point.value.tag !== metric.valueType) return 'value of another type';
  if (!settleTimestamp(point.timestamp)) return 'timestamp out of range';
  return labels.unfit;
};

const TEXT_LENGTH_MAX = 60;
const short = (text: string): string =>
  JSON.stringify(text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text);

const described = (point: WirePoint, why: ServerDrop): string => {
  const id = `metric id ${point.metric_id}`;
  switch (why) {
    case 'value of another type':
      return `${id}: ${point.value.tag}${worded(point.value)}`;
    case 'timestamp out of range':
      return `${id}: ${point.timestamp.secs} s ${point.timestamp.nanos} ns`;
    case 'malformed resource':
      return `${id}: ${short(point.resource_kind)}/${short(point.resource_id)}`;
    case 'malformed consumer':
      return `${id}: ${short(point.consumer_kind)}/${short(point.consumer_id)}`;
    default:
      return id;
  }
};

const worded = ({ tag, value }: TypedValue): string =>
  tag === 'ListU64' ? ` of ${value.length}` : ` ${short(String(value))}`;
