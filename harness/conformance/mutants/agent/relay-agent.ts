#!/usr/bin/env node
/**
 * Our agent with one defect, as a program: `relay-agent.ts --defect NAME ROLE ARGUMENTS`, with a role and its arguments as USAGE has
 * them. It is an agent in everything else, so whatever the gate finds broken is the defect's doing. `--defect list` says which
 * there are; `--defect none` is an agent with a man in its middle who changes nothing.
 */
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { Agent } from '../../../../reference-impl/agent/agent.ts';
import { readCommandLine } from '../../../../reference-impl/agent/bin/command-line.ts';
import { loadConfig } from '../../../../reference-impl/agent/bin/load.ts';
import { openLog } from '../../../../reference-impl/agent/bin/log.ts';
import { realClock } from '../../../../reference-impl/agent/real-clock.ts';
import { onSignals } from '../../../../reference-impl/drivers/node-signals.ts';
import { openMiddle, type Place, type Spoiler } from '../middle.ts';
import { MEASUREMENT_CLIENT_DEFECTS } from './client-defects.ts';
import { SOCKET_CONTROL_DEFECTS } from './control-defects.ts';
import type { AgentDefect, AgentDefects } from './defect.ts';
import { MEASUREMENT_SERVER_DEFECTS } from './server-defects.ts';

const USAGE = `relay-agent.ts --defect NAME measurement-server PORT OUTPUT_FILE
relay-agent.ts --defect NAME measurement-client HOST:PORT CONFIG_FILE
relay-agent.ts --defect NAME socket-control SOCKET CONFIG_FILE`;
const USAGE_CODE = 2;
const HOST = '127.0.0.1';
/** What is on its way when the agent has ended may take so long to get out. */
const LAST_BYTES_MILLIS = 500;

const refuse = (text: string): void => {
  process.stderr.write(`${text}\n`);
  process.exitCode = USAGE_CODE;
};

/** @param started opens what lies before the agent, given the port it tells that it listens on (0: none) */
const run = async (
  args: readonly string[],
  { overrides = [] }: Partial<AgentDefect>,
  started?: (port: number) => Promise<{ readonly server: Server }>,
): Promise<void> => {
  const all = [...args, ...overrides.flatMap((one) => ['--config-override', one]), '--log-level', 'warn'];
  const wanted = readCommandLine(all, {
    environment: {},
    stderr: (text) => process.stderr.write(text),
  });
  if (wanted.type !== 'run') throw new Error(`our own command line is refused: ${all.join(' ')}`);
  let port = 0;
  const agent = new Agent(await loadConfig(wanted), {
    clock: realClock(),
    log: await openLog(wanted.log),
    self: hostname(),
    manualTrigger: false,
    say: (line) => {
      port = Number(/listening on .*:(\d+)$/.exec(line)?.[1] ?? port);
    },
  });
  onSignals({ stop: () => agent.ask(), reload: () => undefined });
  await agent.start();
  const middle = await started?.(port);
  await agent.asked;
  const { clean } = await agent.stop();
  middle?.server.close();
  process.exitCode = clean ? 0 : 1;
  setTimeout(() => process.exit(), LAST_BYTES_MILLIS);
};

const opened = async (listen: Place, upstream: Place, { spoiler }: Partial<AgentDefect>) => {
  const straight: Spoiler = () => ({});
  return openMiddle(listen, upstream, spoiler?.() ?? straight);
};

type Role = {
  readonly defects: AgentDefects;
  /** @param place where it is dialled, or dials; @param file that it writes, or is configured by */
  readonly run: (defect: Partial<AgentDefect>, place: string, file: string) => Promise<void>;
};

const ROLES: Readonly<Record<string, Role>> = {
  'measurement-server': {
    defects: MEASUREMENT_SERVER_DEFECTS,
    run: (defect, port, file) =>
      run(['--plugins', 'csv', '--relay-in', `${HOST}:0`, '--output-file', file], defect, (inner) =>
        opened({ host: HOST, port: Number(port) }, { host: HOST, port: inner }, defect),
      ),
  },
  'measurement-client': {
    defects: MEASUREMENT_CLIENT_DEFECTS,
    run: async (defect, address, file) => {
      const [, host = HOST, port] = /^(.*):(\d+)$/.exec(address) ?? [];
      const middle = await opened({ host: HOST, port: 0 }, { host, port: Number(port) }, defect);
      await run(['--config', file, '--relay-out', `${HOST}:${middle.port}`], defect);
    },
  },
  'socket-control': {
    defects: SOCKET_CONTROL_DEFECTS,
    run: (defect, path, file) => {
      const inner = `${path}.inner`;
      const overrides = [`plugins.socket-control.socket_path=${JSON.stringify(inner)}`];
      return run(['--config', file], { overrides }, () => opened({ path }, { path: inner }, defect));
    },
  },
};

const [flag, name = '', role = '', place, file] = process.argv.slice(2);
const chosen = ROLES[role];
const defect = name === 'none' ? {} : chosen?.defects[name];
if (flag === '--defect' && name === 'list')
  for (const [of, { defects }] of Object.entries(ROLES))
    for (const [one, { clause, says }] of Object.entries(defects))
      process.stdout.write(`${of.padEnd(20)} ${one.padEnd(24)} ${clause.padEnd(14)} ${says}\n`);
else if (flag !== '--defect' || chosen === undefined || place === undefined || file === undefined)
  refuse(USAGE);
else if (defect === undefined)
  refuse(
    `relay-agent.ts: ${role} has no defect ${name}; there are ${Object.keys(chosen.defects).join(', ')}`,
  );
else await chosen.run(defect, place, file);
