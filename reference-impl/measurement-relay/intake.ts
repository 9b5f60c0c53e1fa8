import type { NumberValue, Point, TypedValue, WireMetric, WirePoint } from './messages.ts';
import type { MetricRefusal, MetricRegistry, ValueType } from './metrics.ts';
import { consumerFits, resourceFits, settleTimestamp } from './point-check.ts';
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

/** What one connection has registered, and its points made ours: ids of the registry, `relay_client`, nothing that is malformed. */
export class Intake {
  readonly #registry: MetricRegistry;
  readonly #metrics = new Map<number | bigint, Registered>();
  /** Every point of a sender carries the same object, and those without other attributes the same list. */
  #relayClient: [string, { tag: 'Str'; value: string }] = [RELAY_CLIENT, { tag: 'Str', value: '' }];
  #relayClientAlone = [this.#relayClient];

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
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

  /** Makes points ours, in place, and puts them behind `into`. */
  take(points: readonly WirePoint[], sender: string, into: Point[], drops: Drops): void {
    if (this.#relayClient[1].value !== sender) {
      this.#relayClient = [RELAY_CLIENT, { tag: 'Str', value: sender }];
      this.#relayClientAlone = [this.#relayClient];
    }
    const relayClient = this.#relayClient;
    for (const point of points) {
      const metric = this.#metrics.get(point.metric_id);
      const why = unfit(point, metric);
      if (why !== undefined) {
        const dropped = drops.get(why);
        if (dropped === undefined) drops.set(why, { points: 1, example: described(point, why) });
        else dropped.points++;
        continue;
      }
      point.metric_id = (metric as Exclude<Registered, 'refused'>).id;
      // a point that was relayed before keeps the client it came from
      if (point.attributes.length === 0) point.attributes = this.#relayClientAlone;
      // not a push: it would make room for sixteen more
      else if (!carriesClient(point)) point.attributes = [...point.attributes, relayClient];
      into.push(
        point as WirePoint & { metric_id: number; timestamp: Point['timestamp']; value: NumberValue },
      );
    }
  }
}

const unfit = (point: WirePoint, metric: Registered | undefined): ServerDrop | undefined => {
  if (metric === undefined) return 'metric not registered';
  if (metric === 'refused') return 'metric refused';
  if (point.value.tag !== metric.valueType) return 'value of another type';
  if (!settleTimestamp(point.timestamp)) return 'timestamp out of range';
  if (!resourceFits(point.resource_kind, point.resource_id)) return 'malformed resource';
  if (!consumerFits(point.consumer_kind, point.consumer_id)) return 'malformed consumer';
  return undefined;
};

const carriesClient = ({ attributes }: WirePoint): boolean => {
  for (const attribute of attributes) if (attribute[0] === RELAY_CLIENT) return true;
  return false;
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
