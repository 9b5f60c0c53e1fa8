import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { connectToRelay } from './node/library.ts';
import { eventually, newIdentity, openRelay, within } from './testing/live.ts';

t.setTimeout(120_000);

const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  await within(20_000, 'connect', once(socket, 'connect'));
  return socket;
};

/** A relay with two nodes and a tunnel between them. */
const open = async (limits: Parameters<typeof openRelay>[0] = {}) => {
  const live = await openRelay(limits);
  const relay = { host: '127.0.0.1', port: live.port };
  const relayKey = live.identity.publicKey;
  const node = (listen: boolean) => connectToRelay({ relay, relayKey, identity: newIdentity(), listen });
  const [a, b] = [node(true), node(false)];
  const accepted = once(a, 'tunnel');
  await eventually('a listens', () => live.machine.stats().listeners === 1);
  const there = await within(10_000, 'a tunnel', b.connect(a.publicKey));
  const [here] = (await within(10_000, 'its other end', accepted)) as [typeof there];
  const close = async (): Promise<void> => {
    await Promise.all([a.close(), b.close()]);
    live.driver.destroy();
  };
  return { live, node, a, there, here, close };
};

t.test('2,000 half-open handshakes keep nobody out, and are gone in time', async (t) => {
  const { live, node, a, there, here, close } = await open({ handshakesPerAddressMax: 512 });
  const crowd = await Promise.all(Array.from({ length: 2_000 }, () => dial(live.port)));
  t.ok(live.machine.stats().handshakes <= 512);
  const late = node(false);
  const tunnel = await within(20_000, 'a tunnel beside the crowd', late.connect(a.publicKey));
  tunnel.end();
  there.send(new Uint8Array([1, 2, 3]));
  const [bytes] = await within(10_000, 'a message', once(here, 'message'));
  t.same([...(bytes as Uint8Array)], [1, 2, 3], 'the running tunnel is undisturbed');
  await eventually('the crowd is gone', () => live.machine.stats().handshakes === 0, 20_000);
  for (const socket of crowd) socket.destroy();
  await late.close();
  await close();
});

t.test('one short sealed frame from each of 50 clients stops nobody', async (t) => {
  const { live, there, here, close } = await open();
  for (let i = 0; i < 50; i++) {
    const socket = await dial(live.port);
    socket.resume();
    socket.write(Buffer.from('000000000000000400000000000000000000000b0000000000000000000000', 'hex'));
    await within(10_000, 'it is closed', once(socket, 'close'));
  }
  there.send(new Uint8Array(1_000));
  const [bytes] = await within(10_000, 'a message', once(here, 'message'));
  t.equal((bytes as Uint8Array).length, 1_000);
  await close();
});

t.test('a reader that stops holds its writer back, and nothing is lost when it goes on', async (t) => {
  const { live, there, here, close } = await open({ unsentBytesMax: 65_536 });
  const got: number[] = [];
  here.on('message', (bytes) => got.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)));
  here.pause();
  const message = new Uint8Array(randomBytes(65_536));
  let [sent, blocked] = [0, false];
  while (!blocked && sent < 3_000) {
    new DataView(message.buffer).setUint32(0, sent++);
    if (there.send(message)) continue;
    const drained = once(there, 'drain');
    blocked = await within(2_000, 'drain', drained).then(
      () => false,
      () => true,
    );
  }
  t.ok(blocked, `the writer was held back after ${sent} messages`);
  here.resume();
  await eventually('all has come', () => got.length === sent, 30_000);
  t.ok(
    got.every((number, i) => number === i),
    'in order',
  );
  t.equal(live.machine.stats().tunnels, 1);
  await close();
});

t.test('a wrong relay key, nobody and a refusal are told to whoever connects', async (t) => {
  const { live, node, a, close } = await open();
  const relay = { host: '127.0.0.1', port: live.port };
  const stranger = connectToRelay({
    relay,
    relayKey: newIdentity().publicKey,
    identity: newIdentity(),
    listen: false,
  });
  await t.rejects(stranger.connect(a.publicKey), { name: 'ConnectError', why: 'PEER_UNEXPECTED' });
  const lonely = node(false);
  await t.rejects(lonely.connect(newIdentity().publicKey), { name: 'ConnectError' });
  await t.rejects(lonely.connect('no key'), { name: 'RangeError' });
  const closed = connectToRelay({
    relay,
    relayKey: live.identity.publicKey,
    identity: newIdentity(),
    accept: () => false,
  });
  await eventually('it listens', () => live.machine.stats().listeners === 2);
  await t.rejects(lonely.connect(closed.publicKey), { name: 'ConnectError' });
  await Promise.all([stranger.close(), lonely.close(), closed.close()]);
  await close();
});
