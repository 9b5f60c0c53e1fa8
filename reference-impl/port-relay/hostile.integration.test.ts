import t from 'tap';
import { eventually, freeRange, openRelay, Peer } from './live.ts';

const TLS_HELLO = '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003';

/** Registers a pool as a raw client. */
const pool = async (port: number): Promise<{ peer: Peer; port: number; id: string }> => {
  const peer = await Peer.say(port, 'pool\nnew\n');
  return { peer, port: Number(await peer.line()), id: await peer.line() };
};

t.test('one byte a segment and all in one segment register alike, early bytes intact', async (t) => {
  const relay = await openRelay();
  for (const slowly of [true, false]) {
    const text = 'pool\nnew\nearly';
    const peer = await Peer.dial(relay.port);
    if (slowly) {
      for (const char of text) {
        await new Promise((resolve) => peer.socket.write(char, resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
    } else peer.socket.write(text);
    const port = Number(await peer.line());
    t.match(await peer.line(), /^[0-9A-F]{32}$/);
    const user = await Peer.say(port, 'hello');
    t.equal((await user.bytes(5)).toString(), 'early');
    t.equal((await peer.bytes(5)).toString(), 'hello');
    user.reset();
  }
  relay.driver.destroy();
});

t.test('fifty connections that say nothing and go, half of them by RST, disturb nobody', async (t) => {
  const relay = await openRelay();
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const peer = await Peer.dial(relay.port);
      if (i % 2 === 0) peer.reset();
      else peer.socket.destroy();
    }),
  );
  const { peer } = await pool(relay.port);
  t.pass('the next registration is answered');
  peer.reset();
  relay.driver.destroy();
});

const GARBAGE: readonly (readonly [name: string, text: string])[] = [
  ['a TLS hello', TLS_HELLO],
  ['an HTTP request', 'GET / HTTP/1.1\r\nHost: relay\r\n\r\n'],
  ['a mebibyte without a newline', 'x'.repeat(1_048_576)],
  ['a mebibyte that begins well', `pool\n${'A'.repeat(1_048_576)}`],
  ['NULs', '\u0000'.repeat(64)],
  ['a blank line', '\n'],
  ['two words', 'pool new\n'],
  ['a blank second line', 'event\n\n'],
  ['an unknown mode', 'telnet\n'],
  ['capitals', 'POOL\nnew\n'],
  ['a guessed pool id', 'pool\nFFFFFFFFFF\n'],
  ['a guessed event id', 'event\nFFFFFFFFFF\n'],
];
t.test('garbage is closed promptly, and a running tunnel loses nothing', async (t) => {
  const relay = await openRelay();
  const service = await pool(relay.port);
  const user = await Peer.say(service.port, 'before ');
  await service.peer.bytes(7);
  for (const [name, text] of GARBAGE) {
    const peer = await Peer.say(relay.port, text);
    await peer.over(5_000);
    t.equal(peer.heard.length, 0, name);
    peer.socket.destroy();
  }
  user.socket.end('after');
  await service.peer.over();
  t.equal(service.peer.heard.toString(), 'before after');
  service.peer.socket.end('answer');
  await user.over();
  t.equal(user.heard.toString(), 'answer');
  relay.driver.destroy();
});

t.test('64 stalled handshakes stand beside a good one, and are closed in time', async (t) => {
  const relay = await openRelay({ controlMillisMax: 1_500 });
  const stalled = await Promise.all(Array.from({ length: 64 }, () => Peer.say(relay.port, 'p')));
  const good = await pool(relay.port);
  t.ok(
    stalled.every((peer) => peer.end === undefined),
    'the good one is served while the others stand',
  );
  for (const peer of stalled) await peer.over(5_000);
  t.pass('all 64 are closed');
  good.peer.reset();
  for (const peer of stalled) peer.socket.destroy();
  relay.driver.destroy();
});

t.test('out of ports: refused at once, and free again when the others leave', async (t) => {
  const relay = await openRelay({}, await freeRange(3));
  const clients = await Promise.all([pool(relay.port), pool(relay.port), pool(relay.port)]);
  const surplus = await Peer.say(relay.port, 'pool\nnew\n');
  t.equal(await surplus.over(1_000), 'fin');
  t.equal(surplus.heard.length, 0);
  surplus.socket.destroy();
  for (const { peer } of clients) peer.reset();
  const events = await Promise.all([1, 2, 3].map(() => Peer.say(relay.port, 'event\nnew\n')));
  // the three pools still have their grace time: no port for anybody
  for (const peer of events) t.equal(await peer.over(1_000), 'fin');
  for (const peer of events) peer.socket.destroy();
  relay.driver.destroy();
});

t.test('event listeners that are killed give their ports back at once', async (t) => {
  const relay = await openRelay({}, await freeRange(2));
  for (let round = 0; round < 3; round++) {
    const clients = await Promise.all([1, 2].map(() => Peer.say(relay.port, 'event\nnew\n')));
    for (const peer of clients) t.match(await peer.line(), /^\d+$/);
    for (const peer of clients) peer.reset();
    await eventually('ports are back', () => relay.machine.stats().registrations.event === 0);
  }
  relay.driver.destroy();
});

t.test(
  'pooled connections that died are never handed out, and waiting users that died get none',
  async (t) => {
    const relay = await openRelay();
    const first = await pool(relay.port);
    const joins = await Promise.all([1, 2, 3, 4].map(() => Peer.say(relay.port, `pool\n${first.id}\n`)));
    const pooled = (): number => relay.machine.stats().pooled;
    await eventually('all have joined', () => pooled() === 5);
    joins[0]?.reset();
    joins[1]?.socket.end();
    joins[2]?.reset();
    await eventually('the dead are noticed', () => pooled() === 2);
    const users = await Promise.all([1, 2].map((i) => Peer.say(first.port, `user ${i}`)));
    t.match((await joins[3]?.bytes(6))?.toString(), /^user/);
    t.match((await first.peer.bytes(6)).toString(), /^user/);
    const dead = await Peer.say(first.port, 'dead');
    await eventually('the user waits', () => relay.machine.stats().waiting === 1);
    dead.reset();
    await eventually('the user is gone', () => relay.machine.stats().waiting === 0);
    const alive = await Peer.say(first.port, 'alive');
    const join = await Peer.say(relay.port, `pool\n${first.id}\n`);
    t.equal((await join.bytes(5)).toString(), 'alive');
    for (const peer of [...users, alive]) peer.reset();
    relay.driver.destroy();
  },
);

t.test('a yamux peer that breaks its protocol ends its own registration only', async (t) => {
  const relay = await openRelay();
  const good = await pool(relay.port);
  const bad = await Peer.say(relay.port, 'multiplex\n');
  await bad.line();
  bad.socket.write(Buffer.from('ff'.repeat(12), 'hex'));
  await bad.over();
  await eventually('the session ends', () => relay.machine.stats().registrations.multiplex === 0);
  const user = await Peer.say(good.port, 'still here');
  t.equal((await good.peer.bytes(10)).toString(), 'still here');
  user.reset();
  relay.driver.destroy();
});
