#!/usr/bin/env node
/** Our identity relay with one defect, as a program: `strelay.ts --defect NAME [options of strelay]`; `--defect list` says which. */
import { connNames, NodeDriver } from '../../../../reference-impl/drivers/node.ts';
import { onSignals } from '../../../../reference-impl/drivers/node-signals.ts';
import { readCommandLine } from '../../../../reference-impl/identity-relay/bin/strelay-command-line.ts';
import { readIdentityFile } from '../../../../reference-impl/identity-relay/files/identity-file.ts';
import { systemChance } from '../../../../reference-impl/identity-relay/node/system-chance.ts';
import { IdentityRelayMachine } from '../../../../reference-impl/identity-relay/relay/relay-machine.ts';
import type { RelayReport } from '../../../../reference-impl/identity-relay/relay/relay-report.ts';
import { RELAY_DEFECTS, type RelayDefect } from './relay-defects.ts';

const USAGE = 2;

const refuse = (text: string): void => {
  process.stderr.write(`${text}\n`);
  process.exitCode = USAGE;
};

const run = (defect: RelayDefect, args: readonly string[]): void => {
  const wanted = readCommandLine(args, (text) => process.stderr.write(text));
  if (wanted.type !== 'relay') {
    process.exitCode = wanted.code;
    return;
  }
  defect.spoil?.();
  const { host, port } = wanted.laddr;
  const identity = readIdentityFile(wanted.idfile);
  const chance = systemChance();
  const limits = { ...wanted.limits, ...defect.limits };
  const config = { port, identity, limits, chance: () => chance };
  const machine = new IdentityRelayMachine(defect.config?.(config) ?? config);
  const report = (event: RelayReport): void => {
    if (event.type === 'strelay.listening')
      process.stdout.write(`strelay listening on ${host}:${event.port}\n`);
    else if (event.type === 'strelay.failed') {
      process.stderr.write(`strelay: port ${event.port} of ${host}: ${event.why}\n`);
      process.exit(1);
    } else if (event.type === 'strelay.drained') process.exit(0);
  };
  const driver = new NodeDriver<RelayReport>(defect.wrap?.(machine) ?? machine, {
    ...{ name: connNames(), report, bind: host },
  });
  onSignals({ stop: () => driver.stop() });
  driver.start();
};

const [flag, name = '', ...args] = process.argv.slice(2);
const defect = RELAY_DEFECTS[name];
if (flag !== '--defect')
  refuse('strelay.ts --defect NAME [options of strelay]; --defect list says which there are');
else if (name === 'list')
  for (const [called, { clause, says }] of Object.entries(RELAY_DEFECTS))
    process.stdout.write(`${called.padEnd(24)} ${clause.padEnd(13)} ${says}\n`);
else if (defect === undefined)
  refuse(`strelay.ts: no defect is called ${name}; --defect list says which there are`);
else run(defect, args);
