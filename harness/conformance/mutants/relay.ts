#!/usr/bin/env node
/**
 * Our relay with one defect, as a program: `relay.ts --defect NAME [options of relay] {port}`, for `--relay-exec` in real labs.
 * It is a relay in everything else, so whatever a run finds broken is the defect's doing. `--defect list` says which there are.
 */
import { connNames, NodeDriver } from '../../../reference-impl/drivers/node.ts';
import { onSignals } from '../../../reference-impl/drivers/node-signals.ts';
import { readCommandLine } from '../../../reference-impl/port-relay/bin/command-line.ts';
import { randomId } from '../../../reference-impl/port-relay/random-id.ts';
import { RelayMachine } from '../../../reference-impl/port-relay/relay/relay-machine.ts';
import type { RelayCommand, RelayReport } from '../../../reference-impl/port-relay/relay/relay-report.ts';
import { DEFECTS, defectiveRelay } from './defects.ts';
import { openMiddle } from './middle.ts';
import { RELAY_MIDDLE_DEFECTS } from './relay-middle-defects.ts';

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
  const { limits, publicPorts, bind = '0.0.0.0' } = wanted;
  const middle = RELAY_MIDDLE_DEFECTS[defect];
  const port = middle === undefined ? wanted.port : 0;
  const config = { port, limits, newId: randomId, name, publicPorts };
  const machine = middle === undefined ? defectiveRelay(defect, config, 'real') : new RelayMachine(config);
  const listening = async (inner: number): Promise<void> => {
    if (middle !== undefined)
      await openMiddle(
        { host: bind, port: wanted.port },
        { host: '127.0.0.1', port: inner },
        middle.spoiler(),
      );
    process.stdout.write(`relay listening on ${bind}:${wanted.port}\n`);
  };
  const report = (event: RelayReport): void => {
    if (event.type === 'relay.listening') void listening(event.port);
    else if (event.type === 'relay.failed') {
      process.stderr.write(`relay: port ${event.port} of ${bind}: ${event.why}\n`);
      process.exit(1);
    } else if (event.type === 'relay.drained') process.exit(0);
  };
  const driver = new NodeDriver<RelayReport, RelayCommand>(machine, { name, report, bind });
  onSignals({ stop: () => driver.stop() });
  driver.start();
};

const [flag, defect = '', ...args] = process.argv.slice(2);
if (flag !== '--defect')
  refuse('relay.ts --defect NAME [options of relay] <port>; --defect list says which there are');
else if (defect === 'list')
  for (const [name, { clause, says }] of Object.entries({ ...DEFECTS, ...RELAY_MIDDLE_DEFECTS }))
    process.stdout.write(`${name.padEnd(24)} ${clause.padEnd(13)} ${says}\n`);
else if (DEFECTS[defect] === undefined && RELAY_MIDDLE_DEFECTS[defect] === undefined)
  refuse(`relay.ts: no defect is called ${defect}; --defect list says which there are`);
else run(defect, args);
