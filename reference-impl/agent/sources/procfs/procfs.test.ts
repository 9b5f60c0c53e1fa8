import t from 'tap';
import { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { described } from '../../testing/described.ts';
import { defineKernelMetrics, kernelPoints } from './kernel-source.ts';
import { metricNameOf, parseMeminfo } from './meminfo.ts';
import { parseNetDev } from './net-dev.ts';
import { defineNetworkMetrics, networkPoints } from './network-source.ts';
import { parseProcStat } from './proc-stat.ts';
import { parseAuxv, parseProcessStat, parseSmapsRollup, parseStatm } from './process-files.ts';
import { defineProcessMetrics, type ProcessReading, processPoints } from './process-points.ts';

const AT = { secs: 1_700_000_000, nanos: 5 };

const STAT = (
  user: number,
  idle: number,
  switches: number,
): string => `cpu  ${user * 2} 10 100 ${idle * 2} 7 0 30 5 0 0
cpu0 ${user} 5 50 ${idle} 3 0 15 2 0 0
cpu2 ${user} 5 50 ${idle} 4 0 15 3 0 0
intr 1000 0 9 0
ctxt ${switches}
btime 1700000000
processes ${switches / 10}
procs_running 3
procs_blocked 1
softirq 5 0 1
`;

t.test('/proc/stat is read by core, without iowait', async (t) => {
  const { total, cores, contextSwitches, forks, running, blocked } = parseProcStat(STAT(200, 900, 5_000));
  t.same(total, {
    user: 400,
    nice: 10,
    system: 100,
    idle: 1800,
    irq: 0,
    softirq: 30,
    steal: 5,
    guest: 0,
    guest_nice: 0,
  });
  t.same([...cores.keys()], [0, 2], 'cores may be missing');
  t.same([contextSwitches, forks, running, blocked], [5_000, 500, 3, 1]);
  t.same(parseProcStat('cpu  1 2 3 4\n').total, { user: 1, nice: 2, system: 3, idle: 4 }, 'an old kernel');
});

t.test('kernel points are differences, in milliseconds, under the names of Alumet', async (t) => {
  const registry = new MetricRegistry();
  const metrics = defineKernelMetrics(registry);
  const points = kernelPoints(
    parseProcStat(STAT(200, 900, 5_000)),
    parseProcStat(STAT(210, 895, 5_100)),
    AT,
    metrics,
    100,
  ).map((point) => described(point, registry));
  t.equal(points.length, 3 * 9 + 4);
  t.ok(points.includes('kernel_cpu_time=200 local_machine/ local_machine/ cpu_state=user'));
  t.ok(points.includes('kernel_cpu_time=100 cpu_core/2 local_machine/ cpu_state=user'));
  t.ok(
    points.includes('kernel_cpu_time=0 cpu_core/0 local_machine/ cpu_state=idle'),
    'a counter that went back',
  );
  t.same(points.slice(-4), [
    'kernel_context_switches=100 local_machine/ local_machine/',
    'kernel_new_forks=10 local_machine/ local_machine/',
    'kernel_n_procs_running=3 local_machine/ local_machine/',
    'kernel_n_procs_blocked=1 local_machine/ local_machine/',
  ]);
  t.match(registry.named('kernel_cpu_time'), { valueType: 'U64', unit: { base: 's', prefix: 'milli' } });
});

t.test('/proc/meminfo is read in bytes, counts of pages as they are', async (t) => {
  const entries = parseMeminfo(
    'MemTotal:       16096352 kB\nActive(anon):        5 kB\nHugePages_Total:       7\n\n',
  );
  t.same(
    [...entries],
    [
      ['MemTotal', 16_096_352 * 1024],
      ['Active(anon)', 5 * 1024],
      ['HugePages_Total', 7],
    ],
  );
});

t.test('entries of meminfo get the names of Alumet', async (t) => {
  for (const [entry, name] of [
    ['MemTotal', 'mem_total'],
    ['SwapCached', 'swap_cached'],
    ['Active', 'active'],
    ['Active(anon)', 'active(anon)'],
    ['SReclaimable', 's_reclaimable'],
    ['NFS_Unstable', 'nfs_unstable'],
    ['Committed_AS', 'committed_as'],
    ['DirectMap4k', 'direct_map4k'],
  ] as const)
    t.equal(metricNameOf(entry), name);
});

const NET = (
  lo: number,
  eth: string,
): string => `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  ${lo}      10    0    0    0     0          0         0  ${lo}      10    0    0    0     0       0          0
${eth}`;
const ETH = 'eth0:1: 500 5 1 2 0 0 0 0 900 9 3 4 0 0 0 0\n';

t.test('/proc/net/dev is read by interface, also where no space follows the colon', async (t) => {
  t.same([...parseNetDev(NET(1_000, 'eth0:500 5 1 2 0 0 0 0 900 9 3 4 0 0 0 0\n'))].at(-1), [
    'eth0',
    {
      rx: { bytes: 500, packets: 5, errors: 1, drops: 2 },
      tx: { bytes: 900, packets: 9, errors: 3, drops: 4 },
    },
  ]);
  t.ok(parseNetDev(NET(1_000, ETH)).has('eth0:1'), 'an alias');
});

t.test(
  'network points are differences; a new interface and one that began anew count from nothing',
  async (t) => {
    const registry = new MetricRegistry();
    const metrics = defineNetworkMetrics(registry);
    const points = (before: string, now: string): readonly string[] =>
      networkPoints(parseNetDev(before), parseNetDev(now), AT, metrics).map((point) =>
        described(point, registry),
      );
    const grown = points(NET(1_000, ''), NET(1_500, ETH));
    t.equal(grown.length, 2 * 2 * 4);
    t.equal(grown[0], 'network_bytes=500 local_machine/ local_machine/ interface=lo direction=rx');
    t.ok(
      grown.includes('network_packet_drops=4 local_machine/ local_machine/ interface=eth0:1 direction=tx'),
    );
    t.equal(
      points(NET(1_000, ''), NET(300, ''))[0],
      'network_bytes=300 local_machine/ local_machine/ interface=lo direction=rx',
    );
  },
);

const PROCESS = (name: string): string =>
  `42 (${name}) S 7 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 12345 8192000 300 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 9 0 0 0 0 0 0 0 0 0\n`;

t.test("a process' name may hold anything", async (t) => {
  const expected = {
    ppid: 7,
    userTicks: 250,
    systemTicks: 50,
    guestTicks: 9,
    startTicks: 12_345,
    virtualBytes: 8_192_000,
  };
  for (const name of ['cat', 'a b', ') (', '((x))', '1 2 3'])
    t.same(parseProcessStat(PROCESS(name)), expected, name);
  t.equal(parseProcessStat(''), undefined, 'it ended while it was read');
  t.equal(parseProcessStat('42 (cat) Z 7'), undefined, 'cut short');
});

t.test('memory of a process comes from statm or smaps_rollup', async (t) => {
  t.same(parseStatm('2000 300 100 5 0 400 0\n', 4096), {
    virtual: 8_192_000,
    resident: 1_228_800,
    shared: 409_600,
  });
  const rollup =
    '55-66 ---p 00000000 00:00 0 [rollup]\nRss:                1200 kB\nPss:                 700 kB\nPss_Dirty: 5 kB\nShared_Clean:        390 kB\nShared_Dirty:         10 kB\n';
  t.same(parseSmapsRollup(rollup, 8_192_000), {
    ...{ virtual: 8_192_000, resident: 1_228_800, shared: 409_600 },
    proportional: 716_800,
  });
});

t.test('points of a process: memory now, CPU time since last time, percent of all cores', async (t) => {
  const registry = new MetricRegistry();
  const metrics = defineProcessMetrics(registry);
  const rig = { units: { ticksPerSecond: 100, pageBytes: 4096 }, cores: 2 };
  const reading = (userTicks: number, systemTicks: number, millis: number): ProcessReading => ({
    stat: { ...{ ppid: 1, startTicks: 5, virtualBytes: 0, guestTicks: 0 }, userTicks, systemTicks },
    memory: { resident: 10, shared: 5, virtual: 20 },
    millis,
  });
  const points = (before: ProcessReading | undefined, now: ProcessReading): readonly string[] =>
    processPoints(42, before, now, AT, metrics, rig).map((point) => described(point, registry));
  t.same(points(undefined, reading(250, 50, 0)), [
    'memory_usage=10 local_machine/ process/42 kind=resident',
    'memory_usage=5 local_machine/ process/42 kind=shared',
    'memory_usage=20 local_machine/ process/42 kind=virtual',
    'cpu_time_delta=2500000000 local_machine/ process/42 kind=user',
    'cpu_time_delta=500000000 local_machine/ process/42 kind=system',
    'cpu_time_delta=0 local_machine/ process/42 kind=guest',
  ]);
  t.same(points(reading(250, 50, 1_000), reading(350, 100, 3_000)).slice(3), [
    'cpu_time_delta=1000000000 local_machine/ process/42 kind=user',
    'cpu_time_delta=500000000 local_machine/ process/42 kind=system',
    'cpu_time_delta=0 local_machine/ process/42 kind=guest',
    'cpu_percent=25 local_machine/ process/42 kind=user',
    'cpu_percent=12.5 local_machine/ process/42 kind=system',
    'cpu_percent=37.5 local_machine/ process/42 kind=total',
  ]);
});

t.test('ticks and pages come from the auxiliary vector, or are what they mostly are', async (t) => {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 6n, true);
  view.setBigUint64(8, 65_536n, true);
  view.setBigUint64(16, 17n, true);
  view.setBigUint64(24, 250n, true);
  t.same(parseAuxv(bytes), { ticksPerSecond: 250, pageBytes: 65_536 });
  t.same(parseAuxv(new Uint8Array()), { ticksPerSecond: 100, pageBytes: 4_096 });
});
