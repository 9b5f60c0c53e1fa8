#!/usr/bin/env node
/** The command line of the lab. Exit codes: harness/verdict/verdict.ts, explained in README.md. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { CLAUSES } from '../conformance/clauses/registry.ts';
import { DEFECTS } from '../conformance/mutants/defects.ts';
import { LAB_CHOICES } from '../labs/choose.ts';
import { LabError } from '../labs/lab.ts';
import { EXIT } from '../verdict/verdict.ts';
import { explain } from './explain-command.ts';
import { judgeTrace } from './judge-command.ts';
import { runScenario, type ScenarioFlags } from './scenario-command.ts';
import { loadScenario, scenarioNames } from './scenario-files.ts';
import { oneOf, refuseSwallowed, seed, UsageError, whole } from './usage.ts';
import { VERSION } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 pass, 1 fail, 2 usage, 3 the lab itself broke, 4 inconclusive, 5 stale baseline entry, 130 interrupted.`;

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

const SCENARIO_FLAGS = [
  'lab',
  'seed',
  'seeds',
  'sites',
  'clients',
  'users',
  'duration',
  'relay-exec',
  'defect',
  'keep',
  'reports',
];

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
    'where hosts run: auto, sim, local or docker',
    parsed(oneOf('lab', LAB_CHOICES)),
    'auto',
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
  .option('--duration <s>', 'length of the timeline in seconds', parsed(whole('--duration', 10, 86_400)))
  .option(
    '--relay-exec <command>',
    "judge this relay instead of ours; {port} is its control port: './my-relay {port}'",
  )
  .option(
    '--defect <name>',
    'switch on a defect of our own relay, to see a check bite (relaylab list names them)',
    parsed(oneOf('defect', Object.keys(DEFECTS))),
  )
  .option('--keep', 'leave the hosts running at the end', false)
  .option('--reports <folder>', 'where reports go', 'reports')
  .action(async (name: string, flags: ScenarioFlags) => {
    refuseSwallowed(process.env, 'scenario', SCENARIO_FLAGS, process.argv.slice(3));
    if (flags.relayExec !== undefined && flags.lab === 'sim')
      throw new UsageError(
        '--relay-exec starts a program, and the sim lab has none: use --lab local or --lab docker.',
      );
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
  .argument('<clause>', 'for example PORT-POOL-5')
  .action((clause: string) => console.log(explain(clause)));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.pass : EXIT.usage;
  else if (error instanceof UsageError) {
    console.error(`relaylab: ${error.message}`);
    process.exitCode = EXIT.usage;
  } else if (error instanceof LabError) {
    console.error(`relaylab: ${error.message}\n          ${error.hint}`);
    process.exitCode = EXIT.harness;
  } else {
    console.error(error);
    process.exitCode = EXIT.harness;
  }
}
