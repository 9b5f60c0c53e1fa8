import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Address } from '../../machine/machine.ts';
import type { ConfigRequest } from '../config/agent-config.ts';
import { nearestHint } from '../config/nearest.ts';
import type { Environment } from '../config/substitute.ts';
import { withCommandApart } from './own-arguments.ts';

export type LogOptions = { readonly format: 'json' | 'pretty'; readonly level: string };

/** Where the configuration comes from. */
export type Configured = {
  readonly file: string;
  /** `--no-default-config` */
  readonly fileMustExist: boolean;
  readonly request: ConfigRequest;
};

export type WantedRun = Configured & {
  readonly metrics: Address | undefined;
  readonly log: LogOptions;
} & (
    | { readonly type: 'run' }
    | { readonly type: 'exec'; readonly command: readonly string[]; readonly ignoreExitCode: boolean }
    | { readonly type: 'watch'; readonly pid: number }
  );
export type WantedCtl = Configured & {
  readonly type: 'ctl';
  readonly lines: readonly string[];
  readonly socket: string | undefined;
};
export type WantedInquiry = Configured &
  ({ readonly type: 'regen' } | { readonly type: 'plugins'; readonly status: boolean });

/** What the command line asks for. `done`: help or version was printed, or a usage error; leave with `code`. */
export type Wanted = WantedRun | WantedCtl | WantedInquiry | { readonly type: 'done'; readonly code: number };

export const DEFAULT_FILE = 'alumet-config.toml';

const EXAMPLES = `
relay-agent                                           this machine's measurements into alumet-output.csv
relay-agent --relay-in [::]:50051                     take measurements of other agents into alumet-output.csv
relay-agent --relay-out relay.example.org:50051       send this machine's there
relay-agent exec -- make all                          measure while a command runs
relay-agent ctl 'control source/procfs/* pause'       tell a running agent (its socket-control plugin)
relay-agent config regen                              write a configuration file with every key at its default

Without a configuration file it measures with procfs (on Linux, else system) and writes csv; --relay-in replaces the former,
--relay-out the latter. With one, plugins run whose tables it has (unless enabled = false), and those that an option names.
SIGTERM, SIGINT: stop when all is written, at most shutdown_grace (10s). SIGHUP: read the configuration again.

Exit codes: 0 stopped in order and everything was written (exec: the command's own code); 1 it could not start, could not go on, or
not everything was written; ctl: a line was refused; 2 command line or configuration; 3 ctl: no agent answers; 126, 127 exec: the
command cannot be run, is not there; 128 + n exec: signal n ended it; 130, 143 a second SIGINT, SIGTERM cut the stop short.`;

const versionOf = (folder: string): string => {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) {
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string };
      if (version !== undefined) return version;
    }
    if (at === dirname(at)) return 'unknown';
  }
};

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
const anyPort = wholeNumber(0, 65_535);

const metricsAddress = (text: string): Address => {
  const at = text.lastIndexOf(':');
  const host = at < 0 ? '' : text.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? '127.0.0.1' : host, port: anyPort(text.slice(at + 1)) };
};

const names = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
const another = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

type Options = {
  readonly config: string;
  readonly defaultConfig: boolean;
  readonly configOverride?: readonly string[];
  readonly plugins?: readonly string[];
  readonly outputFile?: string;
  readonly relayIn?: string;
  readonly relayOut?: string;
  readonly metrics?: Address;
  readonly logFormat: LogOptions['format'];
  readonly logLevel: string;
};

const configuredBy = (options: Options): Configured => ({
  file: options.config,
  fileMustExist: !options.defaultConfig,
  request: {
    overrides: options.configOverride ?? [],
    plugins: options.plugins,
    relayIn: options.relayIn,
    relayOut: options.relayOut,
    outputFile: options.outputFile,
  },
});

