import { lookup } from 'node:dns/promises';
import { onSignals } from '../../drivers/node-signals.ts';
import { openForwarder } from '../forwarder.ts';
import type { Wanted } from './command-line.ts';
import { openLog } from './log.ts';

/** Keeps a local service on a relay until it is told to stop. @returns the exit code: 0 stopped, 2 no such host */
export const runForwarder = async (
  wanted: Extract<Wanted, { readonly type: 'forwarder' }>,
): Promise<number> => {
  const { relay, localPort, keepaliveMillis, idleMillis } = wanted;
  const log = await openLog(wanted.log);
  try {
    await lookup(relay.host);
  } catch {
    process.stderr.write(`relay: the name '${relay.host}' of the relay cannot be resolved\n`);
    return 2;
  }
  const { promise: code, resolve: leave } = Promise.withResolvers<number>();
  const schedule = { baseMillis: wanted.retryBaseMillis, capMillis: wanted.retryCapMillis };
  const registration = openForwarder({ relay, localPort, keepaliveMillis, idleMillis, schedule });
  registration.on('registered', ({ port }) => {
    process.stdout.write(`established relay address: ${relay.host}:${port}\n`);
    log.info({ port }, 'client.registered');
  });
  registration.on('lost', ({ why, waitMillis, attempt }) => {
    log.warn({ why, waitMillis, attempt }, 'client.lost');
  });
  registration.on('tunnel', ({ conn, service }) => log.debug({ conn, service }, 'client.tunnel'));
  onSignals({ stop: () => void registration.close().then(() => leave(0)) });
  return code;
};
