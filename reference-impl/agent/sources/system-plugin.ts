import { cpus, freemem, loadavg, totalmem, uptime } from 'node:os';
import type { Point, Timestamp } from '../../measurement-relay/messages.ts';
import type { MetricRegistry, Unit, ValueType } from '../../measurement-relay/metrics.ts';
import type { Plugin } from '../plugin.ts';
import { cpuCore, f64, growth, label, measured, UNITS, u64 } from './measured.ts';

/** What a machine of any kind tells about itself: `node:os`. */
export type SystemReading = {
  /** By core; times in milliseconds since its start. */
  readonly cores: readonly Readonly<Record<'user' | 'nice' | 'sys' | 'idle' | 'irq', number>>[];
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly load: number;
  readonly uptimeSeconds: number;
};

export const readSystem = (): SystemReading => ({
  cores: cpus().map(({ times }) => times),
  totalBytes: totalmem(),
  freeBytes: freemem(),
  load: loadavg()[0] ?? 0,
  uptimeSeconds: uptime(),
});

export type SystemMetrics = Readonly<Record<'cpuTime' | 'total' | 'free' | 'load' | 'uptime', number>>;

export const defineSystemMetrics = (registry: MetricRegistry): SystemMetrics => {
  const define = (name: string, valueType: ValueType, unit: Unit, description: string): number =>
    registry.define({ name, valueType, unit, description });
  return {
    cpuTime: define(
      'system_cpu_time',
      'U64',
      UNITS.millisecond,
      'CPU time by state since the previous measurement',
    ),
    total: define('system_memory_total', 'U64', UNITS.byte, 'Memory of the machine'),
    free: define('system_memory_free', 'U64', UNITS.byte, 'Memory nobody uses'),
    load: define('system_load_1m', 'F64', UNITS.one, 'Load average of the last minute; 0 on Windows'),
    uptime: define('system_uptime', 'F64', UNITS.second, 'Time since the machine started'),
  };
};

const STATES = { user: 'user', nice: 'nice', sys: 'system', idle: 'idle', irq: 'irq' } as const;

/** @param before undefined: the first reading has no CPU time yet */
export const systemPoints = (
  before: SystemReading | undefined,
  now: SystemReading,
  at: Timestamp,
  metrics: SystemMetrics,
): readonly Point[] => [
  ...now.cores.flatMap((times, core) => {
    const earlier = before?.cores[core];
    if (earlier === undefined) return [];
    return (Object.keys(STATES) as (keyof typeof STATES)[]).map((state) =>
      measured(at, metrics.cpuTime, u64(Math.round(growth(earlier[state], times[state]))), {
        resource: cpuCore(core),
        attributes: [label('cpu_state', STATES[state])],
      }),
    );
  }),
  measured(at, metrics.total, u64(now.totalBytes)),
  measured(at, metrics.free, u64(now.freeBytes)),
  measured(at, metrics.load, f64(now.load)),
  measured(at, metrics.uptime, f64(now.uptimeSeconds)),
];

/** CPU, memory, load and uptime on every platform that Node runs on. */
export const systemPlugin: Plugin<{ readonly periodMillis: number }> = {
  name: 'system',
  defaults: `# CPU time by core, memory, load, uptime; on every platform.
poll_interval = "5s"
`,
  read: (table) => ({ periodMillis: table.duration('poll_interval', '5s', { moreThanZero: true }) }),
  create: ({ periodMillis }, { registry }) => {
    const metrics = defineSystemMetrics(registry);
    let before: SystemReading | undefined;
    return [
      {
        type: 'source',
        source: {
          name: 'system/os',
          kind: 'managed',
          periodMillis,
          open: async () => undefined,
          poll: (at) => {
            const now = readSystem();
            const points = systemPoints(before, now, at, metrics);
            before = now;
            return points;
          },
          close: async () => undefined,
        },
      },
    ];
  },
};
