/** `npm run bench identity`: handshakes, messages through one tunnel and fifty, idle nodes, and clients that hinder. */
import { type BenchReport, runBench } from '../bench-run.ts';
import type { Measure, Measured } from '../measure.ts';
import { judgeIdentity, SIZES } from './identity-goals.ts';
import { handshakes, hindered, type IdentityLoad, identityLoad, idle, messages } from './identity-measure.ts';
import { cryptoAlone, NAMES, offset, overTls, own } from './relay-contenders.ts';

export type IdentitySizes = {
  readonly rounds: number;
  /** Of what starts its programs anew. */
  readonly fewRounds: number;
  /** Of a turn. */
  readonly millis: number;
  /** Of the turn that warms a relay up. */
  readonly warmUpMillis: number;
  readonly quick: boolean;
};

/** Under two minutes. */
export const QUICK: IdentitySizes = {
  rounds: 6,
  fewRounds: 1,
  millis: 300,
  warmUpMillis: 1_500,
  quick: true,
};
export const FULL: IdentitySizes = {
  rounds: 12,
  fewRounds: 3,
  millis: 1_000,
  warmUpMillis: 3_000,
  quick: false,
};

export type IdentityBenchOptions = {
  /** Offset's strelay; undefined: its recorded figures stand in the goals. */
  readonly offset: string | undefined;
  readonly sizes: IdentitySizes;
  readonly seed: number;
  /** Measures by id (`handshakes`, `messages-1k-1`, `messages-64k-50`, `idle`, `hindered`); all when absent. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
  /** Told of each measure when it is done. */
  readonly done?: (measure: Measured) => void;
};

const NO_OFFSET = 'not here: give its binary with --offset; its recorded figures stand in the goals';

/** Every measure in the order in which they are taken. */
const plan = (load: IdentityLoad, options: IdentityBenchOptions): readonly Measure[] => {
  const { rounds, fewRounds, millis, warmUpMillis } = options.sizes;
  const theirs = options.offset === undefined ? [] : [offset(options.offset)];
  const absent = options.offset === undefined ? { [NAMES.offset]: NO_OFFSET } : {};
  const all = { contenders: [own, ...theirs, overTls], absent, rounds, millis, warmUpMillis };
  return [
    // before anybody has worked: the memory of that would stay
    idle(load, { contenders: [own, ...theirs], absent, rounds: fewRounds }),
    handshakes(load, all),
    ...SIZES.map((size) => messages(load, size, { ...all, contenders: [...all.contenders, cryptoAlone] })),
    hindered(load, { contenders: [own], absent: {}, rounds }),
  ];
};

/** @throws Error when one of our own programs cannot be started; a foreign one that breaks costs its rows only */
export const runIdentityBench = async (options: IdentityBenchOptions): Promise<BenchReport> => {
  const { sizes } = options;
  const load = identityLoad();
  try {
    return await runBench({
      ...options,
      ...{ bench: 'identity', quick: sizes.quick, rounds: sizes.rounds, judge: judgeIdentity },
      plan: plan(load, options),
      versions: {},
    });
  } finally {
    load.stop();
  }
};
