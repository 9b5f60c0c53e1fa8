import { isIP } from 'node:net';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Address } from '../../machine/machine.ts';
import { addressOf } from '../files/ticket-file.ts';
import { DEFAULT_LIMITS, type RelayLimits } from '../relay/limits.ts';
import { flagOf, LIMIT_OPTIONS } from './limit-options.ts';
import type { LogOptions } from './log.ts';
import { packageVersion } from './version.ts';

/** What the command line asks for. `done`: help or version was printed, or a usage error; leave with `code`. */
export type Wanted =
  | {
      readonly type: 'relay';
      readonly idfile: string;
      readonly laddr: Address;
      readonly limits: RelayLimits;
      readonly metrics: Address | undefined;
      readonly log: LogOptions;
    }
  | { readonly type: 'done'; readonly code: number };

const wholeNumber = (text: string): number => {
  const value = /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 2 ** 31 - 1) return value;
  throw new InvalidArgumentError('expected a whole number below 2147483648');
};

const listenAddress = (text: string): Address => {
  const address = addressOf(text);
  if (address !== undefined && isIP(address.host) !== 0) return address;
  throw new InvalidArgumentError('expected IP:PORT, for instance 0.0.0.0:4567 or [::]:4567 (no host name)');
};

const metricsAddress = (text: string): Address => {
  const address = addressOf(text.includes(':') ? text : `127.0.0.1:${text}`);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('expected PORT or HOST:PORT');
};

const HELP = `
strelay --idfile relay.ident --laddr 0.0.0.0:4567    a relay; stmgr makes its identity and its ticket

Exit codes: 0 after SIGTERM or SIGINT when all is drained, 1 it cannot run (no identity, port in use), 2 usage,
130 or 143 when a second SIGINT or SIGTERM cut the drain short.`;

type Options = {
  readonly idfile: string;
  readonly laddr: Address;
  readonly metrics?: Address;
  readonly logFormat: LogOptions['format'];
  readonly logLevel: string;
};

const commandOf = (stderr: (text: string) => void): Command => {
  const command = new Command('strelay')
    .description('A relay for nodes that are addressed by their public key.')
    .requiredOption('-i, --idfile <file>', 'identity of the relay (stmgr gen-ident)')
    .requiredOption('-l, --laddr <address>', 'listen on IP:PORT', listenAddress)
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .option(
      '--metrics <address>',
      'serve Prometheus metrics on PORT or HOST:PORT (host: loopback)',
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
    )
    .allowExcessArguments(false)
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeErr: stderr,
      outputError: (text, write) =>
        write(
          `strelay: ${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\n/g, ' ')} (strelay --help lists what there is)\n`,
        ),
    });
  for (const [key, text] of Object.entries(LIMIT_OPTIONS) as [keyof RelayLimits, string][])
    command.option(`${flagOf(key)} <n>`, text, wholeNumber, DEFAULT_LIMITS[key]);
  return command;
};

/** Reads the arguments behind the program's name. Prints help, version and usage errors itself (one line on stderr). */
export const readCommandLine = (args: readonly string[], stderr: (text: string) => void): Wanted => {
  const command = commandOf(stderr);
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { type: 'done', code: error.exitCode === 0 ? 0 : 2 };
  }
  const { idfile, laddr, metrics, logFormat, logLevel, ...options } = command.opts<Options & RelayLimits>();
  const limits = Object.fromEntries(
    (Object.keys(LIMIT_OPTIONS) as (keyof RelayLimits)[]).map((key) => [key, options[key]]),
  ) as RelayLimits;
  return { type: 'relay', idfile, laddr, limits, metrics, log: { format: logFormat, level: logLevel } };
};
