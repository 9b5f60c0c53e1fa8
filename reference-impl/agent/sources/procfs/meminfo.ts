/** "For meminfo, kB means KiB": proc_meminfo(5). */
const BYTES_OF: Readonly<Record<string, number>> = { kB: 1024, mB: 1024 ** 2, gB: 1024 ** 3 };

/** `/proc/meminfo` in bytes, by the kernel's names. Counts of pages (`HugePages_Total`) are counts. */
export const parseMeminfo = (text: string): ReadonlyMap<string, number> => {
  const entries = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value, unit] = /^([^:]+):\s+(\d+)(?:\s+(\w+))?/.exec(line) ?? [];
    if (name !== undefined)
      entries.set(name, Number(value) * (unit === undefined ? 1 : (BYTES_OF[unit] ?? 1)));
  }
  return entries;
};

/** `MemAvailable` -> `mem_available`, `NFS_Unstable` -> `nfs_unstable`, `SReclaimable` -> `s_reclaimable`: as Alumet names them. */
export const metricNameOf = (entry: string): string =>
  (entry.includes('_') ? entry : entry.replace(/(?<=[A-Za-z])[A-Z]/g, '_$&')).toLowerCase();
