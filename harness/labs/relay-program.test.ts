import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readCommandLine } from '../../reference-impl/port-relay/bin/command-line.ts';
import { DEFAULT_LIMITS, type RelayLimits } from '../../reference-impl/port-relay/relay/limits.ts';
import { relayProgram } from './relay-program.ts';
import type { RelayServer } from './topology.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const ours: RelayServer = { exec: undefined, limits: {}, defect: undefined };
const program = (relay: RelayServer) =>
  relayProgram(relay, 2_000, '127.30.0.1', { node: '/bin/node', root: ROOT });

t.test('our relay listens on the lab’s address, with the lab’s keepalive', (t) => {
  const { argv, host, listens } = program(ours);
  t.equal(argv[0], '/bin/node');
  t.ok(existsSync(argv[1] ?? ''));
  t.ok(argv.includes('{port}'), 'the agent gives the port');
  t.same([host, listens], ['127.30.0.1', true]);
  t.end();
});

t.test('every limit is a flag that the relay takes, under its own name', (t) => {
  const all = Object.fromEntries(Object.keys(DEFAULT_LIMITS).map((name, i) => [name, 1_000 + i]));
  const { argv } = program({ ...ours, limits: all as Partial<RelayLimits> });
  const said: string[] = [];
  const wanted = readCommandLine(
    argv.slice(2).map((word) => word.replace('{port}', '4000')),
    (text) => said.push(text),
  );
  t.same(said, []);
  t.match(wanted, { type: 'relay', limits: all });
  t.end();
});

t.test('a relay with a defect is another program; a foreign one is run as it was given', (t) => {
  const mutant = program({ ...ours, defect: 'byte-flipped' });
  t.same(mutant.argv.slice(2, 4), ['--defect', 'byte-flipped']);
  t.ok(existsSync(mutant.argv[1] ?? ''));
  t.same(program({ ...ours, exec: ['./my-relay', '{port}'] }).argv, ['./my-relay', '{port}']);
  t.end();
});
