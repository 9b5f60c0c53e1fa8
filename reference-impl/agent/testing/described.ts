import type { Point } from '../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../measurement-relay/metrics.ts';

/** A point as a line of text: `kernel_cpu_time=10 cpu_core/0 local_machine/ cpu_state=user`. */
export const described = (point: Point, registry: MetricRegistry): string =>
  [
    `${registry.get(point.metric_id)?.name}=${point.value.value}`,
    `${point.resource_kind}/${point.resource_id}`,
    `${point.consumer_kind}/${point.consumer_id}`,
    ...point.attributes.map(([key, { value }]) => `${key}=${String(value)}`),
  ].join(' ');
