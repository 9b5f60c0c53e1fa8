import type { AgentContext, Plugin } from '../../plugin.ts';
import { type PrometheusConfig, PrometheusOutput } from './prometheus-output.ts';

/** `[plugins.prometheus]`: the last values over HTTP. */
export const prometheusPlugin: Plugin<PrometheusConfig, AgentContext> = {
  name: 'prometheus',
  defaults: `# Where Prometheus finds /metrics. Others than this host see it only at an address of yours.
host = "127.0.0.1"
port = 9091
# Before and behind every name.
prefix = ""
suffix = ""
# "cpu_time_milliseconds" instead of "cpu_time".
append_unit_to_metric_name = true
add_attributes_to_labels = true
# More series are refused and counted in relay_agent_refused_points_total.
series_max = 10000
# A series without a new point for so long is shown no more.
stale_after = "5m"
`,
  read: (table) => ({
    host: table.string('host', '127.0.0.1'),
    port: table.integer('port', { least: 0, most: 65_535 }, 9091),
    prefix: table.string('prefix', ''),
    suffix: table.string('suffix', ''),
    appendUnit: table.boolean('append_unit_to_metric_name', true),
    attributesAsLabels: table.boolean('add_attributes_to_labels', true),
    seriesMax: table.integer('series_max', { least: 1, most: 1e7 }, 10_000),
    staleMillis: table.duration('stale_after', '5m', { moreThanZero: true }),
  }),
  create: (config, { registry, log, clock }) => [
    { type: 'output', output: new PrometheusOutput(config, registry, log, clock) },
  ],
};
