#!/usr/bin/env node
/** `strelay --idfile FILE --laddr IP:PORT`; see `strelay --help`. */
import { readCommandLine } from './strelay-command-line.ts';

const wanted = readCommandLine(process.argv.slice(2), (text) => process.stderr.write(text));
// not process.exit while output may be on its way
if (wanted.type === 'done') process.exitCode = wanted.code;
else {
  const { runStrelay } = await import('./run-strelay.ts');
  process.exit(await runStrelay(wanted));
}
