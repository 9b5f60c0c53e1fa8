import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RelayStats } from '../relay/relay-report.ts';

/** What is counted: name, help, and where it is in the snapshot. */
const GAUGES = {
  connections: 'Open connections',
  handshakes: 'Handshakes that run',
  waiting: 'Connections that wait for a handshake',
  listeners: 'Nodes that can be reached',
  halfTunnels: 'Connectors that wait to be accepted',
  tunnels: 'Tunnels that run',
  earlyBytes: 'Bytes held for connectors that wait',
} as const satisfies Partial<Record<keyof RelayStats, string>>;
const COUNTERS = {
  tunnelsTotal: 'Tunnels ever opened',
  messagesTotal: 'Messages forwarded',
  bytesTotal: 'Payload of forwarded messages',
} as const satisfies Partial<Record<keyof RelayStats, string>>;

const nameOf = (key: string): string =>
  `strelay_${key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)}`;
const keysOf = <Rows extends object>(rows: Rows): readonly (keyof Rows)[] =>
  Object.keys(rows) as (keyof Rows)[];

/** All metrics of a relay, read from its machine when somebody asks. */
export const relayRegistry = (stats: () => RelayStats): Registry => {
  const registry = new Registry();
  const registers = [registry];
  for (const key of keysOf(GAUGES))
    new Gauge({
      name: nameOf(key),
      help: GAUGES[key],
      registers,
      collect() {
        this.set(stats()[key]);
      },
    });
  for (const key of keysOf(COUNTERS))
    new Counter({
      name: nameOf(key),
      help: COUNTERS[key],
      registers,
      collect() {
        this.reset();
        this.inc(stats()[key]);
      },
    });
  new Counter({
    name: 'strelay_refusals_total',
    help: 'Connections turned away, by reason',
    labelNames: ['why'],
    registers,
    collect() {
      this.reset();
      for (const [why, count] of stats().refusals) this.inc({ why }, count);
    },
  });
  collectDefaultMetrics({ register: registry });
  return registry;
};
