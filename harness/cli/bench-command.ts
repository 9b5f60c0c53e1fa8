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
  readonly reports: string;
};

/** Benches by name. */
const BENCHES = ['relay'] as const;

const bench = async (name: string, flags: BenchFlags): Promise<void> => {
  if (!BENCHES.some((known) => known === name))
    throw new UsageError(`unknown bench '${name}'. There are: ${BENCHES.join(', ')}.`);
  const seed = flags.seed ?? Date.now() & 0xffffff;
  const standard = flags.quick ? QUICK : FULL;
  const sizes = flags.rounds === undefined ? standard : { ...standard, rounds: flags.rounds };
  const report = await runRelayBench({
    peers: findPeers(flags, process.env.PATH ?? ''),
    sizes,
    seed,
    ...(flags.only === undefined ? {} : { only: flags.only }),
    say: (line) => console.error(`relaylab: ${line}`),
    done: (measure) => console.log(`${measureLines(measure).join('\n')}\n`),
  });
  const stamp = report.began.replace(/[-:]|\.\d+/g, '');
  const folder = join(flags.reports, 'bench', name, `${stamp}-${seed.toString(16)}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  const page = join(folder, 'report.html');
  writeFileSync(page, renderBenchPage(report));
  const paint = {
    colour: colourWanted(process.env, process.stdout.isTTY === true),
    utf8: utf8Wanted(process.env),
  };
  console.log(renderBenchEnd(report, paint, relative(process.cwd(), page)));
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
    .argument('<name>', `one of: ${BENCHES.join(', ')}`)
    .option('--quick', 'under two minutes: the nearest rivals, short rounds', false)
    .option('--only <ids>', 'these measures only, with commas between', (text: string) => text.split(','))
    .option('--rounds <n>', 'interleaved rounds of each measure', rounds)
    .option('--seed <hex>', 'draws the order of the turns', hex)
    .option('--go-relay <path>', 'binary of the Go relay')
    .option('--haproxy <path>', 'binary of HAProxy (default: on PATH)')
    .option('--socat <path>', 'binary of socat (default: on PATH)')
    .option('--toxiproxy <path>', 'binary of toxiproxy-server (default: on PATH)')
    .option('--reports <folder>', 'where reports go', 'reports')
    .action(bench);
};
