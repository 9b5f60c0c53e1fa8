import t from 'tap';
import { MetricRegistry } from '../../measurement-relay/metrics.ts';
import { described } from '../testing/described.ts';
import { defineSystemMetrics, readSystem, type SystemReading, systemPoints } from './system-plugin.ts';

t.test('CPU time is told by core from the second reading on, all else at once', async (t) => {
  const registry = new MetricRegistry();
  const metrics = defineSystemMetrics(registry);
  const reading = (user: number): SystemReading => ({
    cores: [{ user, nice: 0, sys: 5, idle: 100, irq: 0 }],
    ...{ totalBytes: 1_000, freeBytes: 400, load: 0.5, uptimeSeconds: 9 },
  });
  const lines = (before: SystemReading | undefined, now: SystemReading): readonly string[] =>
    systemPoints(before, now, { secs: 1, nanos: 0 }, metrics).map((point) => described(point, registry));
  t.same(lines(undefined, reading(10)), [
    'system_memory_total=1000 local_machine/ local_machine/',
    'system_memory_free=400 local_machine/ local_machine/',
    'system_load_1m=0.5 local_machine/ local_machine/',
    'system_uptime=9 local_machine/ local_machine/',
  ]);
  t.equal(lines(reading(10), reading(40))[0], 'system_cpu_time=30 cpu_core/0 local_machine/ cpu_state=user');
});

t.test('this machine can be read', async (t) => {
  const { cores, totalBytes, freeBytes } = readSystem();
  t.ok(cores.length > 0 && totalBytes > freeBytes && freeBytes > 0);
});
