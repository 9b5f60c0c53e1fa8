import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_SCHEDULE } from '../../backoff/schedule.ts';
import type { Address } from '../../machine/machine.ts';
import { DEFAULT_LIMITS, type RelayLimits } from '../relay/limits.ts';
import type { PortRange } from '../relay/port-lease.ts';
import { AT_LEAST_ONE, flagOf, LIMIT_OPTIONS } from './limit-options.ts';

export type LogOptions = { readonly format: 'json' | 'pretty'; readonly level: string };

/** What the command line asks for. `done`: help or version was printed, or a usage error; leave with `code`. */
export type Wanted =
  | {
      readonly type: 'relay';
      readonly port: number;
      readonly bind: string | undefined;
      readonly publicPorts: PortRange | undefined;
      readonly limits: RelayLimits;
      readonly metrics: Address | undefined;
      readonly log: LogOptions;
    }
  | {
      readonly type: 'forwarder';
      readonly localPort: number;
      readonly relay: Address;
      readonly retryBaseMillis: number;
      readonly retryCapMillis: number;
      readonly keepaliveMillis: number;
      readonly idleMillis: number;
      readonly log: LogOptions;
    }
  | { readonly type: 'done'; readonly code: number };

const wholeNumber = (least: number, most: number) => {
  return (text: string): number => {
    const value = /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
};
const port = wholeNumber(1, 65_535);
const anyPort = wholeNumber(0, 65_535);

const portRange = (text: string): PortRange => {
  const [from = '', to = from, ...more] = text.split('-');
  const range = { from: port(from), to: port(to) };
  if (more.length === 0 && range.from <= range.to) return range;
  throw new InvalidArgumentError('expected FROM-TO, for instance 9001-9100');
};

const metricsAddress = (text: string): Address => {
  const at = text.lastIndexOf(':');
  const host = at < 0 ? '127.0.0.1' : text.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? '127.0.0.1' : host, port: anyPort(text.slice(at + 1)) };
};

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

const EXAMPLES = `
relay 9000                                        a relay; clients register at port 9000
relay --localForwardPort=6379 relay.example 9000  puts localhost:6379 on that relay

Exit codes: 0 after SIGTERM or SIGINT when all is drained, 1 it cannot run (port in use), 2 usage,
130 or 143 when a second SIGINT or SIGTERM cut the drain short.`;

const commandOf = (stderr: (text: string) => void): Command => {
  const command = new Command('relay')
    .usage('[options] <localport>\n       relay --localForwardPort=<port> [options] <host> <port>')
    .description('A TCP relay for services behind NAT, and the forwarder that puts a service on one.')
    .argument('[localport]', 'control port of the relay (forwarder: host of the relay)')
    .argument('[port]', 'forwarder only: port of the relay')
    .version(versionOf(import.meta.dirname), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .option('--localForwardPort <port>', 'be a forwarder for localhost:<port>', port)
    .option('--bind <address>', 'listen on this address only (default: every interface)')
    .option('--public-ports <from-to>', 'ports given to clients (default: localport + 1 upward)', portRange)
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
    .option(
      '--retry-base-millis <n>',
      'forwarder: first wait',
      wholeNumber(1, 86_400_000),
      DEFAULT_SCHEDULE.baseMillis,
    )
    .option(
      '--retry-cap-millis <n>',
      'forwarder: longest wait',
      wholeNumber(1, 86_400_000),
      DEFAULT_SCHEDULE.capMillis,
    )
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeErr: stderr,
      outputError: (text, write) => {
        const sentence = text
          .replace(/^error: /, '')
          .trim()
          .replace(/\n/g, ' ');
        write(`relay: ${sentence} (relay --help lists what there is)\n`);
      },
    });
  for (const [key, text] of Object.entries(LIMIT_OPTIONS) as [keyof RelayLimits, string][]) {
    const read = wholeNumber(AT_LEAST_ONE.has(key) ? 1 : 0, 2 ** 31 - 1);
    command.option(`${flagOf(key)} <n>`, text, read, DEFAULT_LIMITS[key]);
  }
  return command;
};

/** Reads the arguments behind the program's name. Prints help, version and usage errors itself (one line on stderr). */
export const readCommandLine = (args: readonly string[], stderr: (text: string) => void): Wanted => {
  const command = commandOf(stderr);
  try {
    command.parse(args, { from: 'user' });
    return wantedOf(command);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { type: 'done', code: error.exitCode === 0 ? 0 : 2 };
  }
};

type Options = {
  readonly localForwardPort?: number;
  readonly bind?: string;
  readonly publicPorts?: PortRange;
  readonly metrics?: Address;
  readonly logFormat: LogOptions['format'];
  readonly logLevel: string;
  readonly retryBaseMillis: number;
  readonly retryCapMillis: number;
};

const wantedOf = (command: Command): Wanted => {
  const options = command.opts<Options & RelayLimits>();
  const log: LogOptions = { format: options.logFormat, level: options.logLevel };
  const [first, second] = command.args;
  const read = (text: string, parser: (text: string) => number, what: string): number => {
    try {
      return parser(text);
    } catch {
      return command.error(`error: ${what} '${text}' is not a port`);
    }
  };
  if (options.localForwardPort === undefined) {
    if (first === undefined) return command.error("error: missing argument 'localport'");
    if (second !== undefined) {
      return command.error(
        `error: a relay takes one port; '${second}' is too much (a forwarder needs --localForwardPort)`,
      );
    }
    const limits = Object.fromEntries(
      (Object.keys(LIMIT_OPTIONS) as (keyof RelayLimits)[]).map((key) => [key, options[key]]),
    ) as RelayLimits;
    const { bind, publicPorts, metrics } = options;
    return {
      type: 'relay',
      port: read(first, anyPort, 'localport'),
      bind,
      publicPorts,
      limits,
      metrics,
      log,
    };
  }
  if (first === undefined || second === undefined) {
    return command.error('error: a forwarder needs <host> and <port> of its relay');
  }
  return {
    type: 'forwarder',
    localPort: options.localForwardPort,
    relay: { host: first, port: read(second, port, 'relay port') },
    retryBaseMillis: options.retryBaseMillis,
    retryCapMillis: options.retryCapMillis,
    keepaliveMillis: options.keepaliveMillis,
    idleMillis: options.idleMillis,
    log,
  };
};
