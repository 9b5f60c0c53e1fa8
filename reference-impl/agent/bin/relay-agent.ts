#!/usr/bin/env node
/** Measures, and relays measurements; see `relay-agent --help`. */
import { readCommandLine } from './command-line.ts';

// whoever read it has gone (`| head -1`): no reason to stop measuring
process.stdout.on('error', () => undefined);

const wanted = readCommandLine(process.argv.slice(2), {
  environment: process.env,
  stderr: (text) => process.stderr.write(text),
});
// not process.exit while output may be on its way: the code is set, and nothing is left open
if (wanted.type === 'done') process.exitCode = wanted.code;
else if (wanted.type === 'ctl') {
  const { runCtl } = await import('./run-ctl.ts');
  process.exitCode = await runCtl(wanted);
} else if (wanted.type === 'regen' || wanted.type === 'plugins') {
  const { runInquiry } = await import('./run-inquiry.ts');
  process.exitCode = await runInquiry(wanted);
} else {
  const { runAgent } = await import('./run-agent.ts');
  process.exit(await runAgent(wanted));
}
