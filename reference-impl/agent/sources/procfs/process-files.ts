/** From `/proc/<pid>/stat`; proc_pid_stat(5). Times in clock ticks. */
export type ProcessStat = {
  readonly ppid: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  /** undefined on old kernels. */
  readonly guestTicks: number | undefined;
  /** After boot: with the pid it tells one process from the next of that number. */
  readonly startTicks: number;
  readonly virtualBytes: number;
};

/** @returns undefined when this is no such file */
export const parseProcessStat = (text: string): ProcessStat | undefined => {
  // the name may hold spaces and parentheses: only its last one ends it
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = text
    .slice(end + 2)
    .trim()
    .split(' ')
    .map(Number);
  const field = (number: number): number | undefined => fields[number - 3];
  const [ppid, userTicks, systemTicks, startTicks] = [field(4), field(14), field(15), field(22)];
  if (ppid === undefined || userTicks === undefined || systemTicks === undefined || startTicks === undefined)
    return undefined;
  return { ppid, userTicks, systemTicks, guestTicks: field(43), startTicks, virtualBytes: field(23) ?? 0 };
};

/** In bytes. */
export type ProcessMemory = {
  readonly resident: number;
  readonly shared: number;
  readonly virtual: number;
  /** Each shared page divided by its users; only where `smaps_rollup` was read. */
  readonly proportional?: number;
};

/** `/proc/<pid>/statm`: pages. */
export const parseStatm = (text: string, pageBytes: number): ProcessMemory => {
  const [size = 0, resident = 0, shared = 0] = text.trim().split(' ').map(Number);
  return { resident: resident * pageBytes, shared: shared * pageBytes, virtual: size * pageBytes };
};

/** `/proc/<pid>/smaps_rollup`, which knows nothing of the virtual size. */
export const parseSmapsRollup = (text: string, virtualBytes: number): ProcessMemory => {
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return {
    resident: kilobytes('Rss'),
    shared: kilobytes('Shared_Clean') + kilobytes('Shared_Dirty'),
    virtual: virtualBytes,
    proportional: kilobytes('Pss'),
  };
};

/** What `/proc/self/auxv` tells of the machine; getauxval(3). */
export type KernelUnits = { readonly ticksPerSecond: number; readonly pageBytes: number };

const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

/** @param bytes pairs of 64-bit words in the machine's order, which every machine that runs Node has little-endian or this reads the defaults */
export const parseAuxv = (bytes: Uint8Array): KernelUnits => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<bigint, number>();
  for (let at = 0; at + 16 <= bytes.length; at += 16)
    entries.set(view.getBigUint64(at, true), Number(view.getBigUint64(at + 8, true)));
  return { ticksPerSecond: entries.get(AT_CLKTCK) ?? 100, pageBytes: entries.get(AT_PAGESZ) ?? 4096 };
};
