#!/usr/bin/env node
/**
 * Our relay with one defect, as a program: `relay.ts --defect NAME [options of relay] {port}`, for `--relay-exec` in real labs.
 * It is a relay in everything else, so whatever a run finds broken is the defect's doing. `--defect list` says which there are.
 */
import { connNames, NodeDriver } from '../../../reference-impl/drivers/node.ts';
import { readCommandLine } from '../../../reference-impl/port-relay/bin/command-line.ts';
import { onSignals } from '../../../reference-impl/port-relay/bin/signals.ts';
import { randomId } from '../../../reference-impl/port-relay/random-id.ts';
import type { RelayCommand, RelayReport } from '../../../reference-impl/port-relay/relay/relay-report.ts';
import { DEFECTS, defectiveRelay } from './defects.ts';

const USAGE = 2;

const refuse = (text: string): void => {
  process.stderr.write(`${text}\n`);
  process.exitCode = USAGE;
};

const run = (defect: string, args: readonly string[]): void => {
  const wanted = readCommandLine(args, (text) => process.stderr.write(text));
  if (wanted.type !== 'relay')
    return wanted.type === 'done' && wanted.code === 0 ? undefined : refuse('relay.ts --defect NAME <port>');
  const name = connNames();
  const { port, limits, publicPorts, bind = '0.0.0.0' } = wanted;
  const machine = defectiveRelay(defect, { port, limits, newId: randomId, name, publicPorts }, 'real');
  const report = (event: RelayReport): void => {
    if (event.type === 'relay.listening') process.stdout.write(`relay listening on ${bind}:${event.port}\n`);
    else if (event.type === 'relay.failed') {
      process.stderr.write(`relay: port ${event.port} of ${bind}: ${event.why}\n`);
      process.exit(1);
    } else if (event.type === 'relay.drained') process.exit(0);
  };
  const driver = new NodeDriver<RelayReport, RelayCommand>(machine, { name, report, bind });
  onSignals(() => driver.stop());
  driver.start();
};

const [flag, defect = '', ...args] = process.argv.slice(2);
if (flag !== '--defect')
  refuse('relay.ts --defect NAME [options of relay] <port>; --defect list says which there are');
else if (defect === 'list')
  for (const [name, { clause, says }] of Object.entries(DEFECTS))
    process.stdout.write(`${name.padEnd(24)} ${clause.padEnd(13)} ${says}\n`);
else if (DEFECTS[defect] === undefined)
  refuse(`relay.ts: no defect is called ${defect}; --defect list says which there are`);
else run(defect, args);
