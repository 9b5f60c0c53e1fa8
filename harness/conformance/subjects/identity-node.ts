#!/usr/bin/env node
/** Our node behind the application of suites/identity: every message of every tunnel goes back. `identity-node.ts [--defect NAME] listen|connect IDFILE TICKET PEER`. */
import { setTimeout as delay } from 'node:timers/promises';
import { readIdentityFile } from '../../../reference-impl/identity-relay/files/identity-file.ts';
import { readTicketFile, relayAddress } from '../../../reference-impl/identity-relay/files/ticket-file.ts';
import { connectToRelay, type Tunnel } from '../../../reference-impl/identity-relay/node/library.ts';
import { NODE_DEFECTS, type NodeDefect } from '../mutants/identity/node-defects.ts';

const AGAIN_MILLIS = 500;

const echo = (tunnel: Tunnel): Promise<unknown> => {
  tunnel.on('message', (bytes) => tunnel.send(bytes));
  return tunnel.closed;
};

const args = process.argv.slice(2);
const defect: Partial<NodeDefect> | undefined =
  args[0] === '--defect' ? NODE_DEFECTS[args.splice(0, 2)[1] ?? ''] : {};
const [mode, idfile, ticketFile, peer] = args;
if (defect === undefined || (mode !== 'listen' && mode !== 'connect') || !idfile || !ticketFile || !peer) {
  console.error('usage: identity-node.ts [--defect NAME] listen|connect IDFILE TICKET PEER');
  console.error(`defects: ${Object.keys(NODE_DEFECTS).join(', ')}`);
  process.exitCode = 2;
} else {
  defect.spoil?.();
  const ticket = readTicketFile(ticketFile);
  const node = connectToRelay({
    relay: relayAddress(ticket, ticketFile),
    relayKey: ticket.publicKey,
    identity: readIdentityFile(idfile),
    listen: mode === 'listen',
    ...defect.options?.(),
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
