import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { ConfigTable } from '../../config/config-table.ts';
import type { Source } from '../../pipeline/element.ts';
import { agentContext } from '../../testing/agent-context.ts';
import { described } from '../../testing/described.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { defineProcessMetrics } from './process-points.ts';
import { ProcessGroups, processSource } from './process-source.ts';
import { ProcessTable } from './process-table.ts';
import { procfsPlugin } from './procfs-plugin.ts';

const LINUX = { skip: process.platform === 'linux' ? false : 'there is no /proc' };

t.test('this machine is measured under the names of Alumet', LINUX, async (t) => {
  const clock = new ManualClock();
  const context = agentContext({ clock });
  const elements = await procfsPlugin.create(procfsPlugin.read(new ConfigTable('', {})), context);
  const sources = elements.flatMap((element) =>
    element.type === 'source' && element.source.kind === 'managed' ? [element.source as Source] : [],
  );
  t.same(
    sources.map(({ name, periodMillis }) => `${name} ${periodMillis}`),
    ['procfs/kernel 5000', 'procfs/memory 5000', 'procfs/network 5000', 'procfs/processes 2000'],
  );
  const metrics = new Map<string, Set<string>>();
  for (const source of sources) {
    await source.open();
    await source.poll(clock.timestamp());
    await clock.turn(1_000);
    for (const point of await source.poll(clock.timestamp())) {
      const [metric = ''] = described(point, context.registry).split('=');
      metrics.set(
        metric,
        (metrics.get(metric) ?? new Set()).add(`${point.resource_kind} ${point.consumer_kind}`),
      );
    }
    await source.close();
  }
  const machine = ['local_machine local_machine'];
  t.same([...(metrics.get('kernel_cpu_time') ?? [])], [...machine, 'cpu_core local_machine']);
  for (const name of ['mem_total', 'mem_available', 'mapped', 'network_bytes', 'network_packet_drops'])
    t.same([...(metrics.get(name) ?? [])], machine, name);
  for (const name of ['memory_usage', 'cpu_time_delta', 'cpu_percent'])
    t.same([...(metrics.get(name) ?? [])], ['local_machine process'], name);
});

/** A `/proc` of our own, to let processes come, end and be replaced. */
const proc = () => {
  const root = mkdtempSync(join(tmpdir(), 'proc-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return {
    root,
    run: (pid: number, { exe = '/bin/x', ppid = 1, start = 5, ticks = 0 } = {}): void => {
      const folder = join(root, String(pid));
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      writeFileSync(
        join(folder, 'stat'),
        `${pid} (x) S ${ppid} 0 0 0 0 0 0 0 0 0 ${ticks} 0 0 0 0 0 0 0 ${start} 0 0`,
      );
      writeFileSync(join(folder, 'statm'), '10 5 2 0 0 0 0');
      symlinkSync(exe, join(folder, 'exe'));
    },
    end: (pid: number): void => rmSync(join(root, String(pid)), { recursive: true, force: true }),
  };
};
const UNITS = { ticksPerSecond: 100, pageBytes: 4096 };
const NO_FILTER = { pid: undefined, ppid: undefined, exe: undefined };

t.test(
  'a process belongs to the first group that takes it, and a new process of its number is looked at anew',
  async (t) => {
    const { root, run, end } = proc();
    run(10, { exe: '/usr/bin/node' });
    run(11, { ppid: 10 });
    run(12);
    const groups = new ProcessGroups(
      new ProcessTable(UNITS, root),
      [
        { ...NO_FILTER, exe: /node$/u },
        { ...NO_FILTER, ppid: 10 },
        { ...NO_FILTER, pid: 12 },
      ],
      1_000,
    );
    const found = (now: number): readonly (readonly number[])[] =>
      [0, 1, 2].map((group) => groups.of(group, now));
    t.same(found(0), [[10], [11], [12]]);
    end(10);
    run(11, { exe: '/opt/node', start: 6 });
    run(12, { exe: '/opt/node' });
    t.same(found(999), [[10], [11], [12]], 'not looked at yet');
    t.same(found(1_000), [[11], [], [12]], 'the same process stays where it was');
  },
);

t.test('a process that ends is left out, a new one of its number counts from its own start', async (t) => {
  const { root, run, end } = proc();
  const registry = new MetricRegistry();
  const clock = new ManualClock();
  const table = new ProcessTable(UNITS, root);
  const source = processSource(
    'procfs/processes',
    { periodMillis: 1_000, flushMillis: 0, memoryMode: 'quick' },
    () => [10, 11],
    { table, metrics: defineProcessMetrics(registry), clock, units: UNITS, cores: 1 },
  );
  const user = async (): Promise<readonly string[]> =>
    (await source.poll(clock.timestamp()))
      .map((point) => described(point, registry))
      .filter((line) => line.startsWith('cpu_time_delta') && line.endsWith('user'));
  run(10, { ticks: 100 });
  run(11, { ticks: 100 });
  t.equal((await user()).length, 2);
  await clock.turn(1_000);
  end(11);
  run(10, { ticks: 150 });
  t.same(await user(), ['cpu_time_delta=500000000 local_machine/ process/10 kind=user']);
  run(10, { ticks: 30, start: 900 });
  t.same(await user(), ['cpu_time_delta=300000000 local_machine/ process/10 kind=user']);
});

t.test('exec and watch are measured alone where the strategy is event', LINUX, async (t) => {
  const clock = new ManualClock();
  const context = agentContext({ clock, watched: new Set([process.pid]) });
  const config = procfsPlugin.read(new ConfigTable('', { processes: { strategy: 'event' } }));
  const elements = await procfsPlugin.create(
    {
      ...config,
      kernel: { ...config.kernel, enabled: false },
      network: { ...config.network, enabled: false },
      memory: { ...config.memory, enabled: false },
    },
    context,
  );
  t.equal(elements.length, 1);
  const [element] = elements;
  if (element?.type !== 'source' || element.source.kind !== 'managed') throw new Error('no source');
  const points = await element.source.poll(clock.timestamp());
  t.same([...new Set(points.map(({ consumer_id: id }) => id))], [String(process.pid)]);
  const [, resident] = readFileSync('/proc/self/statm', 'utf8').split(' ');
  const told = points.find(({ attributes }) => attributes.some(([, { value }]) => value === 'resident'))
    ?.value.value;
  t.ok(Math.abs(Number(told) / (Number(resident) * 4096) - 1) < 0.5, `${told} bytes, ${resident} pages`);
});
