#!/usr/bin/env node
/** Our node behind the application of suites/identity: every message of every tunnel goes back. `identity-node.ts listen|connect IDFILE TICKET PEER`. */
import { setTimeout as delay } from 'node:timers/promises';
import { readIdentityFile } from '../../../reference-impl/identity-relay/files/identity-file.ts';
import { readTicketFile, relayAddress } from '../../../reference-impl/identity-relay/files/ticket-file.ts';
import { connectToRelay, type Tunnel } from '../../../reference-impl/identity-relay/node/library.ts';

const AGAIN_MILLIS = 500;

const echo = (tunnel: Tunnel): Promise<unknown> => {
  tunnel.on('message', (bytes) => tunnel.send(bytes));
  return tunnel.closed;
};

const [mode, idfile, ticketFile, peer] = process.argv.slice(2);
if ((mode !== 'listen' && mode !== 'connect') || !idfile || !ticketFile || !peer) {
  console.error('usage: identity-node.ts listen|connect IDFILE TICKET PEER');
  process.exitCode = 2;
} else {
  const ticket = readTicketFile(ticketFile);
  const node = connectToRelay({
    relay: relayAddress(ticket, ticketFile),
    relayKey: ticket.publicKey,
    identity: readIdentityFile(idfile),
    listen: mode === 'listen',
  });
  node.on('tunnel', (tunnel) => void echo(tunnel));
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void node.close().then(() => process.exit(0)));
  while (mode === 'connect') {
    const tunnel = await node.connect(peer).catch(() => undefined);
    if (tunnel !== undefined) await echo(tunnel);
    await delay(AGAIN_MILLIS);
  }
}
