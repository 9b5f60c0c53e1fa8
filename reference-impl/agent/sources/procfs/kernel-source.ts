import { readFileSync } from 'node:fs';
import type { Point, Timestamp } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import type { Source } from '../../pipeline/element.ts';
import { cpuCore, growth, label, MACHINE, measured, UNITS, u64, type Whose } from '../measured.ts';
import { CPU_STATES, type CpuTimes, type KernelStats, parseProcStat } from './proc-stat.ts';

export type KernelMetrics = Readonly<
  Record<'cpuTime' | 'contextSwitches' | 'forks' | 'running' | 'blocked', number>
>;

export const defineKernelMetrics = (registry: MetricRegistry): KernelMetrics => {
  const count = (name: string, description: string): number =>
    registry.define({ name, valueType: 'U64', unit: UNITS.one, description });
  return {
    cpuTime: registry.define({
      name: 'kernel_cpu_time',
      valueType: 'U64',
      unit: UNITS.millisecond,
      description: 'busy CPU time',
    }),
    contextSwitches: count('kernel_context_switches', 'number of context switches'),
    forks: count('kernel_new_forks', 'number of fork operations'),
    running: count('kernel_n_procs_running', 'number of processes in a runnable state'),
    blocked: count('kernel_n_procs_blocked', 'number of processes that are blocked on I/O operations'),
  };
};

/** What happened between two readings. */
export const kernelPoints = (
  before: KernelStats,
  now: KernelStats,
  at: Timestamp,
  metrics: KernelMetrics,
  ticksPerSecond: number,
): readonly Point[] => {
  const times = (whose: Whose, earlier: CpuTimes, later: CpuTimes): readonly Point[] =>
    CPU_STATES.flatMap((state) => {
      const [from, to] = [earlier[state], later[state]];
      if (from === undefined || to === undefined) return [];
      const millis = Math.round((growth(from, to) * 1000) / ticksPerSecond);
      return [
        measured(at, metrics.cpuTime, u64(millis), {
          resource: whose,
          attributes: [label('cpu_state', state)],
        }),
      ];
    });
  const perCore = [...now.cores].flatMap(([core, later]) => {
    const earlier = before.cores.get(core);
    return earlier === undefined ? [] : times(cpuCore(core), earlier, later);
  });
  const optional = (metric: number, value: number | undefined): readonly Point[] =>
    value === undefined ? [] : [measured(at, metric, u64(value))];
  return [
    ...times(MACHINE, before.total, now.total),
    ...perCore,
    measured(at, metrics.contextSwitches, u64(growth(before.contextSwitches, now.contextSwitches))),
    measured(at, metrics.forks, u64(growth(before.forks, now.forks))),
    ...optional(metrics.running, now.running),
    ...optional(metrics.blocked, now.blocked),
  ];
};

/** CPU time and scheduling of the whole machine, from `/proc/stat`. The first poll only remembers. */
export const kernelSource = (
  periodMillis: number,
  registry: MetricRegistry,
  ticksPerSecond: number,
  file = '/proc/stat',
): Source => {
  const metrics = defineKernelMetrics(registry);
  let before: KernelStats | undefined;
  return {
    name: 'procfs/kernel',
    kind: 'managed',
    periodMillis,
    open: async () => {
      readFileSync(file);
    },
    poll: (at) => {
      const now = parseProcStat(readFileSync(file, 'utf8'));
      const points = before === undefined ? [] : kernelPoints(before, now, at, metrics, ticksPerSecond);
      before = now;
      return points;
    },
    close: async () => undefined,
  };
};
