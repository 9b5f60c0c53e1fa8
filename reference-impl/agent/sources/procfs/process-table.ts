import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  type KernelUnits,
  type ProcessMemory,
  type ProcessStat,
  parseProcessStat,
  parseSmapsRollup,
  parseStatm,
} from './process-files.ts';

export type ProcessFilter = {
  readonly pid: number | undefined;
  readonly ppid: number | undefined;
  /** Of the path of its executable. */
  readonly exe: RegExp | undefined;
};

export type MemoryMode = 'quick' | 'slow_but_accurate';

/** Reads `/proc/<pid>`. Processes end while they are looked at, and some may not be looked into: both read as undefined. */
export class ProcessTable {
  readonly #root: string;
  readonly #units: KernelUnits;

  constructor(units: KernelUnits, root = '/proc') {
    this.#units = units;
    this.#root = root;
  }

  pids(): readonly number[] {
    return readdirSync(this.#root)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  }

  stat(pid: number): ProcessStat | undefined {
    const text = this.#text(pid, 'stat');
    return text === undefined ? undefined : parseProcessStat(text);
  }

  memory(pid: number, mode: MemoryMode, virtualBytes: number): ProcessMemory | undefined {
    if (mode === 'quick') {
      const text = this.#text(pid, 'statm');
      return text === undefined ? undefined : parseStatm(text, this.#units.pageBytes);
    }
    const text = this.#text(pid, 'smaps_rollup');
    return text === undefined ? undefined : parseSmapsRollup(text, virtualBytes);
  }

  matches({ pid, ppid, exe }: ProcessFilter, of: number, stat: ProcessStat): boolean {
    if ((pid !== undefined && pid !== of) || (ppid !== undefined && ppid !== stat.ppid)) return false;
    if (exe === undefined) return true;
    const path = this.#executable(of);
    return path !== undefined && exe.test(path);
  }

  #executable(pid: number): string | undefined {
    try {
      return readlinkSync(join(this.#root, String(pid), 'exe'));
    } catch {
      return undefined;
    }
  }

  #text(pid: number, file: string): string | undefined {
    try {
      return readFileSync(join(this.#root, String(pid), file), 'utf8');
    } catch {
      return undefined;
    }
  }
}
