import { connect } from 'node:net';
import t from 'tap';
import { connNames, NodeDriver } from '../drivers/node.ts';
import { resetSocket } from '../drivers/node-handle.ts';
import { type Rng, rngFor } from '../machine/rng.ts';
import { PLAIN } from './client/client-cases.ts';
import type { ClientCommand, ClientReport } from './client/client-report.ts';
import { EventClient } from './client/event-client.ts';
import { eventually, openRelay, openService, within } from './live.ts';

const USERS = 2_000;
const AT_ONCE = 40;
const ABORTED_PERCENT = 10;
const SEED = 20_261_121;

type Fate = 'served' | 'aborted' | 'lost';

/** The relay joins a user some turns of the event loop after it came: an abort shall fall into each of them. */
const afterTurns = (turns: number, call: () => void): void => {
  if (turns === 0) call();
  else setImmediate(afterTurns, turns - 1, call);
};

/** Asks, is answered and leaves; or aborts: at once, behind its first byte, a few turns later, or in mid-answer. */
const visit = (port: number, rng: Rng): Promise<Fate> => {
  const { promise, resolve } = Promise.withResolvers<Fate>();
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const aborts = rng.below(100) < ABORTED_PERCENT ? rng.below(4) : undefined;
  let received = 0;
  const abort = (): void => {
    resetSocket(socket);
    resolve('aborted');
  };
  socket.on('error', () => {});
  socket.on('connect', () => {
    if (aborts === 0) return abort();
    socket.end('question');
    if (aborts === 1) abort();
    else if (aborts === 2) afterTurns(rng.below(16), abort);
  });
  socket.on('data', (bytes) => {
    received += bytes.length;
    if (aborts === 3) abort();
  });
  socket.on('close', () => resolve(received === 'question'.length ? 'served' : 'lost'));
  return promise;
};

t.test(
  '2,000 short users, one in ten aborts, and nothing is left but what waits',
  { timeout: 90_000 },
  async (t) => {
    const service = await openService(({ socket }) => {
      socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end());
    });
    const relay = await openRelay({ keepaliveMillis: 0 });
    const name = connNames();
    const port = Promise.withResolvers<number>();
    const client = new NodeDriver<ClientReport, ClientCommand>(
      new EventClient({
        relay: { host: '127.0.0.1', port: relay.port },
        service: { host: '127.0.0.1', port: service.port },
        poolSize: 1,
        schedule: PLAIN,
        rng: rngFor(SEED, 'client'),
        name,
        dialMillis: 10_000,
        keepaliveMillis: 0,
        startAfterMillis: 0,
      }),
      { name, report: (event) => event.type === 'client.registered' && port.resolve(event.port) },
    );
    client.start();
    const publicPort = await within(5_000, 'a port', port.promise);

    const rng = rngFor(SEED, 'users');
    const fates = { served: 0, aborted: 0, lost: 0 };
    let left = USERS;
    const come = async (): Promise<void> => {
      while (left-- > 0) fates[await visit(publicPort, rng)]++;
    };
    await within(60_000, 'all users', Promise.all(Array.from({ length: AT_ONCE }, come)));
    t.equal(fates.lost, 0, 'whoever did not abort was served');
    t.ok(fates.aborted > USERS / 20, `seed ${SEED}: ${fates.aborted} aborted`);

    await eventually(
      'only the control connection is open',
      () => relay.driver.connections === 1 && client.connections === 1,
      10_000,
    ).catch(() => {});
    t.equal(relay.driver.connections, 1, 'relay');
    t.equal(client.connections, 1, 'client');
    t.match(relay.machine.stats(), { connections: 1, waiting: 0, tunnels: 0, registrations: { event: 1 } });
    service.server.close();
    client.destroy();
    relay.driver.destroy();
  },
);
