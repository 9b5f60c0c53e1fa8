import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A counter of consumed energy, as the kernel's powercap framework shows it. */
export type PowerZone = {
  readonly domain: RaplDomain;
  /** Number of the CPU package; 0 for the whole platform. */
  readonly packageId: number;
  readonly energyFile: string;
  /** The counter starts anew behind this, in microjoules. */
  readonly energyMax: number;
};

export const RAPL_DOMAINS = ['package', 'pp0', 'pp1', 'dram', 'platform'] as const;
export type RaplDomain = (typeof RAPL_DOMAINS)[number];

/** Where Linux shows RAPL. */
export const POWERCAP = '/sys/devices/virtual/powercap/intel-rapl';

/** `package-0` -> package; `core`, `uncore`, `dram` lie in a package, `psys` beside. undefined: nothing we know. */
export const domainOf = (name: string): RaplDomain | undefined => {
  if (name.startsWith('package-')) return 'package';
  const domains: Readonly<Record<string, RaplDomain>> = {
    core: 'pp0',
    uncore: 'pp1',
    dram: 'dram',
    psys: 'platform',
  };
  return Object.hasOwn(domains, name) ? domains[name] : undefined;
};

const textOf = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8').trim();

/** Every zone below a folder; none where the machine has no RAPL. @throws Error EACCES where it may not be read */
export const powerZones = (folder = POWERCAP, packageId = 0): readonly PowerZone[] => {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((entry) => entry.startsWith('intel-rapl'))
    .sort()
    .flatMap((entry) => {
      const path = join(folder, entry);
      if (!existsSync(join(path, 'name'))) return [];
      const name = textOf(path, 'name');
      const domain = domainOf(name);
      const id = domain === 'package' ? Number(name.slice('package-'.length)) : packageId;
      const own: readonly PowerZone[] =
        domain === undefined
          ? []
          : [
              {
                domain,
                packageId: id,
                energyFile: join(path, 'energy_uj'),
                energyMax: Number(textOf(path, 'max_energy_range_uj')),
              },
            ];
      return [...own, ...powerZones(path, id)];
    });
};

/** Energy between two readings of a counter that may have started anew in between. @returns joules */
export const joulesBetween = (before: number, now: number, energyMax: number): number =>
  (now >= before ? now - before : now + energyMax - before) * 1e-6;
