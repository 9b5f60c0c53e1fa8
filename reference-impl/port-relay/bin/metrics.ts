import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RelayMode, RelayStats } from '../relay/relay-report.ts';

/** All metrics of a relay, read from its machine when somebody asks. */
export const relayRegistry = (stats: () => RelayStats): Registry => {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const gauge = (name: string, help: string, read: (stats: RelayStats) => number): void => {
    new Gauge({
      name: `relay_${name}`,
      help,
      registers,
      collect() {
        this.set(read(stats()));
      },
    });
  };
  const counter = (name: string, help: string, read: (stats: RelayStats) => number): void => {
    new Counter({
      name: `relay_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(stats()));
      },
    });
  };
  gauge('connections', 'Open connections, control and public', (now) => now.connections);
  gauge('pooled_connections', 'Pooled connections that wait for a user', (now) => now.pooled);
  gauge('waiting_users', 'Users that wait for a connection of their client', (now) => now.waiting);
  gauge('tunnels', 'Tunnels that run', (now) => now.tunnels);
  gauge('early_bytes', 'Bytes held for connections that wait', (now) => now.earlyBytes);
  counter('tunnels', 'Tunnels ever opened', (now) => now.tunnelsTotal);
  counter('up_bytes', 'Payload of ended tunnels from users', (now) => now.upBytesTotal);
  counter('down_bytes', 'Payload of ended tunnels to users', (now) => now.downBytesTotal);
  new Gauge({
    name: 'relay_registrations',
    help: 'Public ports in use',
    labelNames: ['mode'],
    registers,
    collect() {
      const { registrations } = stats();
      for (const mode of Object.keys(registrations) as RelayMode[]) this.set({ mode }, registrations[mode]);
    },
  });
  new Counter({
    name: 'relay_refusals_total',
    help: 'Connections turned away',
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
