import type { NumberValue, Point, Timestamp, U64 } from '../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../measurement-relay/metrics.ts';
import type { Transform } from '../pipeline/element.ts';
import type { Plugin } from '../plugin.ts';

const FUNCTIONS = ['sum', 'mean', 'min', 'max', 'last'] as const;
export type AggregateFunction = (typeof FUNCTIONS)[number];

export type AggregateConfig = {
  readonly intervalMillis: number;
  readonly function: AggregateFunction;
  /** Empty: every metric. */
  readonly metrics: readonly string[];
};

/** All points of one series within one interval, folded into one. */
type Window = { readonly first: Point; readonly start: number; value: Folded; count: number };
type Folded = U64;

const asU64 = (value: bigint): U64 =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : BigInt.asUintN(64, value);

const added = (a: Folded, b: Folded, exact: boolean): Folded => {
  if (!exact) return Number(a) + Number(b);
  const sum = typeof a === 'number' && typeof b === 'number' ? a + b : Number.NaN;
  return Number.isSafeInteger(sum) ? sum : asU64(BigInt(a) + BigInt(b));
};

const folded = (name: AggregateFunction, a: Folded, b: Folded, exact: boolean): Folded => {
  switch (name) {
    case 'sum':
    case 'mean':
      return added(a, b, exact);
    case 'min':
      return b < a ? b : a;
    case 'max':
      return b > a ? b : a;
    case 'last':
      return b;
  }
};

const keyOf = (point: Point): string =>
  JSON.stringify(
    [
      point.metric_id,
      point.resource_kind,
      point.resource_id,
      point.consumer_kind,
      point.consumer_id,
      point.attributes,
    ],
    (_, value) => (typeof value === 'bigint' ? `${value}n` : value),
  );

const millisOf = ({ secs, nanos }: Timestamp): number => secs * 1000 + Math.floor(nanos / 1e6);

/**
 * Folds the points of each series within an interval into one, of the metric `<name>_<function>`, at the interval's end. An interval
 * is over when a point of a later one comes, or at the end. A relayed batch is folded by itself: what comes of it must be
 * stored under its own number or not at all.
 */
export class AggregateTransform implements Transform {
  readonly name = 'aggregate/transform';
  readonly #config: AggregateConfig;
  readonly #registry: MetricRegistry;
  readonly #only: ReadonlySet<string>;
  /** metric -> the metric of its folded points; undefined: it passes untouched. */
  readonly #targets = new Map<number, number | undefined>();
  readonly #windows = new Map<string, Window>();
  #newest = Number.NEGATIVE_INFINITY;

  constructor(config: AggregateConfig, registry: MetricRegistry) {
    this.#config = config;
    this.#registry = registry;
    this.#only = new Set(config.metrics);
  }

  apply(points: readonly Point[], origin: unknown): readonly Point[] {
    if (origin !== undefined) {
      const alone = new Map<string, Window>();
      const untouched = points.filter((point) => !this.#fold(point, alone));
      return [...untouched, ...this.#close(alone, Number.POSITIVE_INFINITY)];
    }
    const untouched = points.filter((point) => {
      const taken = this.#fold(point, this.#windows);
      if (taken) this.#newest = Math.max(this.#newest, this.#startOf(point));
      return !taken;
    });
    return [...untouched, ...this.#close(this.#windows, this.#newest)];
  }

  flush(): readonly Point[] {
    return this.#close(this.#windows, Number.POSITIVE_INFINITY);
  }

  #startOf({ timestamp }: Point): number {
    const { intervalMillis } = this.#config;
    return Math.floor(millisOf(timestamp) / intervalMillis) * intervalMillis;
  }

  /** @returns whether it was taken */
  #fold(point: Point, windows: Map<string, Window>): boolean {
    if (this.#targetOf(point.metric_id) === undefined) return false;
    const start = this.#startOf(point);
    const key = `${start} ${keyOf(point)}`;
    const window = windows.get(key);
    if (window === undefined) windows.set(key, { first: point, start, value: point.value.value, count: 1 });
    else {
      window.value = folded(
        this.#config.function,
        window.value,
        point.value.value,
        point.value.tag === 'U64',
      );
      window.count++;
    }
    return true;
  }

  /** Takes out every window that began before. */
  #close(windows: Map<string, Window>, before: number): readonly Point[] {
    const points: Point[] = [];
    for (const [key, window] of windows) {
      if (window.start >= before) continue;
      windows.delete(key);
      const end = window.start + this.#config.intervalMillis;
      points.push({
        ...window.first,
        metric_id: this.#targetOf(window.first.metric_id) as number,
        timestamp: { secs: Math.floor(end / 1000), nanos: Math.round((end % 1000) * 1e6) },
        value: this.#valueOf(window),
      });
    }
    return points;
  }

  #valueOf({ first, value, count }: Window): NumberValue {
    if (this.#config.function === 'mean') return { tag: 'F64', value: Number(value) / count };
    return first.value.tag === 'U64' ? { tag: 'U64', value } : { tag: 'F64', value: Number(value) };
  }

  #targetOf(id: number): number | undefined {
    if (this.#targets.has(id)) return this.#targets.get(id);
    const metric = this.#registry.get(id);
    const taken = metric !== undefined && (this.#only.size === 0 || this.#only.has(metric.name));
    const target = taken ? this.#define(metric) : undefined;
    this.#targets.set(id, target);
    return target;
  }

  /** undefined when that name is taken by something else: the points pass untouched then. */
  #define(metric: Parameters<MetricRegistry['define']>[0]): number | undefined {
    const { function: name } = this.#config;
    const id = this.#registry.tryDefine(
      {
        name: `${metric.name}_${name}`,
        valueType: name === 'mean' ? 'F64' : metric.valueType,
        unit: metric.unit,
        description: `${name} of ${metric.name} over an interval`,
      },
      undefined,
    );
    return typeof id === 'number' ? id : undefined;
  }
}

/** Fewer points: one for each series and interval. */
export const aggregatePlugin: Plugin<AggregateConfig> = {
  name: 'aggregate',
  defaults: `# One point for each series and interval: the sum, mean, min, max or last of its points, as metric <name>_<function>.
interval = "60s"
function = "sum"
# Which metrics; none: all. Others pass untouched.
metrics = []
`,
  read: (table) => ({
    intervalMillis: table.duration('interval', '60s', { moreThanZero: true }),
    function: table.choice('function', FUNCTIONS, 'sum'),
    metrics: table.strings('metrics', []),
  }),
  create: (config, { registry }) => [
    { type: 'transform', transform: new AggregateTransform(config, registry) },
  ],
};
