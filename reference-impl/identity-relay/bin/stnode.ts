#!/usr/bin/env node
/** `stnode expose …` and `stnode reach KEY …`; see `stnode --help`. */
import { readCommandLine } from './stnode-command-line.ts';

const wanted = readCommandLine(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
});
// not process.exit while output may be on its way
if (wanted.type === 'done') process.exitCode = wanted.code;
else {
  const { runStnode } = await import('./run-stnode.ts');
  process.exit(await runStnode(wanted));
}
