import type { MetricRegistry } from '../../measurement-relay/metrics.ts';
import type { Transform } from '../pipeline/element.ts';
import type { Plugin } from '../plugin.ts';

export type FilterConfig = {
  readonly mode: 'include' | 'exclude' | 'all';
  readonly names: ReadonlySet<string>;
};

/** Lets points through by their metric's name. Metrics may become known later (a relayed one): names are looked up when they come. */
export const filterTransform = ({ mode, names }: FilterConfig, registry: MetricRegistry): Transform => {
  // an id never changes its name
  const kept: boolean[] = [];
  const keeps = (metric: number): boolean => {
    const known = kept[metric];
    if (known !== undefined) return known;
    const keep = mode === 'all' || names.has(registry.get(metric)?.name ?? '') === (mode === 'include');
    kept[metric] = keep;
    return keep;
  };
  return {
    name: 'filter/transform',
    apply: (points) => points.filter(({ metric_id }) => keeps(metric_id)),
  };
};

/** Keeps some metrics, or drops some. */
export const filterPlugin: Plugin<FilterConfig> = {
  name: 'filter',
  defaults: `# Either the metrics to keep or those to drop, by name; not both. With neither everything passes.
#include = ["cpu_time_delta"]
exclude = []
`,
  read: (table) => {
    if (table.has('include') && table.strings('exclude', []).length > 0)
      throw table.error('exclude', 'CONFIG_FILTER', 'either include or exclude', 'leave one of them out');
    if (table.has('include')) return { mode: 'include', names: new Set(table.strings('include')) };
    const names = new Set(table.strings('exclude', []));
    return { mode: names.size === 0 ? 'all' : 'exclude', names };
  },
  create: (config, { registry }) => [{ type: 'transform', transform: filterTransform(config, registry) }],
};
