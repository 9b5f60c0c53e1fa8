import type { Point, Timestamp } from '../../../measurement-relay/messages.ts';
import type { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { f64, growth, label, measured, processWith, UNITS, u64 } from '../measured.ts';
import type { KernelUnits, ProcessMemory, ProcessStat } from './process-files.ts';

export type ProcessMetrics = Readonly<Record<'memory' | 'cpuTime' | 'cpuPercent', number>>;

export const defineProcessMetrics = (registry: MetricRegistry): ProcessMetrics => ({
  memory: registry.define({
    name: 'memory_usage',
    valueType: 'U64',
    unit: UNITS.byte,
    description: 'Memory usage',
  }),
  cpuTime: registry.define({
    name: 'cpu_time_delta',
    valueType: 'U64',
    unit: UNITS.nanosecond,
    description: 'Time spent executing on the CPU since the previous measurement',
  }),
  cpuPercent: registry.define({
    name: 'cpu_percent',
    valueType: 'F64',
    unit: UNITS.percent,
    description: 'CPU usage percent',
  }),
});

/** What was read of a process at one time. */
export type ProcessReading = {
  readonly stat: ProcessStat;
  readonly memory: ProcessMemory;
  /** Of a clock that never goes back. */
  readonly millis: number;
};

const MEMORY_KINDS = ['proportional', 'resident', 'shared', 'virtual'] as const;

/**
 * Memory now, CPU time since the reading before (without one: since its start), and the share of all cores, which needs one before.
 */
export const processPoints = (
  pid: number,
  before: ProcessReading | undefined,
  { stat, memory, millis }: ProcessReading,
  at: Timestamp,
  metrics: ProcessMetrics,
  { units, cores }: { readonly units: KernelUnits; readonly cores: number },
): readonly Point[] => {
  const consumer = processWith(pid);
  const point = (metric: number, value: Point['value'], kind: string): Point =>
    measured(at, metric, value, { consumer, attributes: [label('kind', kind)] });
  const nanosPerTick = 1e9 / units.ticksPerSecond;
  const spent = (earlier: number | undefined, now: number): number =>
    Math.round(growth(earlier ?? 0, now) * nanosPerTick);
  const user = spent(before?.stat.userTicks, stat.userTicks);
  const system = spent(before?.stat.systemTicks, stat.systemTicks);
  const guest = stat.guestTicks === undefined ? undefined : spent(before?.stat.guestTicks, stat.guestTicks);
  const passed = before === undefined ? 0 : (millis - before.millis) * 1e6 * cores;
  const percent = (nanos: number): Point['value'] => f64((100 * nanos) / passed);
  return [
    ...MEMORY_KINDS.flatMap((kind) => {
      const bytes = memory[kind];
      return bytes === undefined ? [] : [point(metrics.memory, u64(bytes), kind)];
    }),
    point(metrics.cpuTime, u64(user), 'user'),
    point(metrics.cpuTime, u64(system), 'system'),
    ...(guest === undefined ? [] : [point(metrics.cpuTime, u64(guest), 'guest')]),
    ...(passed > 0
      ? [
          point(metrics.cpuPercent, percent(user), 'user'),
          point(metrics.cpuPercent, percent(system), 'system'),
          point(metrics.cpuPercent, percent(user + system), 'total'),
        ]
      : []),
  ];
};
