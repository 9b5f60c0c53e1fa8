import type { ServedProxy } from './served-proxy.ts';

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
const labelled = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

/** Prometheus's text format: bytes in Toxiproxy's two counters, and what each toxic did. */
export const metricsText = (proxies: readonly ServedProxy[]): string => {
  const lines: string[] = [];
  for (const what of ['received', 'sent'] as const) {
    const name = `toxiproxy_proxy_${what}_bytes_total`;
    lines.push(`# HELP ${name} Bytes ${what} by a proxy, by direction.`, `# TYPE ${name} counter`);
    for (const proxy of proxies)
      for (const [way, direction] of [
        ['down', 'downstream'],
        ['up', 'upstream'],
      ] as const) {
        const { name: label, listen, upstream } = proxy;
        const labels = labelled({ direction, listener: listen, proxy: label, upstream });
        lines.push(`${name}{${labels}} ${proxy.traffic[what][way]}`);
      }
  }
  lines.push(
    '# HELP chaos_proxy_toxic_effects_total Effects of a toxic, as its receipt counts them.',
    '# TYPE chaos_proxy_toxic_effects_total counter',
  );
  for (const proxy of proxies)
    for (const { name, effects } of proxy.effects)
      lines.push(
        `chaos_proxy_toxic_effects_total{${labelled({ proxy: proxy.name, toxic: name })}} ${effects}`,
      );
  return `${lines.join('\n')}\n`;
};
