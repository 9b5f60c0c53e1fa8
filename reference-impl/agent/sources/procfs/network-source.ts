import { readFileSync } from 'node:fs';
import type { Point, Timestamp } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import type { Source } from '../../pipeline/element.ts';
import { growth, label, measured, UNITS, u64 } from '../measured.ts';
import { type InterfaceTraffic, NO_TRAFFIC, parseNetDev, type Traffic } from './net-dev.ts';

export type NetworkMetrics = Readonly<Record<keyof Traffic, number>>;

export const defineNetworkMetrics = (registry: MetricRegistry): NetworkMetrics => {
  const define = (
    name: string,
    what: string,
    unit: { readonly base: string; readonly prefix: string },
  ): number =>
    registry.define({ name, valueType: 'U64', unit, description: `Number of ${what} (rx/tx) per interface` });
  return {
    bytes: define('network_bytes', 'bytes', UNITS.byte),
    packets: define('network_packets', 'packets', UNITS.one),
    drops: define('network_packet_drops', 'dropped packets', UNITS.one),
    errors: define('network_errors', 'errors', UNITS.one),
  };
};

const ORDER = ['bytes', 'packets', 'drops', 'errors'] as const;

/** What passed between two readings. An interface that is new counts from nothing, one whose counters started anew too. */
export const networkPoints = (
  before: ReadonlyMap<string, InterfaceTraffic>,
  now: ReadonlyMap<string, InterfaceTraffic>,
  at: Timestamp,
  metrics: NetworkMetrics,
): readonly Point[] =>
  [...now].flatMap(([name, traffic]) =>
    (['rx', 'tx'] as const).flatMap((direction) => {
      const earlier = before.get(name)?.[direction] ?? NO_TRAFFIC;
      const restarted = traffic[direction].bytes < earlier.bytes;
      return ORDER.map((key) =>
        measured(at, metrics[key], u64(growth(restarted ? 0 : earlier[key], traffic[direction][key])), {
          attributes: [label('interface', name), label('direction', direction)],
        }),
      );
    }),
  );

/** Traffic of every network interface, from `/proc/net/dev`. The first poll only remembers. */
export const networkSource = (
  periodMillis: number,
  registry: MetricRegistry,
  file = '/proc/net/dev',
): Source => {
  const metrics = defineNetworkMetrics(registry);
  let before: ReadonlyMap<string, InterfaceTraffic> | undefined;
  return {
    name: 'procfs/network',
    kind: 'managed',
    periodMillis,
    open: async () => {
      readFileSync(file);
    },
    poll: (at) => {
      const now = parseNetDev(readFileSync(file, 'utf8'));
      const points = before === undefined ? [] : networkPoints(before, now, at, metrics);
      before = now;
      return points;
    },
    close: async () => undefined,
  };
};
