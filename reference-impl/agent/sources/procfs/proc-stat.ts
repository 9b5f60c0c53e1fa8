/** What `/proc/stat` says; see proc_stat(5). Times in clock ticks. */
export type KernelStats = {
  readonly total: CpuTimes;
  /** By core number. */
  readonly cores: ReadonlyMap<number, CpuTimes>;
  readonly contextSwitches: number;
  readonly forks: number;
  readonly running: number | undefined;
  readonly blocked: number | undefined;
};

/** In the order of the file. `iowait` is in the file too and left out: proc_stat(5) calls it unreliable. */
export const CPU_STATES = [
  'user',
  'nice',
  'system',
  'idle',
  'irq',
  'softirq',
  'steal',
  'guest',
  'guest_nice',
] as const;
export type CpuState = (typeof CPU_STATES)[number];
/** Old kernels have fewer. */
export type CpuTimes = { readonly [State in CpuState]?: number };

/** Fields of a `cpu` line behind its name. */
const COLUMNS = [
  'user',
  'nice',
  'system',
  'idle',
  undefined,
  'irq',
  'softirq',
  'steal',
  'guest',
  'guest_nice',
] as const;

const timesOf = (fields: readonly string[]): CpuTimes =>
  Object.fromEntries(
    COLUMNS.flatMap((state, index) => {
      const text = fields[index];
      return state === undefined || text === undefined ? [] : [[state, Number(text)]];
    }),
  );

export const parseProcStat = (text: string): KernelStats => {
  let total: CpuTimes = {};
  const cores = new Map<number, CpuTimes>();
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', ...fields] = line.split(/ +/);
    const core = /^cpu(\d*)$/.exec(name)?.[1];
    if (core === '') total = timesOf(fields);
    else if (core !== undefined) cores.set(Number(core), timesOf(fields));
    else if (fields[0] !== undefined) counts.set(name, Number(fields[0]));
  }
  return {
    total,
    cores,
    contextSwitches: counts.get('ctxt') ?? 0,
    forks: counts.get('processes') ?? 0,
    running: counts.get('procs_running'),
    blocked: counts.get('procs_blocked'),
  };
};
