import type { Millis } from '../../../machine/machine.ts';
import type { Point } from '../../../measurement-relay/messages.ts';
import type { Metric, MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { type Series, SeriesCache } from '../series-cache.ts';
import { lastOfEach, plainText } from '../value-text.ts';
import { helpText, labelName, labelValue, metricName, sampleValue, unitWord } from './exposition.ts';

export type LastValuesOptions = {
  readonly prefix: string;
  readonly suffix: string;
  readonly appendUnit: boolean;
  readonly attributesAsLabels: boolean;
  /** More series than that are refused, and counted. */
  readonly seriesMax: number;
  /** A series without a new point for so long is shown no more. */
  readonly staleMillis: Millis;
};

type Slot = { value: number | bigint; at: Millis };
/** A metric under the name that Prometheus sees. */
type Family = { readonly name: string; readonly help: string; readonly slots: Map<string, Slot> };

/** Series that were refused are asked for again so often: some may have gone. */
const SWEEP_MILLIS = 10_000;

/** The last value of each series, of a bounded number of them, and all of them as Prometheus' text. */
export class LastValues {
  readonly #options: LastValuesOptions;
  readonly #registry: MetricRegistry;
  readonly #warn: (line: string) => void;
  /** undefined: refused. */
  readonly #series: SeriesCache<Slot | undefined>;
  readonly #families = new Map<number, Family>();
  readonly #names = new Map<string, string>();
  #count = 0;
  #refusedPoints = 0;
  #now: Millis = 0;
  #swept: Millis = 0;

  constructor(options: LastValuesOptions, registry: MetricRegistry, warn: (line: string) => void) {
    this.#options = options;
    this.#registry = registry;
    this.#warn = warn;
    this.#series = new SeriesCache((series) => this.#slot(series));
  }

  set(points: readonly Point[], now: Millis): void {
    this.#now = now;
    if (now - this.#swept >= SWEEP_MILLIS) this.#sweep(now);
    for (const point of points) {
      const slot = this.#series.of(point);
      if (slot === undefined) {
        this.#refusedPoints++;
        continue;
      }
      slot.value = point.value.value;
      slot.at = now;
    }
  }

  /** Text format 0.0.4. */
  text(now: Millis): string {
    this.#sweep(now);
    const own = [
      ['relay_agent_series', 'gauge', 'Series that are shown.', this.#count],
      ['relay_agent_series_limit', 'gauge', 'Series that are shown at most.', this.#options.seriesMax],
      [
        'relay_agent_refused_points_total',
        'counter',
        'Points of series beyond that limit.',
        this.#refusedPoints,
      ],
    ] as const;
    let text = '';
    for (const { name, help, slots } of this.#families.values()) {
      if (slots.size === 0) continue;
      text += `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
      for (const [labels, { value }] of slots) text += `${name}${labels} ${sampleValue(value)}\n`;
    }
    for (const [name, type, help, value] of own)
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
    return text;
  }

  #sweep(now: Millis): void {
    this.#swept = now;
    const before = now - this.#options.staleMillis;
    let gone = 0;
    for (const { slots } of this.#families.values())
      for (const [labels, { at }] of slots)
        if (at < before) {
          slots.delete(labels);
          gone++;
        }
    if (gone === 0) return;
    this.#count -= gone;
    this.#series.clear();
  }

  #slot(series: Series): Slot | undefined {
    const { slots } = this.#family(series.metric_id);
    const labels = this.#labels(series);
    const known = slots.get(labels);
    if (known !== undefined) return known;
    if (this.#count >= this.#options.seriesMax) {
      if (this.#refusedPoints === 0)
        this.#warn(`there are ${this.#count} series; more are refused until some are stale (series_max)`);
      return undefined;
    }
    const slot: Slot = { value: 0, at: this.#now };
    slots.set(labels, slot);
    this.#count++;
    return slot;
  }

  #labels({ resource_kind, resource_id, consumer_kind, consumer_id, attributes }: Series): string {
    const labels = new Map([
      ['resource_kind', resource_kind],
      ['resource_id', resource_id],
      ['resource_consumer_kind', consumer_kind],
      ['resource_consumer_id', consumer_id],
    ]);
    if (this.#options.attributesAsLabels)
      for (const [key, value] of lastOfEach(attributes)) {
        let name = labelName(key);
        while (labels.has(name)) name += '_';
        labels.set(name, plainText(value));
      }
    return `{${[...labels].map(([name, value]) => `${name}="${labelValue(value)}"`).join(',')}}`;
  }

  #family(id: number): Family {
    const known = this.#families.get(id);
    if (known !== undefined) return known;
    const metric = this.#registry.get(id);
    if (metric === undefined) throw new Error(`no metric has the id ${id}`);
    const name = this.#nameOf(metric);
    const family = {
      name,
      help: helpText(metric.description || metric.name),
      slots: new Map<string, Slot>(),
    };
    this.#families.set(id, family);
    return family;
  }

  /** Two metrics that differ only in what Prometheus cannot write get a number each, and that is told. */
  #nameOf(metric: Metric): string {
    const { prefix, suffix, appendUnit } = this.#options;
    const unit = appendUnit ? unitWord(metric.unit) : '';
    const wanted = metricName(`${prefix}${metric.name}${unit === '' ? '' : `_${unit}`}${suffix}`);
    let name = wanted;
    for (let n = 2; this.#names.has(name) || name.startsWith('relay_agent_'); n++)
      name = `${wanted}_${n}`.replace(/^relay_agent_/, 'metric_relay_agent_');
    if (name !== wanted)
      this.#warn(
        `metric ${JSON.stringify(metric.name)} is shown as ${name}: ${wanted} is ${JSON.stringify(this.#names.get(wanted) ?? 'our own')}`,
      );
    this.#names.set(name, metric.name);
    return name;
  }
}
