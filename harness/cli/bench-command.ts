/** `relaylab bench`: speed beside others. Goals are observations, so a bench that ran ends with 0, whatever it found. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { renderBenchPage } from '../bench/bench-page.ts';
import { measureLines, renderBenchEnd } from '../bench/bench-terminal.ts';
import { findPeers, type PeerFlags } from '../bench/peers.ts';
import { FULL, QUICK } from '../bench/plan.ts';
import { runRelayBench } from '../bench/relay-bench.ts';
import { colourWanted, utf8Wanted } from '../report/paint.ts';
import { seed as readSeed, UsageError } from './usage.ts';

type BenchFlags = PeerFlags & {
  readonly quick: boolean;
  readonly seed?: number;
  readonly only?: readonly string[];
  readonly rounds?: number;
  /** Binary of Alumet's agent. */
  readonly alumet?: string;
  /** Binary of Offset's strelay. */
  readonly offset?: string;
  readonly reports: string;
};

const newSeed = (): number => Date.now() & 0xffffff;

/** Writes report.json and report.html of a bench. @returns the page, from where the command was given */
const writeReport = (
  report: { readonly bench: string; readonly began: string; readonly seed: number },
  page: string,
  { reports }: BenchFlags,
): string => {
  const stamp = report.began.replace(/[-:]|\.\d+/g, '');
  const folder = join(reports, 'bench', report.bench, `${stamp}-${report.seed.toString(16)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const file = join(folder, 'report.html');
  writeFileSync(file, page);
  return relative(process.cwd(), file);
};

const say = (line: string): void => console.error(`relaylab: ${line}`);

const terminal = () => ({
  colour: colourWanted(process.env, process.stdout.isTTY === true),
  utf8: utf8Wanted(process.env),
});

const benchRelay = async (flags: BenchFlags): Promise<void> => {
  const seed = flags.seed ?? newSeed();
  const standard = flags.quick ? QUICK : FULL;
  const sizes = flags.rounds === undefined ? standard : { ...standard, rounds: flags.rounds };
  const report = await runRelayBench({
    peers: findPeers(flags, process.env.PATH ?? ''),
    sizes,
    seed,
    ...(flags.only === undefined ? {} : { only: flags.only }),
    say,
    done: (measure) => console.log(`${measureLines(measure).join('\n')}\n`),
  });
  const page = writeReport(report, renderBenchPage(report), flags);
  console.log(renderBenchEnd(report, terminal(), page));
};

const benchPostcard = async (flags: BenchFlags): Promise<void> => {
  // its rivals are installed in a checkout only
  const { builtNative, runCodecBench } = await import('../bench/postcard/codec-bench.ts');
  const { FULL: full, QUICK: quick } = await import('../bench/postcard/codec-plan.ts');
  const { renderCodecPage } = await import('../bench/postcard/codec-page.ts');
  const { raceLines, renderCodecEnd } = await import('../bench/postcard/codec-terminal.ts');
  const { drawBennyTables } = await import('../bench/postcard/benny-tables.ts');
  const standard = flags.quick ? quick : full;
  const sizes = flags.rounds === undefined ? standard : { ...standard, rounds: flags.rounds };
  const only = flags.only?.map((letter) => letter.toUpperCase());
  const unknown = only?.find((letter) => !/^[A-E]$/.test(letter));
  if (unknown !== undefined) throw new UsageError(`unknown workload '${unknown}'. There are: A, B, C, D, E.`);
  const report = await runCodecBench({
    ...{ sizes, seed: flags.seed ?? newSeed(), native: builtNative(), say },
    ...(only === undefined ? {} : { only }),
    done: (race) => console.log(raceLines(race).join('\n')),
  });
  if (only === undefined || only.includes('A')) await drawBennyTables(sizes);
  const page = writeReport(report, renderCodecPage(report), flags);
  console.log(renderCodecEnd(report, terminal(), page));
};

const benchMeasurement = async (flags: BenchFlags): Promise<void> => {
  // its agent's database driver is loaded by nobody else
  const {
    FULL: full,
    QUICK: quick,
    runMeasurementBench,
  } = await import('../bench/measurement/measurement-bench.ts');
  const standard = flags.quick ? quick : full;
  const report = await runMeasurementBench({
    sizes: flags.rounds === undefined ? standard : { ...standard, rounds: flags.rounds },
    ...{ alumet: flags.alumet, seed: flags.seed ?? newSeed(), say },
    ...(flags.only === undefined ? {} : { only: flags.only }),
    done: (measure) => console.log(`${measureLines(measure).join('\n')}\n`),
  });
  const page = writeReport(report, renderBenchPage(report), flags);
  console.log(renderBenchEnd(report, terminal(), page));
};

const benchIdentity = async (flags: BenchFlags): Promise<void> => {
  const { FULL: full, QUICK: quick, runIdentityBench } = await import('../bench/identity/identity-bench.ts');
  const standard = flags.quick ? quick : full;
  const report = await runIdentityBench({
    sizes: flags.rounds === undefined ? standard : { ...standard, rounds: flags.rounds },
    ...{ offset: flags.offset, seed: flags.seed ?? newSeed(), say },
    ...(flags.only === undefined ? {} : { only: flags.only }),
    done: (measure) => console.log(`${measureLines(measure).join('\n')}\n`),
  });
  const page = writeReport(report, renderBenchPage(report), flags);
  console.log(renderBenchEnd(report, terminal(), page));
};

/** Benches by name. */
const BENCHES: Readonly<Record<string, (flags: BenchFlags) => Promise<void>>> = {
  relay: benchRelay,
  postcard: benchPostcard,
  measurement: benchMeasurement,
  identity: benchIdentity,
};

const bench = async (name: string, flags: BenchFlags): Promise<void> => {
  const run = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (run === undefined)
    throw new UsageError(`unknown bench '${name}'. There are: ${Object.keys(BENCHES).join(', ')}.`);
  await run(flags);
};

const hex = (text: string): number => {
  try {
    return readSeed(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

const rounds = (text: string): number => {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 to 999');
  return Number(text);
};

/** Puts `bench` on the command line. */
export const addBenchCommand = (program: Command): void => {
  program
    .command('bench')
    .description('measure speed beside other programs, and judge the goals')
    .argument('<name>', `one of: ${Object.keys(BENCHES).join(', ')}`)
    .option(
      '--quick',
      'the nearest rivals (postcard: whom goals name), short rounds: relay, measurement and identity under two minutes, postcard under one',
      false,
    )
    .option(
      '--only <ids>',
      'these measures (workloads A to E of postcard) only, with commas between',
      (text: string) => text.split(','),
    )
    .option('--rounds <n>', 'interleaved rounds of each measure', rounds)
    .option('--seed <hex>', 'draws the order of the turns', hex)
    .option('--offset <path>', "binary of Offset's strelay, for identity")
    .option('--alumet <path>', 'binary of the Alumet agent, for measurement')
    .option('--go-relay <path>', 'binary of the Go relay')
    .option('--haproxy <path>', 'binary of HAProxy (default: on PATH)')
    .option('--socat <path>', 'binary of socat (default: on PATH)')
    .option('--toxiproxy <path>', 'binary of toxiproxy-server (default: on PATH)')
    .option('--reports <folder>', 'where reports go', 'reports')
    .action(bench);
};
