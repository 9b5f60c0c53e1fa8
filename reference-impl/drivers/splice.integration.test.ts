import { createHash } from 'node:crypto';
import t from 'tap';
import type { NameConn } from '../machine/machine.ts';
import { probeOnread } from './node-handle.ts';
import { dial, NodeScript, Outside, type Peer, pattern, within } from './node-script.ts';
import type { Answer } from './sim-script.ts';
import { PROMOTE_BYTES, readBuffersOut } from './splice.ts';

/** Whoever is accepted is spliced to a dial to `port`, which may not have been answered yet. */
const proxy =
  (port: number) =>
  (name: NameConn): Answer =>
  (input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    if (input.type !== 'accepted') return undefined;
    const conn = name();
    return [
      { type: 'connect', conn, to: { host: '127.0.0.1', port }, from: undefined },
      { type: 'splice', a: input.conn, b: conn },
    ];
  };

const BULK = 2_600_000;

type Pair = { readonly user: Peer; readonly service: Peer };

/** @param bulk a tunnel that has carried enough to be promoted */
const tunnel = async (outside: Outside, script: NodeScript, bulk: boolean): Promise<Pair> => {
  const user = await dial(await script.port());
  const service = await outside.accept();
  if (bulk) {
    user.socket.write(pattern(BULK, 3));
    await service.gets(BULK);
    // one more round trip: a promotion waits for the turn in which nothing is left to write
    service.socket.write('!');
    await user.gets(1);
  }
  return { user, service };
};

const counts = (script: NodeScript) =>
  script.all('closed').map(({ why, received, sent }) => ({ why, received, sent }));

t.test('the private touch works on this Node', async (t) => {
  t.equal(await probeOnread(), undefined);
});

for (const fastSplice of [false, true]) {
  for (const bulk of [false, true]) {
    const setting = `${fastSplice ? 'fast' : 'plain'}, ${bulk ? 'after 2.6 MB' : 'fresh'}`;
    const before = bulk ? BULK : 0;
    const mark = bulk ? 1 : 0;

    t.test(`either half of a splice ends by itself (${setting})`, async (t) => {
      using outside = await Outside.open();
      await using script = new NodeScript(proxy(outside.port), { fastSplice });
      for (const first of ['user', 'service'] as const) {
        const pair = await tunnel(outside, script, bulk);
        const [x, y] = first === 'user' ? [pair.user, pair.service] : [pair.service, pair.user];
        const got = { x: x.received, y: y.received };
        x.socket.end('question');
        await within('the end of one half', y.ended);
        t.equal(y.received - got.y, 8);
        y.socket.write('ans');
        await x.gets(got.x + 3);
        y.socket.end('wer');
        await within('the end of the other', x.ended);
        t.equal(x.received - got.x, 6, `${first} ended first and got the answer`);
        t.same([await within('a close', x.closed), await within('a close', y.closed)], ['end', 'end']);
      }
      await script.hears('closed', undefined, 3);
      const whole = counts(script)
        .slice(0, 2)
        .toSorted((a, b) => b.received - a.received);
      const up = { why: 'end', received: before + 8, sent: mark + 6 };
      t.same(
        bulk ? whole : whole.toSorted((a, b) => b.received - a.received),
        [up, { why: 'end', received: up.sent, sent: up.received }],
        'both ends count the same bytes',
      );
      t.equal(script.driver.connections, 0);
    });

    t.test(`RST of either side arrives as RST (${setting})`, async (t) => {
      using outside = await Outside.open();
      await using script = new NodeScript(proxy(outside.port), { fastSplice });
      for (const who of ['user', 'service'] as const) {
        const pair = await tunnel(outside, script, bulk);
        const [x, y] = who === 'user' ? [pair.user, pair.service] : [pair.service, pair.user];
        const got = y.received;
        x.socket.write('x');
        await y.gets(got + 1);
        x.socket.resetAndDestroy();
        t.equal(await within('a close', y.closed), 'ECONNRESET', `${who} reset`);
      }
      await script.hears('closed', undefined, 3);
      t.same(new Set(counts(script).map(({ why }) => why)), new Set(['reset']));
      t.equal(script.driver.connections, 0);
    });

    t.test(`the owner's reset breaks both sides (${setting})`, async (t) => {
      using outside = await Outside.open();
      await using script = new NodeScript(proxy(outside.port), { fastSplice });
      const { user, service } = await tunnel(outside, script, bulk);
      const { conn } = await script.hears('accepted');
      script.do({ type: 'send', conn, bytes: pattern(5, 0) }, { type: 'end', conn }, { type: 'reset', conn });
      t.same(
        [await within('a close', user.closed), await within('a close', service.closed)],
        ['ECONNRESET', 'ECONNRESET'],
      );
      t.match(await script.hears('closed'), { why: 'reset' });
      t.equal(script.all('closed').length, 1, 'only of the other side');
      t.equal(user.received, mark, 'words about a spliced connection are ignored');
    });
  }

  t.test(`200 blocks both ways, slow readers (${fastSplice ? 'fast' : 'plain'})`, async (t) => {
    using outside = await Outside.open();
    await using script = new NodeScript(proxy(outside.port), { fastSplice });
    const { user, service } = await tunnel(outside, script, false);
    const digests = await within(
      'both directions',
      Promise.all([sendBlocks(user, 1), readSlowly(service), sendBlocks(service, 7), readSlowly(user)]),
      20_000,
    );
    t.equal(digests[1], digests[0], 'up');
    t.equal(digests[3], digests[2], 'down');
    t.ok(user.received > 40 * PROMOTE_BYTES, `${user.received} bytes each way`);
  });

  t.test(`a reader that stops holds the writer back (${fastSplice ? 'fast' : 'plain'})`, async (t) => {
    using outside = await Outside.open();
    await using script = new NodeScript(proxy(outside.port), { fastSplice });
    const { user, service } = await tunnel(outside, script, true);
    service.socket.pause();
    const blocks = 64;
    const block = pattern(1 << 20, 5);
    for (let i = 0; i < blocks; i++) user.socket.write(block);
    user.socket.end();
    // another tunnel through the same driver still works
    const other = await tunnel(outside, script, false);
    other.user.socket.write('ping');
    await other.service.gets(4);
    t.ok(user.socket.writableLength > 16 * block.length, 'most of it waits at its source');
    service.socket.resume();
    await within('the end', service.ended);
    t.equal(service.received, BULK + blocks * block.length);
  });
}

