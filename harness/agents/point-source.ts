import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { Point } from '../../reference-impl/measurement-relay/messages.ts';
import type { MetricRegistry } from '../../reference-impl/measurement-relay/metrics.ts';
import { PointCode } from '../measure/point-code.ts';
import type { PointSourceSpec, SourceMetric } from './measurement-spec.ts';

/** Where the made-up time of points begins: every run measures the same day. */
const EPOCH_SECS = 1_750_000_000;
const CONSUMER_KIND = 'relaylab_agent';
/** What is registered in a name clash is defined as it is asked for: see `MetricRegistry.define`. */
const DESCRIPTION = 'a position-coded point of a relaylab run';

type Made = { readonly metric: SourceMetric; readonly code: PointCode; id: number | undefined };

/**
 * Points with positions: the value is the point's number, the microseconds of its timestamp its code, the consumer its agent
 * (harness/measure/point-code.ts). A metric is defined with its first point, so a late one is late for everybody.
 */
export class PointSource {
  readonly #agent: string;
  readonly #spec: PointSourceSpec;
  readonly #registry: MetricRegistry;
  readonly #metrics: readonly Made[];
  #next = 0;

  /** @throws Error for a source that has nothing to measure in the beginning */
  constructor(agent: string, spec: PointSourceSpec, registry: MetricRegistry) {
    if (!spec.metrics.some(({ fromPoint }) => fromPoint === 0))
      throw new Error(`${agent}: at least one metric must begin with point 0`);
    this.#agent = agent;
    this.#spec = spec;
    this.#registry = registry;
    this.#metrics = [...spec.metrics]
      .sort((a, b) => a.fromPoint - b.fromPoint)
      .map((metric) => ({ metric, code: new PointCode(agent, metric.name), id: undefined }));
  }

  /** Points made so far: numbers 0 to `made` - 1. */
  get made(): number {
    return this.#next;
  }

  poll(now: Millis): readonly Point[] {
    const secs = EPOCH_SECS + Math.floor(now / 1000);
    return Array.from({ length: this.#spec.pointsPerPoll }, () => this.#point(secs));
  }

  #point(secs: number): Point {
    const number = this.#next++;
    const made = this.#metricOf(number);
    const { name, valueType, unit } = made.metric;
    made.id ??= this.#registry.define({ name, valueType, unit, description: DESCRIPTION });
    return {
      metric_id: made.id,
      timestamp: { secs, nanos: made.code.micros(number) * 1_000 },
      value: { tag: valueType, value: number },
      resource_kind: 'local_machine',
      resource_id: '',
      consumer_kind: CONSUMER_KIND,
      consumer_id: this.#agent,
      attributes: [],
    };
  }

  #metricOf(number: number): Made {
    let known = this.#metrics.length;
    while ((this.#metrics[known - 1]?.metric.fromPoint ?? 0) > number) known--;
    return this.#metrics[number % known] as Made;
  }
}
