/** `npm run bench relay`: takes every measure of the plan, then judges the goals. */
import { cpus, release, totalmem } from 'node:os';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { JudgedGoal } from './goals.ts';
import { type Measure, type Measured, measured, Stage } from './measure.ts';
import { type FoundPeers, versionsOf } from './peers.ts';
import { plan, type Sizes } from './plan.ts';
import { judgeRelay } from './relay-goals.ts';

/** What a bench found: report.json is this, and terminal and page are printed from it. */
export type BenchReport = {
  readonly bench: 'relay' | 'measurement' | 'identity';
  readonly seed: number;
  /** Only the nearest rivals, in few and short rounds. */
  readonly quick: boolean;
  /** ISO 8601. */
  readonly began: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly machine: {
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly system: string;
    readonly node: string;
  };
  /** Versions of foreign programs that tell theirs. */
  readonly versions: Readonly<Record<string, string>>;
  readonly goals: readonly JudgedGoal[];
  readonly measures: readonly Measured[];
};

/** Where a bench ran. */
export const machineFacts = (): BenchReport['machine'] => ({
  cpus: cpus().length,
  memoryBytes: totalmem(),
  system: `${process.platform} ${release()}`,
  node: process.version,
});

export type RelayBenchOptions = {
  readonly peers: FoundPeers;
  readonly sizes: Sizes;
  readonly seed: number;
  /** Measures by id; all when absent. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
  /** Told of each measure when it is done. */
  readonly done?: (measure: Measured) => void;
};

/** @throws Error when one of our own programs cannot be started; a foreign one that breaks costs its rows only */
export const runRelayBench = async (options: RelayBenchOptions): Promise<BenchReport> => {
  const { peers, sizes, seed, only, say } = options;
  const began = new Date();
  const chosen = plan(peers, sizes).filter(({ id }) => only === undefined || only.includes(id));
  const rng = rngFor(seed, 'bench');
  const stage = new Stage();
  const measures: Measured[] = [];
  const take = async (measure: Measure): Promise<void> => {
    const found = await measured(measure, stage, rng, say);
    measures.push(found);
    options.done?.(found);
  };
  try {
    for (const measure of chosen) await take(measure);
  } finally {
    await stage.close();
  }
  return {
    bench: 'relay',
    seed,
    quick: sizes.nearestOnly,
    began: began.toISOString(),
    seconds: (Date.now() - began.getTime()) / 1000,
    rounds: sizes.rounds,
    machine: machineFacts(),
    versions: versionsOf(peers),
    goals: judgeRelay(measures),
    measures,
  };
};
