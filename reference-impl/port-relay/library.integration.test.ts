import t from 'tap';
import { openForwarder } from './forwarder.ts';
import { openEvent, openPool } from './library.ts';
import { eventually, openRelay, openService, Peer, within } from './live.ts';

/** A port of this machine that nobody listens on. */
const deadPort = async (): Promise<number> => {
  const { port, server } = await openService(() => {});
  server.close();
  return port;
};

t.test('a forwarder serves a local port and tells what happens', async (t) => {
  const echo = await openService((peer) => peer.socket.pipe(peer.socket));
  const relay = await openRelay();
  const forwarder = openForwarder({
    relay: { host: '127.0.0.1', port: relay.port },
    localPort: echo.port,
    schedule: { baseMillis: 20 },
  });
  const told: string[] = [];
  forwarder.on('registered', ({ port, mode }) => told.push(`registered ${mode} ${port > 0}`));
  forwarder.on('tunnel', () => told.push('tunnel'));
  forwarder.on('lost', ({ why }) => told.push(`lost ${why}`));
  const port = await within(5_000, 'a port', forwarder.port);
  const user = await Peer.say(port, 'hello');
  user.socket.end();
  await user.over();
  t.equal(user.heard.toString(), 'hello');
  relay.driver.tell({ type: 'drop', port });
  await eventually(
    'it has come back',
    () => told.filter((text) => text.startsWith('registered')).length === 2,
  );
  t.strictSame(told, ['registered multiplex true', 'tunnel', 'lost end', 'registered multiplex true']);
  await within(5_000, 'closed', forwarder.close());
  await within(5_000, 'closed again', forwarder.close());
  echo.server.close();
  relay.driver.destroy();
});

t.test('a client that may try only so often says that it gave up', async (t) => {
  const client = openEvent({
    relay: { host: '127.0.0.1', port: await deadPort() },
    service: { host: '127.0.0.1', port: 9 },
    schedule: { baseMillis: 1, triesMax: 2 },
  });
  const gaveUp = Promise.withResolvers<number>();
  client.on('gaveUp', ({ attempts }) => gaveUp.resolve(attempts));
  t.equal(await within(5_000, 'gives up', gaveUp.promise), 2);
  await t.rejects(client.port, { message: 'no port: gave up after 2 attempts' });
  await within(5_000, 'closed', client.close());
});

t.test('a client that is closed before it had a port rejects it, and nobody is ended by that', async (t) => {
  const client = openPool({
    relay: { host: '127.0.0.1', port: await deadPort() },
    service: { host: '127.0.0.1', port: 9 },
  });
  await within(5_000, 'closed', client.close());
  await t.rejects(client.port, { message: 'no port: closed before the relay gave one' });
});

t.test('a pool whose relay was restarted registers anew', async (t) => {
  const echo = await openService((peer) => peer.socket.pipe(peer.socket));
  const relay = await openRelay();
  const client = openPool({
    relay: { host: '127.0.0.1', port: relay.port },
    service: { host: '127.0.0.1', port: echo.port },
    schedule: { baseMillis: 20, capMillis: 100 },
    poolSize: 3,
  });
  const ports: number[] = [];
  client.on('registered', ({ port }) => ports.push(port));
  const first = await within(5_000, 'a port', client.port);
  relay.driver.tell({ type: 'drop', port: first });
  await eventually('the forgotten id is noticed', () => ports.length === 2, 10_000);
  const user = await Peer.say(ports[1] as number, 'again');
  t.equal((await user.bytes(5)).toString(), 'again');
  user.reset();
  await within(15_000, 'closed', client.close());
  echo.server.close();
  relay.driver.destroy();
});
