/** A bench from its plan to its report: every measure in turn, then the goals. */
import { cpus, release, totalmem } from 'node:os';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import type { JudgedGoal } from './goals.ts';
import { type Measure, type Measured, measured, Stage } from './measure.ts';

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

const machineFacts = (): BenchReport['machine'] => ({
  cpus: cpus().length,
  memoryBytes: totalmem(),
  system: `${process.platform} ${release()}`,
  node: process.version,
});

/** What distinguishes one bench from another. */
export type BenchRun = Pick<BenchReport, 'bench' | 'seed' | 'quick' | 'rounds' | 'versions'> & {
  /** Every measure in the order in which they are taken. */
  readonly plan: readonly Measure[];
  readonly judge: (measures: readonly Measured[]) => readonly JudgedGoal[];
  /** Measures by id; all when absent. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
  /** Told of each measure when it is done. */
  readonly done?: (measure: Measured) => void;
};

/** @throws Error when one of our own programs cannot be started; a foreign one that breaks costs its rows only */
export const runBench = async (run: BenchRun): Promise<BenchReport> => {
  const { bench, seed, quick, rounds, versions, plan, judge, only, say, done } = run;
  const began = new Date();
  const rng = rngFor(seed, 'bench');
  const stage = new Stage();
  const measures: Measured[] = [];
  try {
    for (const measure of plan) {
      if (only !== undefined && !only.includes(measure.id)) continue;
      const found = await measured(measure, stage, rng, say);
      measures.push(found);
      done?.(found);
    }
  } finally {
    await stage.close();
  }
  return {
    ...{ bench, seed, quick, rounds, versions, measures },
    began: began.toISOString(),
    seconds: (Date.now() - began.getTime()) / 1000,
    machine: machineFacts(),
    goals: judge(measures),
  };
};
