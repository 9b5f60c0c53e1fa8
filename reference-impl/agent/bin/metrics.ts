import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { PointCounts } from '../pipeline/element.ts';
import type { PipelineStats } from '../pipeline/pipeline.ts';

type Row<Kind extends keyof PipelineStats> = PipelineStats[Kind][number];

/** What became of points at each end of a relay: never a point unaccounted for. */
const relayMetrics = (registry: Registry, stats: () => PipelineStats): void => {
  const each = (
    of: (counts: PointCounts) => Readonly<Record<string, number>>,
    set: (element: string, label: string, points: number) => void,
  ): void => {
    for (const { name, ...counts } of stats().relays)
      for (const [label, points] of Object.entries(of(counts))) set(name, label, points);
  };
  const registers = [registry];
  new Counter({
    name: 'relay_agent_relay_points_total',
    help: 'Points of a relay client or server that came to this state; sent counts repetitions',
    labelNames: ['element', 'state'],
    registers,
    collect() {
      this.reset();
      each(
        ({ total }) => total,
        (element, state, points) => this.inc({ element, state }, points),
      );
    },
  });
  new Gauge({
    name: 'relay_agent_relay_held_points',
    help: 'Points that a relay client or server has and has not delivered',
    labelNames: ['element', 'state'],
    registers,
    collect() {
      this.reset();
      each(
        ({ held }) => held,
        (element, state, points) => this.set({ element, state }, points),
      );
    },
  });
  new Counter({
    name: 'relay_agent_relay_dropped_points_total',
    help: 'Points that a relay client or server has dropped, by why',
    labelNames: ['element', 'why'],
    registers,
    collect() {
      this.reset();
      each(
        ({ dropped }) => dropped,
        (element, why, points) => this.inc({ element, why }, points),
      );
    },
  });
};

/** The agent's metrics about itself, read from its pipeline when somebody asks. Measurements are the prometheus plugin's matter. */
export const agentRegistry = (stats: () => PipelineStats): Registry => {
  const registry = new Registry();
  const registers = [registry];
  const metric = <Kind extends keyof PipelineStats>(
    kind: Kind,
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    read: (row: Row<Kind>) => number,
  ): void => {
    const labelNames = ['element'];
    if (type === 'gauge')
      new Gauge({
        name: `relay_agent_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const row of stats()[kind]) this.set({ element: row.name }, read(row));
        },
      });
    else
      new Counter({
        name: `relay_agent_${name}_total`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const row of stats()[kind]) this.inc({ element: row.name }, read(row));
        },
      });
  };
  metric('sources', 'counter', 'source_polls', 'Polls of a source', ({ polls }) => polls);
  metric(
    'sources',
    'counter',
    'source_missed_polls',
    'Polls left out: the one before took too long or was held back',
    ({ missed }) => missed,
  );
  metric('sources', 'counter', 'source_failures', 'Polls that failed', ({ failures }) => failures);
  metric('sources', 'counter', 'source_points', 'Points measured', ({ points }) => points);
  metric('sources', 'gauge', 'source_running', '1: it is polled; 0: paused or stopped', ({ state }) =>
    state === 'running' ? 1 : 0,
  );
  metric(
    'sources',
    'gauge',
    'source_period_seconds',
    'Time between two polls',
    ({ periodMillis }) => periodMillis / 1000,
  );
  metric('outputs', 'counter', 'output_batches', 'Batches written', ({ batches }) => batches);
  metric('outputs', 'counter', 'output_points', 'Points written', ({ points }) => points);
  metric(
    'outputs',
    'gauge',
    'output_waiting_batches',
    'Batches that wait to be written',
    ({ waiting }) => waiting,
  );
  metric('outputs', 'gauge', 'output_running', '1: it writes; 0: paused, stopped or failed', ({ state }) =>
    state === 'running' ? 1 : 0,
  );
  relayMetrics(registry, stats);
  collectDefaultMetrics({ register: registry });
  return registry;
};