const withOptions = (command: Command, environment: Environment): Command =>
  command
    .option(
      '--config <file>',
      'configuration file (environment: ALUMET_CONFIG)',
      environment.ALUMET_CONFIG || DEFAULT_FILE,
    )
    .option('--no-default-config', 'fail when there is no configuration file')
    .option(
      '--config-override <toml>',
      "one key, such as plugins.csv.output_path='x.csv'; may be repeated",
      another,
    )
    .option('--plugins <names>', 'run these only, separated by commas', names)
    .option('--output-file <file>', 'of the csv plugin')
    .option('--relay-in <address>', 'take measurements of other agents at HOST:PORT')
    .option('--relay-out <address>', 'send measurements to the agent at HOST:PORT')
    .option(
      '--metrics <address>',
      "serve the agent's own metrics on PORT or HOST:PORT (host: loopback)",
      metricsAddress,
    )
    .addOption(
      new Option('--log-format <format>', 'of the log on stderr')
        .choices(['json', 'pretty'])
        .default(process.stderr.isTTY ? 'pretty' : 'json'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level logged')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    );

/** Of commander, in one line; a word that is no command is none too many for the default one. */
const sentence = (text: string, commands: readonly Command[]): string => {
  const word = /^error: too many arguments\. .*? but got \d+: ([^,]+?)[,.]/.exec(text)?.[1];
  if (word === undefined)
    return text
      .replace(/^error: /, '')
      .trim()
      .replace(/\n/g, ' ');
  const known = commands.map((command) => command.name());
  return `unknown command '${word}'; ${nearestHint(word, known)}`;
};

/** Reads the arguments behind the program's name. Prints help, version and usage errors itself (one line on stderr). */
export const readCommandLine = (
  args: readonly string[],
  { environment, stderr }: { readonly environment: Environment; readonly stderr: (text: string) => void },
): Wanted => {
  let wanted: Wanted | undefined;
  const program = withOptions(new Command('relay-agent'), environment)
    .usage('[options] [command]')
    .description('Measures this machine, and relays measurements between machines.')
    .version(versionOf(import.meta.dirname), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeErr: stderr,
      outputError: (text, write) => {
        write(`relay-agent: ${sentence(text, program.commands)} (relay-agent --help lists what there is)\n`);
      },
    });
  const options = (): Options => program.opts<Options>();
  const run = (): Configured & Pick<WantedRun, 'metrics' | 'log'> => ({
    ...configuredBy(options()),
    metrics: options().metrics,
    log: { format: options().logFormat, level: options().logLevel },
  });
  // commander looks for the default among its commands: the program itself runs
  program.action(() => {
    wanted = { type: 'run', ...run() };
  });
  program
    .command('run')
    .description('measure and relay until told to stop (the default)')
    .action(() => {
      wanted = { type: 'run', ...run() };
    });
  program
    .command('exec')
    .description('measure while a command runs: exec -- COMMAND ARGUMENTS')
    .argument('<command...>')
    .option('--ignore-exit-code', "exit 0 whatever the command's exit code")
    .action(
      (command: readonly string[], { ignoreExitCode = false }: { readonly ignoreExitCode?: boolean }) => {
        wanted = { type: 'exec', ...run(), command, ignoreExitCode };
      },
    );
  program
    .command('watch')
    .description('measure while a process runs that was started before')
    .argument('<pid>', 'its number', wholeNumber(1, 2 ** 31 - 1))
    .action((pid: number) => {
      wanted = { type: 'watch', ...run(), pid };
    });
  program
    .command('ctl')
    .description('say a line (or several) to a running agent, and print its answers')
    .argument('<line...>', "such as 'control source/procfs/* pause'")
    .option('--socket <path>', "of the agent (default: the configuration's, else alumet-control.sock)")
    .action((lines: readonly string[], { socket }: { readonly socket?: string }) => {
      wanted = { type: 'ctl', ...configuredBy(options()), lines, socket };
    });
  program
    .command('config')
    .description('config regen: write the configuration file with every key at its default')
    .command('regen')
    .action(() => {
      wanted = { type: 'regen', ...configuredBy(options()) };
    });
  program
    .command('plugins')
    .description('plugins list: what there is')
    .command('list')
    .option('--status', 'which of them the configuration runs')
    .action(({ status = false }: { readonly status?: boolean }) => {
      wanted = { type: 'plugins', ...configuredBy(options()), status };
    });
  try {
    const takesValue = new Set(
      program.options.flatMap(({ required, long }) => (required && long ? [long] : [])),
    );
    program.parse(withCommandApart(args, takesValue), { from: 'user' });
    return wanted ?? { type: 'done', code: 2 };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { type: 'done', code: error.exitCode === 0 ? 0 : 2 };
  }
};
