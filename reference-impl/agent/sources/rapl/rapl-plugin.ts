import { readFileSync } from 'node:fs';
import type { Point, Timestamp } from '../../../measurement-relay/messages.ts';
import { AgentError, reasonOf } from '../../agent-error.ts';
import type { Plugin } from '../../plugin.ts';
import { f64, label, MACHINE, measured, UNITS, type Whose } from '../measured.ts';
import {
  joulesBetween,
  POWERCAP,
  type PowerZone,
  powerZones,
  RAPL_DOMAINS,
  type RaplDomain,
} from './powercap.ts';

export type RaplConfig = { readonly periodMillis: number; readonly flushMillis: number };

const resourceOf = ({ domain, packageId }: PowerZone): Whose => {
  if (domain === 'platform') return MACHINE;
  return { kind: domain === 'dram' ? 'dram' : 'cpu_package', id: String(packageId) };
};

/** Energy of every zone between two readings, and the sum of each domain. */
export const raplPoints = (
  zones: readonly PowerZone[],
  before: readonly number[],
  now: readonly number[],
  at: Timestamp,
  metric: number,
): readonly Point[] => {
  const totals = new Map<RaplDomain, number>();
  const perZone = zones.map((zone, index) => {
    const joules = joulesBetween(before[index] ?? 0, now[index] ?? 0, zone.energyMax);
    totals.set(zone.domain, (totals.get(zone.domain) ?? 0) + joules);
    return measured(at, metric, f64(joules), {
      resource: resourceOf(zone),
      attributes: [label('domain', zone.domain)],
    });
  });
  const sums = RAPL_DOMAINS.flatMap((domain) => {
    const joules = totals.get(domain);
    return joules === undefined
      ? []
      : [measured(at, metric, f64(joules), { attributes: [label('domain', `${domain}_total`)] })];
  });
  return [...perZone, ...sums];
};

/** Energy of CPU packages, cores and memory, where the machine counts it (RAPL, through the kernel's powercap files). */
export const raplPlugin: Plugin<RaplConfig> = {
  name: 'rapl',
  defaults: `# Energy of CPU packages, cores and memory; nothing is measured on a machine without RAPL.
poll_interval = "1s"
# Points of several polls are handed on together, at the latest after this time.
flush_interval = "5s"
# Alumet's choice between its two ways; here the powercap files are always read.
no_perf_events = false
`,
  read: (table) => {
    table.boolean('no_perf_events', false);
    return {
      periodMillis: table.duration('poll_interval', '1s', { moreThanZero: true }),
      flushMillis: table.duration('flush_interval', '5s'),
    };
  },
  create: ({ periodMillis, flushMillis }, { registry, log }) => {
    const unreadable = (error: unknown): AgentError =>
      new AgentError({
        code: 'RAPL_UNREADABLE',
        where: POWERCAP,
        expected: 'energy counters this user may read',
        got: reasonOf(error),
        hint: `chmod a+r -R ${POWERCAP}, or leave the plugin out`,
        cause: error,
      });
    let zones: readonly PowerZone[];
    try {
      zones = powerZones();
    } catch (error) {
      throw unreadable(error);
    }
    if (zones.length === 0) {
      log.warn({ folder: POWERCAP }, 'rapl: this machine shows no energy counters, nothing is measured');
      return [];
    }
    const metric = registry.define({
      name: 'rapl_consumed_energy',
      valueType: 'F64',
      unit: UNITS.joule,
      description: 'Energy consumed since the previous measurement, as reported by RAPL.',
    });
    const read = (): readonly number[] =>
      zones.map(({ energyFile }) => Number(readFileSync(energyFile, 'utf8')));
    let before: readonly number[] | undefined;
    return [
      {
        type: 'source',
        source: {
          name: 'rapl/in',
          kind: 'managed',
          periodMillis,
          flushMillis,
          open: async () => {
            try {
              read();
            } catch (error) {
              throw unreadable(error);
            }
          },
          poll: (at) => {
            const now = read();
            const points = before === undefined ? [] : raplPoints(zones, before, now, at, metric);
            before = now;
            return points;
          },
          close: async () => undefined,
        },
      },
    ];
  },
};
