import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { AgentError, reasonOf } from '../../agent-error.ts';
import type { ConfigTable } from '../../config/config-table.ts';
import type { Source } from '../../pipeline/element.ts';
import type { AgentContext, Plugin } from '../../plugin.ts';
import { kernelSource } from './kernel-source.ts';
import { memorySource } from './memory-source.ts';
import { networkSource } from './network-source.ts';
import { type KernelUnits, parseAuxv } from './process-files.ts';
import { defineProcessMetrics } from './process-points.ts';
import { type ProcessGroup, ProcessGroups, type ProcessPolling, processSource } from './process-source.ts';
import { type ProcessFilter, ProcessTable } from './process-table.ts';

type Polled = { readonly enabled: boolean; readonly periodMillis: number };

export type ProcfsConfig = {
  readonly kernel: Polled;
  readonly memory: Polled & { readonly entries: readonly string[] };
  readonly network: Polled;
  readonly processes: {
    readonly enabled: boolean;
    readonly refreshMillis: number;
    readonly strategy: 'watcher' | 'event';
    readonly groups: readonly ProcessGroup[];
    readonly events: ProcessPolling;
  };
};

const DEFAULTS = `# CPU time by state, of the machine and of each core; context switches, forks, processes that run or are blocked.
[plugins.procfs.kernel]
enabled = true
poll_interval = "5s"

[plugins.procfs.memory]
enabled = true
poll_interval = "5s"
# Entries of /proc/meminfo, by the kernel's names.
metrics = ["MemTotal", "MemFree", "MemAvailable", "Cached", "SwapCached", "Active", "Inactive", "Mapped"]

# Traffic of each interface.
[plugins.procfs.network]
enabled = true
poll_interval = "5s"

# Memory and CPU time of processes.
[plugins.procfs.processes]
enabled = true
# How often to look for new processes.
refresh_interval = "2s"
# "watcher": all processes that a group takes; "event": those of relay-agent exec and watch only.
strategy = "watcher"

# A process belongs to the first group that takes it: by pid, ppid, and exe_regex on the path of its executable.
[[plugins.procfs.processes.groups]]
exe_regex = ""
poll_interval = "2s"
# Points of several polls are handed on together, at the latest after this time.
flush_interval = "4s"
# "quick" or "slow_but_accurate" (smaps_rollup; wants the right to trace other users' processes)
memory_mode = "quick"

[plugins.procfs.processes.events]
poll_interval = "1s"
flush_interval = "4s"
memory_mode = "quick"
`;

const PERIOD = { moreThanZero: true } as const;
const PID = { least: 1, most: 2 ** 31 - 1 } as const;
const ENTRIES = [
  'MemTotal',
  'MemFree',
  'MemAvailable',
  'Cached',
  'SwapCached',
  'Active',
  'Inactive',
  'Mapped',
];

const polled = (table: ConfigTable): Polled => ({
  enabled: table.boolean('enabled', true),
  periodMillis: table.duration('poll_interval', '5s', PERIOD),
});

const polling = (table: ConfigTable, period: string): ProcessPolling => ({
  periodMillis: table.duration('poll_interval', period, PERIOD),
  flushMillis: table.duration('flush_interval', '4s'),
  memoryMode: table.choice('memory_mode', ['quick', 'slow_but_accurate'], 'quick'),
});

const filterOf = (table: ConfigTable): ProcessFilter => {
  const regex = table.optionalString('exe_regex');
  let exe: RegExp | undefined;
  try {
    exe = regex === undefined || regex === '' ? undefined : new RegExp(regex, 'u');
  } catch (error) {
    throw table.error('exe_regex', 'CONFIG_VALUE', 'a regular expression', reasonOf(error));
  }
  return {
    pid: table.has('pid') ? table.integer('pid', PID) : undefined,
    ppid: table.has('ppid') ? table.integer('ppid', PID) : undefined,
    exe,
  };
};

const readProcesses = (table: ConfigTable): ProcfsConfig['processes'] => {
  const groups = table
    .tables('groups')
    .map((group) => ({ filter: filterOf(group), ...polling(group, '2s') }));
  const anyProcess = { filter: { pid: undefined, ppid: undefined, exe: undefined } };
  return {
    enabled: table.boolean('enabled', true),
    refreshMillis: table.duration('refresh_interval', '2s', PERIOD),
    strategy: table.choice('strategy', ['watcher', 'event'], 'watcher'),
    groups: table.has('groups')
      ? groups
      : [{ ...anyProcess, periodMillis: 2_000, flushMillis: 4_000, memoryMode: 'quick' }],
    events: polling(table.table('events'), '1s'),
  };
};

const kernelUnits = (): KernelUnits => {
  try {
    return parseAuxv(readFileSync('/proc/self/auxv'));
  } catch (error) {
    throw new AgentError({
      code: 'PROCFS_MISSING',
      where: '/proc',
      expected: 'the proc file system of Linux',
      got: reasonOf(error),
      hint: 'use the plugin system on other machines',
      cause: error,
    });
  }
};

const processSources = (
  config: ProcfsConfig['processes'],
  { registry, clock, watched }: AgentContext,
  units: KernelUnits,
): readonly Source[] => {
  if (!config.enabled) return [];
  const table = new ProcessTable(units);
  const metrics = defineProcessMetrics(registry);
  const rig = { table, metrics, clock, units, cores: availableParallelism() };
  if (config.strategy === 'event')
    return [processSource('procfs/processes', config.events, () => watched, rig)];
  const groups = new ProcessGroups(
    table,
    config.groups.map(({ filter }) => filter),
    config.refreshMillis,
  );
  return config.groups.map((group, index) =>
    processSource(
      index === 0 ? 'procfs/processes' : `procfs/processes-${index + 1}`,
      group,
      () => groups.of(index, clock.now()),
      rig,
    ),
  );
};

/** Measurements of Linux' `/proc`: kernel, memory, network, processes; named as Alumet names them. */
export const procfsPlugin: Plugin<ProcfsConfig, AgentContext> = {
  name: 'procfs',
  defaults: DEFAULTS,
  read: (table) => {
    const memory = table.table('memory');
    return {
      kernel: polled(table.table('kernel')),
      memory: { ...polled(memory), entries: memory.strings('metrics', ENTRIES) },
      network: polled(table.table('network')),
      processes: readProcesses(table.table('processes')),
    };
  },
  create: ({ kernel, memory, network, processes }, context) => {
    const units = kernelUnits();
    const { registry } = context;
    const sources: readonly Source[] = [
      ...(kernel.enabled ? [kernelSource(kernel.periodMillis, registry, units.ticksPerSecond)] : []),
      ...(memory.enabled ? [memorySource(memory.periodMillis, memory.entries, registry)] : []),
      ...(network.enabled ? [networkSource(network.periodMillis, registry)] : []),
      ...processSources(processes, context, units),
    ];
    return sources.map((source) => ({ type: 'source', source }));
  },
};
