import { createServer, isIPv6, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { onSignals } from '../../drivers/node-signals.ts';
import type { Address } from '../../machine/machine.ts';
import { FileFault } from '../files/file-fault.ts';
import { readIdentityFile } from '../files/identity-file.ts';
import { readTicketFile, relayAddress } from '../files/ticket-file.ts';
import { Exposure } from '../node/expose.ts';
import { connectToRelay, type RelayNode } from '../node/library.ts';
import { Reach } from '../node/reach.ts';
import { masked } from '../public-key.ts';
import { openLog } from './log.ts';
import type * as asked from './stnode-command-line.ts';

/** After everything was closed: how long the relay may take to hear of it. */
const PARTING_MILLIS = 2_000;

const say = (text: string): 1 => {
  process.stderr.write(`stnode: ${text}\n`);
  return 1;
};

const FAILED: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used (a port below 1024?)',
  EADDRNOTAVAIL: 'is an address of another machine',
};

/** What runs until it is told to stop. */
type Running = { readonly connections: number; drain(): Promise<void>; destroy(): void };

const nodeOf = (wanted: asked.Expose | asked.Reach, log: Logger): RelayNode => {
  const ticket = readTicketFile(wanted.relay);
  const allowed = new Set(wanted.type === 'expose' ? wanted.allowed : []);
  const node = connectToRelay({
    relay: relayAddress(ticket, wanted.relay),
    relayKey: ticket.publicKey,
    identity: readIdentityFile(wanted.idfile),
    listen: wanted.type === 'expose',
    accept: (from) => allowed.size === 0 || allowed.has(from),
  });
  node.on('lost', ({ why, waitMillis }) => log.warn({ why, waitMillis }, 'stnode.lost'));
  node.on('incoming', (from, welcome) => {
    if (welcome) log.debug({ from: masked(from) }, 'stnode.incoming');
    else log.warn({ from: masked(from) }, 'stnode.turnedAway');
  });
  return node;
};

const expose = (wanted: asked.Expose, node: RelayNode, log: Logger): Running => {
  const { service, allowed, connectionsMax } = wanted;
  if (allowed.length === 0) log.warn('every node that knows our key may connect; --allow KEY limits it');
  const exposure = new Exposure(node, { service, connectionsMax });
  exposure.on('opened', (peer) => log.info({ peer: masked(peer) }, 'stnode.opened'));
  exposure.on('closed', (peer) => log.info({ peer: masked(peer) }, 'stnode.closed'));
  exposure.on('refused', (peer, why) => log.warn({ peer: masked(peer), why }, 'stnode.refused'));
  let told = false;
  node.on('listening', () => {
    log.info('stnode.listening');
    if (!told) process.stdout.write(`stnode reachable as ${node.publicKey}\n`);
    told = true;
  });
  return exposure;
};

const listening = async ({ host, port }: Address, server: Server): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  const address = server.address();
  const real = typeof address === 'object' && address !== null ? address.port : port;
  return `${isIPv6(host) ? `[${host}]` : host}:${real}`;
};

const reach = async (
  wanted: asked.Reach,
  node: RelayNode,
  log: Logger,
): Promise<Running | { readonly failed: string }> => {
  const { peer, connectionsMax, waitMillisMax, listen } = wanted;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  let where: string;
  try {
    where = await listening(listen, server);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return {
      failed: `port ${listen.port} of ${listen.host} ${FAILED[code] ?? `cannot be used: ${message}`}`,
    };
  }
  const reached = new Reach(node, { peer, connectionsMax, waitMillisMax });
  reached.on('up', () => log.info({ peer: masked(peer) }, 'stnode.up'));
  reached.on('down', (why, waitMillis) => log.warn({ peer: masked(peer), why, waitMillis }, 'stnode.down'));
  reached.on('refused', (why) => log.warn({ why }, 'stnode.refused'));
  server.on('connection', (socket) => reached.carry(socket));
  process.stdout.write(`stnode listening on ${where}\n`);
  return {
    get connections() {
      return reached.connections;
    },
    drain: () => {
      server.close();
      return reached.drain();
    },
    destroy: () => reached.destroy(),
  };
};

/** Exposes or reaches until it is told to stop. @returns the exit code: 0 stopped, 1 it could not run */
export const runStnode = async (wanted: asked.Expose | asked.Reach): Promise<number> => {
  const log = await openLog(wanted.log);
  let node: RelayNode;
  try {
    node = nodeOf(wanted, log);
  } catch (error) {
    if (error instanceof FileFault) return say(error.message);
    throw error;
  }
  const running = wanted.type === 'expose' ? expose(wanted, node, log) : await reach(wanted, node, log);
  if ('failed' in running) return say(running.failed);
  const stop = Promise.withResolvers<void>();
  onSignals({ stop: () => stop.resolve() });
  await stop.promise;
  log.info(
    { connections: running.connections },
    'stopping: running connections may end, a second signal ends them',
  );
  await Promise.race([running.drain(), delay(wanted.drainMillis)]);
  running.destroy();
  await Promise.race([node.close(), delay(PARTING_MILLIS)]);
  log.info('stnode.stopped');
  return 0;
};
