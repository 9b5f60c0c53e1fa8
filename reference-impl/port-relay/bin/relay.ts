#!/usr/bin/env node
/** `relay <localport>` and `relay --localForwardPort=<port> <host> <port>`; see `relay --help`. */
import { readCommandLine } from './command-line.ts';

const wanted = readCommandLine(process.argv.slice(2), (text) => process.stderr.write(text));
// not process.exit while output may be on its way: the code is set, and nothing is left open
if (wanted.type === 'done') process.exitCode = wanted.code;
else if (wanted.type === 'relay') {
  const { runRelay } = await import('./run-relay.ts');
  process.exit(await runRelay(wanted));
} else {
  const { runForwarder } = await import('./run-forwarder.ts');
  process.exit(await runForwarder(wanted));
}
