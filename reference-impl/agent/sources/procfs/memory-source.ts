import { readFileSync } from 'node:fs';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import type { Source } from '../../pipeline/element.ts';
import { measured, UNITS, u64 } from '../measured.ts';
import { metricNameOf, parseMeminfo } from './meminfo.ts';

/** Memory of the whole machine. @param entries as `/proc/meminfo` calls them; those this kernel does not have are left out */
export const memorySource = (
  periodMillis: number,
  entries: readonly string[],
  registry: MetricRegistry,
  file = '/proc/meminfo',
): Source => {
  const metrics = entries.map((entry) => {
    const id = registry.define({
      name: metricNameOf(entry),
      valueType: 'U64',
      unit: UNITS.byte,
      description: `${entry} entry in /proc/meminfo, converted to bytes`,
    });
    return [entry, id] as const;
  });
  return {
    name: 'procfs/memory',
    kind: 'managed',
    periodMillis,
    open: async () => {
      readFileSync(file);
    },
    poll: (at) => {
      const found = parseMeminfo(readFileSync(file, 'utf8'));
      return metrics.flatMap(([entry, metric]) => {
        const bytes = found.get(entry);
        return bytes === undefined ? [] : [measured(at, metric, u64(bytes))];
      });
    },
    close: async () => undefined,
  };
};
