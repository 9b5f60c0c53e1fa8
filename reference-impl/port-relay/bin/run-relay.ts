import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connNames, NodeDriver } from '../../drivers/node.ts';
import { onSignals } from '../../drivers/node-signals.ts';
import { randomId } from '../random-id.ts';
import { RelayMachine } from '../relay/relay-machine.ts';
import type { RelayCommand, RelayReport } from '../relay/relay-report.ts';
import type { Wanted } from './command-line.ts';
import { openLog } from './log.ts';

const everyInterface = (): string =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'))
    ? '::'
    : '0.0.0.0';

const FAILED = {
  'in use': 'is in use',
  denied: 'may not be used (a port below 1024, or an address of another machine?)',
  exhausted: 'cannot be opened: no descriptor left',
} as const;

/** Runs a relay until it is told to stop. @returns the exit code: 0 drained, 1 it could not listen */
export const runRelay = async (wanted: Extract<Wanted, { readonly type: 'relay' }>): Promise<number> => {
  const { promise: code, resolve: leave } = Promise.withResolvers<number>();
  const log = await openLog(wanted.log);
  const bind = wanted.bind ?? everyInterface();
  const name = connNames();
  const { port, publicPorts, limits } = wanted;
  const machine = new RelayMachine({ port, limits, newId: randomId, name, publicPorts });

  const report = (event: RelayReport): void => {
    const { type, ...fields } = event;
    switch (type) {
      case 'relay.listening':
        process.stdout.write(`relay listening on ${isIPv6(bind) ? `[${bind}]` : bind}:${event.port}\n`);
        log.info(fields, type);
        return;
      case 'relay.failed':
        process.stderr.write(`relay: port ${event.port} of ${bind} ${FAILED[event.why]}\n`);
        leave(1);
        return;
      case 'relay.refused':
      case 'relay.refusals':
        log.warn(fields, type);
        return;
      case 'relay.registered':
      case 'relay.unregistered':
        log.info(fields, type);
        return;
      case 'relay.user':
      case 'relay.tunnel':
        log.debug(fields, type);
        return;
      case 'relay.drained':
        log.info(type);
        leave(0);
        return;
    }
  };

  if (wanted.metrics !== undefined) {
    const { host, port } = wanted.metrics;
    try {
      // half the time of a start, for those only who want them
      const { relayRegistry } = await import('./metrics.ts');
      const { serveMetrics } = await import('../../metrics/serve-metrics.ts');
      const server = await serveMetrics(
        relayRegistry(() => machine.stats()),
        wanted.metrics,
      );
      log.info({ address: server.address() }, 'metrics');
    } catch (error) {
      process.stderr.write(`relay: metrics cannot be served on ${host}:${port}: ${String(error)}\n`);
      return 1;
    }
  }
  const driver = new NodeDriver<RelayReport, RelayCommand>(machine, {
    name,
    report,
    bind,
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
