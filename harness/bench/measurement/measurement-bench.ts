/** `npm run bench measurement`: measurements into each output over 1 and 8 connections, and memory under push-back. */
import { execFileSync } from 'node:child_process';
import { postgresFolder } from '../../../reference-impl/agent/outputs/throwaway-postgres.ts';
import { type BenchReport, runBench } from '../bench-run.ts';
import type { Contender } from '../contenders.ts';
import type { Measure, Measured } from '../measure.ts';
import * as contender from './ingest-contenders.ts';
import { ingest, type Senders, senders, standstill } from './ingest-measure.ts';
import { judgeMeasurement } from './measurement-goals.ts';

export type MeasurementSizes = {
  readonly rounds: number;
  /** Of what starts its programs anew. */
  readonly fewRounds: number;
  /** Of a turn. */
  readonly seconds: number;
  /** Of the turn that warms a server up. */
  readonly warmUpSeconds: number;
  /** For which the database stands still. */
  readonly standstillSeconds: number;
  readonly quick: boolean;
};

/** Under two minutes. */
export const QUICK: MeasurementSizes = {
  rounds: 6,
  fewRounds: 1,
  seconds: 0.35,
  warmUpSeconds: 1.5,
  standstillSeconds: 3,
  quick: true,
};
export const FULL: MeasurementSizes = {
  rounds: 12,
  fewRounds: 6,
  seconds: 1,
  warmUpSeconds: 4,
  standstillSeconds: 6,
  quick: false,
};

export type MeasurementBenchOptions = {
  /** Alumet's agent; undefined: its recorded figures stand beside ours. */
  readonly alumet: string | undefined;
  readonly sizes: MeasurementSizes;
  readonly seed: number;
  /** Measures by id (`ingest-1`, `ingest-8`, `standstill`); all when absent. */
  readonly only?: readonly string[];
  readonly say: (line: string) => void;
  /** Told of each measure when it is done. */
  readonly done?: (measure: Measured) => void;
};

const NO_ALUMET = 'not here: give its binary with --alumet; its recorded figures stand in the goals';
const ALUMET_UNSEEN =
  'it leaves a part of every burst undecoded, and without an output nobody sees how much; its recorded figure stands in the goals';
const NO_POSTGRES = 'PostgreSQL is not installed here';

/** Every measure in the order in which they are taken. */
const plan = (load: Senders, { alumet, sizes }: MeasurementBenchOptions): readonly Measure[] => {
  const { NAMES } = contender;
  const postgres = postgresFolder() === undefined ? [] : [contender.intoPostgres];
  const theirs: readonly Contender[] = alumet === undefined ? [] : [contender.alumetCsv(alumet)];
  const noPostgres = postgres.length === 0 ? { [NAMES.postgres]: NO_POSTGRES } : {};
  const noAlumet =
    alumet === undefined
      ? { [NAMES.alumet]: NO_ALUMET, [NAMES.alumetCsv]: NO_ALUMET }
      : { [NAMES.alumet]: ALUMET_UNSEEN };
  const { ceiling, intoNothing, intoCsv, intoSqlite } = contender;
  const { rounds, fewRounds, seconds, warmUpSeconds, standstillSeconds } = sizes;
  return [
    ...[1, 8].map((connections) =>
      ingest(load, {
        connections,
        contenders: [ceiling, intoNothing, intoCsv, intoSqlite, ...postgres, ...theirs],
        absent: { ...noPostgres, ...noAlumet },
        ...{ rounds, seconds, warmUpSeconds },
      }),
    ),
    standstill(load, {
      contenders: postgres,
      absent: noPostgres,
      ...{ rounds: fewRounds, seconds: standstillSeconds },
    }),
  ];
};

const versionOf = (binary: string): Readonly<Record<string, string>> => {
  try {
    const text = execFileSync(binary, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return { Alumet: /\d+\.\d+(\.\d+)*/.exec(text)?.[0] ?? text.trim() };
  } catch {
    // it runs or it does not: the rows will tell
    return {};
  }
};

/** @throws Error when one of our own programs cannot be started; a foreign one that breaks costs its rows only */
export const runMeasurementBench = async (options: MeasurementBenchOptions): Promise<BenchReport> => {
  const { sizes } = options;
  const load = senders();
  try {
    return await runBench({
      ...options,
      ...{ bench: 'measurement', quick: sizes.quick, rounds: sizes.rounds, judge: judgeMeasurement },
      plan: plan(load, options),
      versions: options.alumet === undefined ? {} : versionOf(options.alumet),
    });
  } finally {
    load.stop();
  }
};
