import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Address } from '../../machine/machine.ts';
import { addressOf } from '../files/ticket-file.ts';
import { KEY_BYTES } from '../messages.ts';
import { bytesOf, textOf } from '../public-key.ts';
import type { LogOptions } from './log.ts';
import type { Streams } from './stmgr-command-line.ts';
import { packageVersion } from './version.ts';

/** What both commands are told. */
type Common = {
  readonly idfile: string;
  /** Ticket file of the relay. */
  readonly relay: string;
  readonly connectionsMax: number;
  readonly drainMillis: number;
  readonly log: LogOptions;
};
export type Expose = Common & {
  readonly type: 'expose';
  readonly service: Address;
  /** Public keys that may connect; empty: every node that knows ours. */
  readonly allowed: readonly string[];
};
export type Reach = Common & {
  readonly type: 'reach';
  readonly peer: string;
  readonly listen: Address;
  readonly waitMillisMax: number;
};

/** What the command line asks for. `done`: help or version was printed, or a usage error; leave with `code`. */
export type Wanted = Expose | Reach | { readonly type: 'done'; readonly code: number };

const wholeNumber = (text: string): number => {
  const value = /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 2 ** 31 - 1) return value;
  throw new InvalidArgumentError('expected a whole number below 2147483648');
};

const localAddress = (text: string): Address => {
  const address = addressOf(text.includes(':') ? text : `127.0.0.1:${text}`);
  if (address !== undefined) return address;
  throw new InvalidArgumentError('expected PORT or HOST:PORT (an IPv6 address in brackets)');
};

const publicKey = (text: string): string => {
  const bytes = bytesOf(text);
  if (bytes?.length === KEY_BYTES) return textOf(bytes);
  throw new InvalidArgumentError('expected a public key, 43 letters of base64url (stmgr show prints one)');
};

const HELP = `
stmgr gen-ident --output db.ident        # once on either machine; stmgr show db.ident prints the public key
stnode expose --idfile db.ident --relay our.relay --to localhost:6379 --allow KEY_OF_LAPTOP
stnode reach KEY_OF_DB --idfile laptop.ident --relay our.relay --listen 6380

Both machines only dial out, to the relay of the ticket. Neither the relay nor anybody on the way can read what is carried.
Exit codes: 0 after SIGTERM or SIGINT when running connections have ended or --drain-millis are over, 1 it cannot run
(no identity, no ticket, port in use), 2 usage, 130 or 143 when a second SIGINT or SIGTERM cut the drain short.`;

type CommonOptions = {
  readonly idfile: string;
  readonly relay: string;
  readonly connectionsMax: number;
  readonly drainMillis: number;
  readonly logFormat: LogOptions['format'];
  readonly logLevel: string;
};
type ExposeOptions = CommonOptions & { readonly to: Address; readonly allow: readonly string[] };
type ReachOptions = CommonOptions & { readonly listen: Address; readonly waitMillis: number };

const common = (options: CommonOptions): Common => ({
  idfile: options.idfile,
  relay: options.relay,
  connectionsMax: options.connectionsMax,
  drainMillis: options.drainMillis,
  log: { format: options.logFormat, level: options.logLevel },
});

const withCommon = (command: Command): Command =>
  command
    .requiredOption('-i, --idfile <file>', 'identity of this node (stmgr gen-ident)')
    .requiredOption('-r, --relay <file>', 'ticket of the relay (stmgr relay-ticket)')
    .option('--connections-max <n>', 'connections at once; more are reset', wholeNumber, 1_024)
    .option('--drain-millis <n>', 'time running connections have after SIGTERM', wholeNumber, 10_000)
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
    .helpOption('--help', 'print this help')
    .allowExcessArguments(false);

const commandOf = ({ stdout, stderr }: Streams, take: (wanted: Wanted) => void): Command => {
  const command = new Command('stnode')
    .description('Carries any TCP service between two machines that only dial out, by public key.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: stdout,
      writeErr: stderr,
      outputError: (text, write) =>
        write(
          `stnode: ${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\n/g, ' ')} (stnode --help lists what there is)\n`,
        ),
    });
  withCommon(command.command('expose'))
    .description('put a service of this machine, or next to it, under the public key of this node')
    .requiredOption('-t, --to <address>', 'the service: PORT or HOST:PORT', localAddress)
    .option(
      '-a, --allow <key>',
      'public key that may connect; say it again for the next (default: every node that knows ours)',
      (text: string, before: readonly string[]) => [...before, publicKey(text)],
      [],
    )
    .action((options: ExposeOptions) =>
      take({ type: 'expose', service: options.to, allowed: options.allow, ...common(options) }),
    );
  withCommon(command.command('reach'))
    .description('reach the service under a public key through a port of this machine')
    .argument('<key>', 'public key of the node that exposes it', publicKey)
    .requiredOption('-l, --listen <address>', 'PORT or HOST:PORT to listen on (host: loopback)', localAddress)
    .option(
      '--wait-millis <n>',
      'time a connection waits for a tunnel before it is reset',
      wholeNumber,
      10_000,
    )
    .action((peer: string, options: ReachOptions) =>
      take({
        type: 'reach',
        peer,
        listen: options.listen,
        waitMillisMax: options.waitMillis,
        ...common(options),
      }),
    );
  return command;
};

/** Reads the arguments behind the program's name. Prints help, version and usage errors itself (one line on stderr). */
export const readCommandLine = (args: readonly string[], streams: Streams): Wanted => {
  let wanted: Wanted = { type: 'done', code: 2 };
  try {
    commandOf(streams, (asked) => {
      wanted = asked;
    }).parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { type: 'done', code: error.exitCode === 0 ? 0 : 2 };
  }
  return wanted;
};
