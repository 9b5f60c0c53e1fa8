/** `npm run bench postcard`: runs the workloads, then judges the goals. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rngFor } from '../../../reference-impl/machine/rng.ts';
import { type JudgedCodecGoal, judgeCodec } from './codec-goals.ts';
import { type CodecSizes, codecPlan } from './codec-plan.ts';
import { type Raced, raced } from './race.ts';

/** What a bench found: report.json is this, and terminal and page are printed from it. */
export type CodecReport = {
  readonly bench: 'postcard';
  readonly seed: number;
  /** Only the races and rivals that goals name, in few rounds. */
  readonly quick: boolean;
  /** Workloads, when not all were asked for. */
  readonly only: readonly string[] | undefined;
  /** ISO 8601. */
  readonly began: string;
  readonly seconds: number;
  readonly rounds: number;
  /** Of all processes; the rounds are spread over them. */
  readonly starts: number;
  /** Points of a message. */
  readonly points: number;
  readonly machine: {
    readonly cpus: number;
    readonly model: string;
    readonly memoryBytes: number;
    readonly system: string;
    readonly node: string;
    readonly v8: string;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly goals: readonly JudgedCodecGoal[];
  readonly races: readonly Raced[];
};

export type CodecBenchOptions = {
  readonly sizes: CodecSizes;
  readonly seed: number;
  /** The native program; undefined when it was not built. */
  readonly native: string | undefined;
  /** Workloads by letter; all when absent. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
  /** Told of each race when it is done. */
  readonly done?: (race: Raced) => void;
};

const LIBRARIES = [
  ...['msgpackr', 'cbor-x', '@msgpack/msgpack', 'protobufjs', '@bufbuild/protobuf', 'avsc', 'bson', 'cobs'],
  '@variegated-coffee/serde-postcard-ts',
];
const PEERS = fileURLToPath(new URL('../../../ci/peers/', import.meta.url));

/** Where the native program is, if it was built. */
export const builtNative = (): string | undefined => {
  const file = join(PEERS, 'built', 'postcard-rust');
  return existsSync(file) ? file : undefined;
};

const manifestVersion = (name: string): string | undefined => {
  const require = createRequire(import.meta.url);
  // not every library exports its manifest: climb from its entry to it
  for (const base of require.resolve.paths(name) ?? []) {
    const file = join(base, name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  }
  return undefined;
};

/** Versions of who is compared: of the libraries here, and of the crates that the native program was told to take. */
export const versionsOf = (native: string | undefined): Readonly<Record<string, string>> => {
  const npm = LIBRARIES.flatMap((name) => {
    const version = manifestVersion(name);
    return version === undefined ? [] : [[name, version] as const];
  });
  const manifest = join(PEERS, 'postcard-rust', 'Cargo.toml');
  const crates =
    native === undefined || !existsSync(manifest)
      ? []
      : [...readFileSync(manifest, 'utf8').matchAll(/^(postcard|cobs|serde) = .*?"=([\d.]+)"/gm)].map(
          ([, name, version]) => [`${name} (Rust)`, version ?? ''] as const,
        );
  return Object.fromEntries([...npm, ...crates]);
};

/** @throws Error where the rivals are not installed: they come with a checkout, not with the package */
const mustHaveRivals = (): void => {
  const missing = LIBRARIES.filter((name) => manifestVersion(name) === undefined);
  if (missing.length > 0)
    throw new Error(
      `bench postcard compares with ${missing.join(', ')}, which only a checkout of the project installs: run it there`,
    );
};

/** @throws Error when a contender does not start, or reads something else than it wrote */
export const runCodecBench = async (options: CodecBenchOptions): Promise<CodecReport> => {
  const { sizes, seed, only, native, say, done } = options;
  mustHaveRivals();
  const began = new Date();
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-postcard-'));
  const rng = rngFor(seed, 'bench');
  const races: Raced[] = [];
  try {
    for (const workload of codecPlan({ program: native, folder }, sizes)) {
      if (only !== undefined && !only.includes(workload.id)) continue;
      say(`workload ${workload.id}: ${workload.races[0]?.title.toLowerCase() ?? ''}`);
      for (const race of await raced(workload, sizes, rng)) {
        races.push(race);
        done?.(race);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return {
    ...{ bench: 'postcard', seed, quick: sizes.nearestOnly, only, began: began.toISOString() },
    seconds: (Date.now() - began.getTime()) / 1000,
    ...{ rounds: sizes.rounds, starts: sizes.starts, points: sizes.points },
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model.trim() ?? 'unknown',
      memoryBytes: totalmem(),
      system: `${process.platform} ${release()}`,
      node: process.version,
      v8: process.versions.v8,
    },
    versions: versionsOf(native),
    goals: judgeCodec(races),
    races,
  };
};
