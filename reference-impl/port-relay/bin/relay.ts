#!/usr/bin/env node
/** `relay <localport>` and `relay --localForwardPort=<port> <host> <port>`; see `relay --help`. */
import { readCommandLine } from './command-line.ts';
import { runForwarder } from './run-forwarder.ts';
import { runRelay } from './run-relay.ts';

const wanted = readCommandLine(process.argv.slice(2), (text) => process.stderr.write(text));
// not process.exit while output may be on its way: the code is set, and nothing is left open
if (wanted.type === 'done') process.exitCode = wanted.code;
else process.exit(wanted.type === 'relay' ? await runRelay(wanted) : await runForwarder(wanted));
