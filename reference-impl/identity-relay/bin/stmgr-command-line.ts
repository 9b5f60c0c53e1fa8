import { randomBytes } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { describeFile } from '../files/describe.ts';
import { FileFault } from '../files/file-fault.ts';
import { readIdentityFile, writeIdentityFile } from '../files/identity-file.ts';
import { writeTicketFile } from '../files/ticket-file.ts';
import { packageVersion } from './version.ts';

export type Streams = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
};

const HELP = `
stmgr gen-ident --output relay.ident
stmgr relay-ticket --address relay.example.org:4567 --idfile relay.ident --output relay.relay

Exit codes: 0 done, 1 it could not be done (one line on stderr says why), 2 usage.`;

type TicketOptions = { readonly address: string; readonly idfile: string; readonly output: string };

const commandOf = ({ stdout, stderr }: Streams): Command => {
  const command = new Command('stmgr')
    .description('Makes and shows identity and ticket files. No existing file is ever overwritten.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: stdout,
      writeErr: stderr,
      outputError: (text, write) =>
        write(`stmgr: ${text.replace(/^error: /, '').trim()} (stmgr --help lists what there is)\n`),
    });
  command
    .command('gen-ident')
    .description('make a new identity: a secret file that only you can read')
    .requiredOption('-o, --output <file>', 'file to write')
    .allowExcessArguments(false)
    .action(({ output }: { readonly output: string }) =>
      writeIdentityFile(output, new Uint8Array(randomBytes(32))),
    );
  command
    .command('relay-ticket')
    .description('make the ticket of a relay: what nodes need to use it, no secret')
    .requiredOption('-a, --address <host:port>', 'public address of the relay')
    .requiredOption('-i, --idfile <file>', 'identity of the relay')
    .requiredOption('-o, --output <file>', 'file to write')
    .allowExcessArguments(false)
    .action(({ address, idfile, output }: TicketOptions) =>
      writeTicketFile(output, { publicKey: readIdentityFile(idfile).publicKey, address }),
    );
  command
    .command('show')
    .description('say what a file is; never a private key')
    .argument('<file>', 'an identity or a ticket')
    .allowExcessArguments(false)
    .action((file: string) => stdout(`${describeFile(file).join('\n')}\n`));
  return command;
};

/** Does what the arguments behind the program's name ask for. @returns the exit code */
export const stmgr = (args: readonly string[], streams: Streams): number => {
  try {
    commandOf(streams).parse(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof FileFault) {
      streams.stderr(`stmgr: ${error.message}\n`);
      return 1;
    }
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
};
