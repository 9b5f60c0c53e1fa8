import { isIPv6 } from 'node:net';
import { connNames, NodeDriver } from '../../drivers/node.ts';
import { onSignals } from '../../drivers/node-signals.ts';
import type { Identity } from '../crypto.ts';
import { FileFault } from '../files/file-fault.ts';
import { readIdentityFile } from '../files/identity-file.ts';
import { systemChance } from '../node/system-chance.ts';
import { masked, textOf } from '../public-key.ts';
import { IdentityRelayMachine } from '../relay/relay-machine.ts';
import type { RelayReport } from '../relay/relay-report.ts';
import { openLog } from './log.ts';
import type { Wanted } from './strelay-command-line.ts';

const FAILED = {
  'in use': 'is in use',
  denied: 'may not be used (a port below 1024, or an address of another machine?)',
  exhausted: 'cannot be opened: no descriptor left',
} as const;

const say = (text: string): 1 => {
  process.stderr.write(`strelay: ${text}\n`);
  return 1;
};

/** Keys are shortened wherever a log shows them. */
const loggable = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' && (name === 'key' || name === 'from' || name === 'to')
        ? masked(value)
        : value,
    ]),
  );

/** Runs a relay until it is told to stop. @returns the exit code: 0 drained, 1 it could not run */
export const runStrelay = async (wanted: Extract<Wanted, { readonly type: 'relay' }>): Promise<number> => {
  const { host, port } = wanted.laddr;
  let identity: Identity;
  try {
    identity = readIdentityFile(wanted.idfile);
  } catch (error) {
    if (error instanceof FileFault) return say(error.message);
    throw error;
  }
  const { promise: code, resolve: leave } = Promise.withResolvers<number>();
  const log = await openLog(wanted.log);
  const chance = systemChance();
  const machine = new IdentityRelayMachine({ port, identity, limits: wanted.limits, chance: () => chance });

  const report = (event: RelayReport): void => {
    const { type, ...fields } = event;
    switch (type) {
      case 'strelay.listening':
        process.stdout.write(`strelay listening on ${isIPv6(host) ? `[${host}]` : host}:${event.port}\n`);
        log.info({ ...fields, publicKey: masked(textOf(identity.publicKey)) }, type);
        return;
      case 'strelay.failed':
        leave(say(`port ${event.port} of ${host} ${FAILED[event.why]}`));
        return;
      case 'strelay.refused':
      case 'strelay.refusals':
        log.warn(fields, type);
        return;
      case 'strelay.listener':
      case 'strelay.unlistened':
        log.info(loggable(fields), type);
        return;
      case 'strelay.incoming':
      case 'strelay.tunnel':
      case 'strelay.untunnel':
        log.debug(loggable(fields), type);
        return;
      case 'strelay.drained':
        log.info(type);
        leave(0);
        return;
    }
  };

  if (wanted.metrics !== undefined) {
    const { host, port } = wanted.metrics;
    try {
      const { relayRegistry } = await import('./metrics.ts');
      const { serveMetrics } = await import('../../metrics/serve-metrics.ts');
      const server = await serveMetrics(
        relayRegistry(() => machine.stats()),
        wanted.metrics,
      );
      log.info({ address: server.address() }, 'metrics');
    } catch (error) {
      return say(`metrics cannot be served on ${host}:${port}: ${String(error)}`);
    }
  }
  const driver = new NodeDriver<RelayReport>(machine, {
    name: connNames(),
    report,
    bind: host,
    note: (text) => log.warn(text),
  });
  onSignals({
    stop: () => {
      log.info('stopping: running tunnels may end, a second signal ends them');
      driver.stop();
    },
  });
  driver.start();
  const result = await code;
  driver.destroy();
  return result;
};
