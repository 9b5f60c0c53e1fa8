#!/usr/bin/env node
/** The command line of the lab. Exit codes: harness/verdict/verdict.ts, explained in README.md. */
import { Command, CommanderError, InvalidArgumentError, type Option } from 'commander';
import { CLAUSES } from '../conformance/clauses/registry.ts';
import { DEFECTS } from '../conformance/mutants/defects.ts';
import { LAB_CHOICES, LINK_CHOICES } from '../labs/choose.ts';
import { isPostgres, mistakeIn } from '../labs/database-url.ts';
import { EXIT } from '../verdict/verdict.ts';
import { addBaselineCommand } from './baseline-command.ts';
import { addBenchCommand } from './bench-command.ts';
import { addConformanceCommand } from './conformance-command.ts';
import { explain } from './explain-command.ts';
import { judgeTrace } from './judge-command.ts';
import { type LinksFlags, links } from './links-command.ts';
import { runScenario, type ScenarioFlags } from './scenario-command.ts';
import { loadScenario, scenarioNames } from './scenario-files.ts';
import { type Flag, refuseSwallowed } from './swallowed.ts';
import { tellBroken } from './tell.ts';
import { oneOf, seed, UsageError, unknown, whole } from './usage.ts';
import { VERSION } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 pass, 1 fail, 2 usage, 3 the lab itself broke, 4 inconclusive,
5 a baseline is out of date, 130 interrupted.`;

/** Commander wants its own kind of error for a bad value. */
const parsed =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UsageError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };

/** Flags that cannot go together. @throws UsageError */
const refuseContradictions = (flags: ScenarioFlags): void => {
  const { lab, links, relayExec, defect, keep, seeds, agentExec, serverExec, db } = flags;
  if (links === 'packet' && lab !== 'docker' && lab !== 'auto')
    throw new UsageError(`the ${lab} lab has no packets: use --lab docker, or --links stream.`);
  if (relayExec !== undefined && lab === 'sim')
    throw new UsageError(
      '--relay-exec starts a program, and the sim lab has none: use --lab local or --lab docker.',
    );
  if ((agentExec ?? serverExec ?? db) !== undefined && lab === 'sim')
    throw new UsageError(
      '--agent-exec, --server-exec and --db are about programs, and the sim lab has none: use --lab local or --lab docker.',
    );
  const mistake = db === undefined ? undefined : mistakeIn(db);
  if (mistake !== undefined) throw new UsageError(`--db: ${mistake}.`);
  if (db !== undefined && serverExec !== undefined && isPostgres(db) && !serverExec.includes('{db}'))
    throw new UsageError('--server-exec needs {db} in its command to know the database of --db.');
  if (db !== undefined && serverExec?.includes('{csv}'))
    throw new UsageError('--server-exec writes its points to {csv}: leave out --db, or name {db} instead.');
  if (relayExec !== undefined && defect !== undefined)
    throw new UsageError('--defect is a switch of our own relay, and --relay-exec runs another one.');
  if (defect !== undefined && lab === 'sim' && DEFECTS[defect]?.labs === 'real')
    throw new UsageError(
      `--defect ${defect} ends the process of the relay: use --lab local or --lab docker.`,
    );
  if (keep && lab === 'sim')
    throw new UsageError(
      '--keep leaves hosts running, and the sim lab has none: use --lab local or --lab docker.',
    );
  if (keep && seeds > 1) throw new UsageError('--keep is for one run: leave out --seeds.');
};

const program = new Command('relaylab')
  .description('A reference relay, and the lab that proves any other relay against it.')
  .version(VERSION)
  .showHelpAfterError('(--help says more)')
  .addHelpText('after', EXIT_CODES)
  .exitOverride();

program
  .command('scenario')
  .description('run a scenario and judge it')
  .argument('<name>', `one of: ${scenarioNames().join(', ')}; or a file of your own`)
  .option(
    '--lab <lab>',
    'where hosts run: auto, sim, local, docker or netns (root)',
    parsed(oneOf('lab', LAB_CHOICES)),
    'auto',
  )
  .option(
    '--links <form>',
    'what links act on: stream, packet (Docker lab), or auto: packets where the lab can',
    parsed(oneOf('links', LINK_CHOICES)),
    'stream',
  )
  .option('--seed <hex>', 'decides everything that is drawn; printed in every report', parsed(seed))
  .option(
    '--seeds <n>',
    'this many seeds, one after the other, a line each',
    parsed(whole('--seeds', 1, 100_000)),
    1,
  )
  .option('--sites <n>', 'how many sites behind NATs', parsed(whole('--sites', 1, 100_000)))
  .option('--clients <n>', 'relay clients a site', parsed(whole('--clients', 1, 10_000)))
  .option('--users <n>', 'users outside', parsed(whole('--users', 0, 10_000)))
  .option('--agents <n>', 'measurement agents a site', parsed(whole('--agents', 0, 10_000)))
  .option('--identity <n>', 'nodes addressed by key a site', parsed(whole('--identity', 0, 500)))
  .option('--duration <s>', 'length of the timeline in seconds', parsed(whole('--duration', 1, 86_400)))
  .option(
    '--relay-exec <command>',
    "judge this relay instead of ours; {port} is its control port: './my-relay {port}'",
  )
  .option(
    '--agent-exec <command>',
    "measure with this agent instead of ours; it reports to {host}:{port} as {name}: './my-agent {host} {port} {name}'",
  )
  .option(
    '--server-exec <command>',
    "store with this measurement server instead of ours; it listens on {port} and writes to {csv} in Alumet's columns, or to {db} in relay-agent's tables: './my-server {port} {csv}'",
  )
  .option(
    '--db <database>',
    'where points are stored: postgres://... or an SQLite file (default: one of its own)',
  )
  .option(
    '--defect <name>',
    'switch on a defect of our own relay, to see a check bite (relaylab list names them)',
    parsed(oneOf('defect', Object.keys(DEFECTS))),
  )
  .option('--keep', 'leave the hosts running at the end, and say where they are and how to end them', false)
  .option('--reports <folder>', 'where reports go', 'reports')
  .action(async (name: string, flags: ScenarioFlags) => {
    refuseContradictions(flags);
    process.exitCode = await runScenario(name, await loadScenario(name), flags);
  });

program
  .command('list')
  .description('scenarios, clauses and defects there are')
  .action(async () => {
    for (const name of scenarioNames())
      console.log(`${name.padEnd(18)} ${(await loadScenario(name)).summary}`);
    console.log('');
    for (const { id, level, title } of CLAUSES.values())
      console.log(`${id.padEnd(14)} ${level.padEnd(7)} ${title}`);
    console.log('\nDefects that --defect switches on, and the clause each must break:');
    for (const [name, { clause, says }] of Object.entries(DEFECTS))
      console.log(`${name.padEnd(24)} ${clause.padEnd(13)} ${says}`);
  });

program
  .command('links')
  .description('link profiles and faults there are, or what they really do on this machine')
  .option('--selftest', 'measure each effect against what it declares', false)
  .option('--profile <name>', 'with --selftest: the faults of this profile only')
  .option(
    '--fault <spec>',
    'with --selftest: this fault only (may be given several times)',
    (spec: string, all: readonly string[]) => [...all, spec],
    [] as readonly string[],
  )
  .option('--reports <folder>', 'where the JSON goes', 'reports')
  .action(async (flags: LinksFlags) => {
    process.exitCode = await links(flags);
  });

program
  .command('judge')
  .description('judge the trace of an old run again')
  .argument('<trace>', 'reports/<scenario>/<run>/trace.ndjson')
  .option('--scenario <name>', 'whose checks to use (default: the one the trace names)')
  .action(async (trace: string, { scenario }: { readonly scenario?: string }) => {
    process.exitCode = await judgeTrace(trace, scenario);
  });

program
  .command('explain')
  .description('what a clause asks for, and why')
  .argument('<clause>', 'for example PORT-POOL-5; or a case: port-relay/reg/silent-probe')
  .action((clause: string) => console.log(explain(clause)));

addConformanceCommand(program);
addBaselineCommand(program);
addBenchCommand(program);

/** The flags of a subcommand as npm may have taken them. */
const flagsOf = (command: Command): readonly Flag[] =>
  command.options.map((option: Option) => ({
    name: option.long?.slice(2) ?? '',
    takesValue: option.required || option.optional,
    accepts: (word) => {
      try {
        option.parseArg?.(word, undefined);
        return true;
      } catch {
        return false;
      }
    },
  }));

/** Both `npm run scenario NAME` and `npm run relaylab scenario NAME`; other subcommands alike. @throws UsageError */
const refuseWhatNpmTook = ([name, ...args]: readonly string[]): void => {
  const command = program.commands.find((known) => known.name() === name);
  if (command === undefined) return;
  const script = process.env.npm_lifecycle_event === 'relaylab' ? `relaylab ${name}` : (name ?? '');
  const env = { ...process.env };
  if (env.npm_lifecycle_event === 'relaylab') env.npm_lifecycle_event = script;
  const isSubject = (word: string): boolean => scenarioNames().includes(word) || /[\\/.]/.test(word);
  refuseSwallowed(env, script, flagsOf(command), args, isSubject);
};

// Whoever reads our output may stop reading (`| head`): that is no verdict.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  const args = process.argv.slice(2);
  refuseWhatNpmTook(args);
  const [name] = args;
  const known = program.commands.map((command) => command.name());
  if (name !== undefined && !name.startsWith('-') && name !== 'help' && !known.includes(name))
    throw unknown('command', name, known);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.pass : EXIT.usage;
  else if (error instanceof UsageError) {
    console.error(`relaylab: ${error.message}`);
    process.exitCode = EXIT.usage;
  } else {
    tellBroken(error);
    process.exitCode = EXIT.harness;
  }
}