t.test('a FIN or RST that races the promotion is neither lost nor ahead of the bytes', async (t) => {
  using outside = await Outside.open();
  await using script = new NodeScript(proxy(outside.port));
  for (let round = 0; round < 60; round++) {
    const { user, service } = await tunnel(outside, script, false);
    const length = PROMOTE_BYTES - 30_000 + round * 7_919;
    if (round % 2 === 0) service.socket.pause();
    user.socket.write(pattern(length, round));
    if (round % 3 === 0) {
      // the way back ends at the same time
      service.socket.end(pattern(length, 1));
      user.socket.end();
      service.socket.resume();
      await within('both ends', Promise.all([user.ended, service.ended]));
      if (user.received !== length) t.fail(`round ${round}: ${user.received} of ${length} came back`);
    } else if (round % 3 === 1) {
      user.socket.end();
      service.socket.resume();
      await within('the end', service.ended);
      service.socket.end();
      await within('the other end', user.ended);
    } else {
      user.socket.resetAndDestroy();
      service.socket.resume();
      if ((await within('a close', service.closed)) === 'end') t.fail(`round ${round}: RST became FIN`);
      continue;
    }
    if (service.received !== length) t.fail(`round ${round}: ${service.received} of ${length} arrived`);
    if ((await within('a close', service.closed)) !== 'end') t.fail(`round ${round}: FIN became RST`);
  }
  await script.until('every closed', () => (script.all('closed').length === 120 ? true : undefined));
  t.equal(script.driver.connections, 0);
  t.equal(readBuffersOut(), 0);
});

t.test('a bulk tunnel borrows two read buffers and gives them back; a small one none', async (t) => {
  using outside = await Outside.open();
  await using script = new NodeScript(proxy(outside.port));
  await script.port();
  t.equal(readBuffersOut(), 0, 'nothing is left of the tests before');
  const small = await tunnel(outside, script, false);
  const { user, service } = await tunnel(outside, script, true);
  small.user.socket.write('small');
  await small.service.gets(5);
  t.equal(readBuffersOut(), 2);
  user.socket.end();
  await within('the end', service.ended);
  service.socket.end();
  await script.hears('closed', undefined, 1);
  t.equal(readBuffersOut(), 0);
});

t.test('early bytes go first and an end of before the splice is passed on', async (t) => {
  using outside = await Outside.open();
  await using script = new NodeScript((name) => (input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    if (input.type !== 'ended') return undefined;
    const conn = name();
    return [
      { type: 'connect', conn, to: { host: '127.0.0.1', port: outside.port }, from: undefined },
      { type: 'send', conn, bytes: new TextEncoder().encode('early ') },
      { type: 'send', conn, bytes: new TextEncoder().encode('bird') },
      { type: 'splice', a: input.conn, b: conn },
    ];
  });
  const user = await dial(await script.port());
  user.socket.end('held by the machine');
  const service = await outside.accept();
  await within('the end', service.ended);
  t.equal(service.text, 'early bird');
  service.socket.end('late worm');
  await within('the end', user.ended);
  t.equal(user.text, 'late worm');
  t.equal(await within('a close', user.closed), 'end');
});

t.test('a splice with a connection that is gone, or a dial that fails, resets the other', async (t) => {
  const outside = await Outside.open();
  const { port } = outside;
  outside[Symbol.dispose]();
  await using failing = new NodeScript(proxy(port));
  const user = await dial(await failing.port());
  t.equal(await within('a close', user.closed), 'ECONNRESET');
  t.match(await failing.hears('closed', 2), { why: 'refused' });
  t.match(await failing.hears('closed', 1), { why: 'reset' });

  await using gone = new NodeScript(() => (input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    return input.type === 'accepted' ? [{ type: 'splice', a: input.conn, b: 999 }] : undefined;
  });
  const other = await dial(await gone.port());
  t.equal(await within('a close', other.closed), 'ECONNRESET');
  t.match(await gone.hears('closed', 1), { why: 'reset' });
});

const BLOCKS = 200;

const sendBlocks = async (peer: Peer, seed: number): Promise<string> => {
  const hash = createHash('sha256');
  for (let i = 0; i < BLOCKS; i++) {
    const block = pattern(50_000 + ((i * 977) % 60_000), i + seed);
    hash.update(block);
    if (!peer.socket.write(block)) await new Promise((resolve) => peer.socket.once('drain', resolve));
  }
  peer.socket.end();
  return hash.digest('hex');
};

const readSlowly = async (peer: Peer): Promise<string> => {
  const hash = createHash('sha256');
  let chunks = 0;
  peer.socket.on('data', (bytes) => {
    hash.update(bytes);
    if (++chunks % 20 !== 0) return;
    peer.socket.pause();
    setTimeout(() => peer.socket.resume(), 2);
  });
  await peer.ended;
  return hash.digest('hex');
};
