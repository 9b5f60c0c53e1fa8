/** `npm run bench relay`: takes every measure of the plan, then judges the goals. */
import { type BenchReport, runBench } from './bench-run.ts';
import type { Measured } from './measure.ts';
import { type FoundPeers, versionsOf } from './peers.ts';
import { plan, type Sizes } from './plan.ts';
import { judgeRelay } from './relay-goals.ts';

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
export const runRelayBench = (options: RelayBenchOptions): Promise<BenchReport> => {
  const { peers, sizes, ...asked } = options;
  return runBench({
    ...asked,
    ...{ bench: 'relay', quick: sizes.nearestOnly, rounds: sizes.rounds, judge: judgeRelay },
    plan: plan(peers, sizes),
    versions: versionsOf(peers),
  });
};
