import t from 'tap';
import { fromHex } from '../testing/hex.ts';
import { RelayBench } from '../testing/wire-node.ts';
import { DEFAULT_LIMITS } from './limits.ts';

t.test('what breaks the protocol closes one connection, and others go on', async (t) => {
  const bench = new RelayBench();
  bench.listen('a');
  const b = bench.connect('b', 'a');
  const a = bench.accept('a', 'b');
  const version = '000000000000000400000000';
  for (const { why, hex } of [
    { why: 'VERSION_UNKNOWN', hex: '000000000000000400000001' },
    { why: 'VERSION_MALFORMED', hex: '000000000000000300000000' },
    { why: 'VERSION_MALFORMED', hex: '0000000000000000' },
    { why: 'FRAME_TOO_LONG', hex: '0000000000100001' },
    { why: 'FRAME_TOO_LONG', hex: 'ffffffffffffffff' },
    { why: 'FRAME_TOO_LONG', hex: `${version}0000000000001001` },
    { why: 'SEGMENTS', hex: `${version}0000000000000000` },
    { why: 'PACKED_TRUNCATED', hex: `${version}0000000000000001ff` },
    { why: 'PACKED_TOO_LONG', hex: `${version}0000000000001000${'00ff'.repeat(2_048)}` },
  ]) {
    const bad = bench.dial('bad');
    bad.raw(fromHex(hex));
    t.equal(bad.closed, 'close', why);
    t.ok((bench.machine.stats().refusals.get(why as 'SEGMENTS') ?? 0) > 0, why);
    bad.gone('end');
  }
  for (const { why, hex } of [
    { why: 'SEALED_TOO_SHORT', hex: '000000000000000b0000000000000000000000' },
    { why: 'FRAME_TOO_LONG', hex: '0000000000100001' },
    { why: 'SEAL', hex: `000000000000001c${'00'.repeat(28)}` },
    { why: 'COUNTER', hex: `000000000000001c01${'00'.repeat(27)}` },
  ]) {
    const bad = bench.join('bad');
    bad.raw(fromHex(hex));
    t.equal(bad.closed, 'close', `${why} when sealed`);
    t.ok((bench.machine.stats().refusals.get(why as 'SEGMENTS') ?? 0) > 0, why);
    bad.gone('end');
  }
  const unknown = bench.join('bad');
  unknown.send(fromHex('100350010101030000'));
  t.equal(unknown.closed, 'close', 'an InitConnection of tomorrow');
  b.say('undisturbed');
  t.same(a.texts(), ['undisturbed']);
});

t.test('a frame of just 1 MiB passes from end to end, one byte more is refused', async (t) => {
  const bench = new RelayBench();
  bench.listen('a');
  const b = bench.connect('b', 'a');
  const a = bench.accept('a', 'b');
  const noise = new Uint8Array(1_046_600).map((_, i) => 1 + ((i * 131 + (i >> 8) * 17) % 255));
  const largest = (length: number): Uint8Array => {
    try {
      return b.link.send(bench.now, noise.subarray(0, length));
    } catch {
      return largest(length - 1);
    }
  };
  const frame = largest(noise.length);
  t.ok(
    frame.length - 8 > 2 ** 20 - 16 && frame.length - 8 <= 2 ** 20,
    `a frame of ${frame.length - 8} bytes`,
  );
  b.raw(frame);
  t.ok((a.messages()[0]?.length ?? 0) > 2 * 1_046_000);
  t.throws(() => b.send(new Uint8Array(1_100_000).fill(7)), { code: 'MESSAGE_TOO_LONG' });
  b.raw(fromHex('0000000000100001'));
  t.equal(b.closed, 'close');
});

t.test('times of the handshake are kept to the millisecond', async (t) => {
  const bench = new RelayBench();
  const mute = bench.dial();
  const slow = bench.join('slow');
  bench.pass(3_999);
  t.equal(slow.closed, undefined);
  bench.pass(1);
  t.equal(slow.closed, 'close', 'no InitConnection within 4 s');
  bench.pass(3_999);
  t.equal(mute.closed, undefined);
  bench.pass(1);
  t.equal(mute.closed, 'close', 'no handshake within 8 s');
  slow.init({ type: 'listen' });
  t.equal(bench.machine.stats().listeners, 0, 'an InitConnection that comes late is not heard');
});

t.test('a second InitConnection changes nothing', async (t) => {
  const bench = new RelayBench();
  const a = bench.listen('a');
  a.init({ type: 'listen' });
  t.equal(a.closed, undefined);
  t.match(bench.machine.stats(), { listeners: 1, tunnels: 0, halfTunnels: 0 });
});

t.test(
  '512 handshakes run at once, the others wait, and silent ones of the busiest address make room',
  async (t) => {
    const bench = new RelayBench();
    const crowd = Array.from({ length: 2_000 }, (_, i) => bench.dial('mute', `10.0.${i % 3}.1`));
    t.match(bench.machine.stats(), { handshakes: 512, waiting: 1_488 });
    const good = bench.dial('good', '10.9.9.9');
    t.ok(good.paused, 'somebody else waits as well');
    bench.pass(1_000);
    t.notOk(good.paused, 'no longer than a second');
    good.shake();
    good.init({ type: 'listen' });
    t.match(bench.machine.stats(), { listeners: 1, handshakes: 512 });
    bench.pass(12_000);
    t.equal(good.closed, undefined);
    t.ok(
      crowd.every(({ closed }) => closed === 'close'),
      'all the mute ones are gone',
    );
    t.match(bench.machine.stats(), { handshakes: 0, waiting: 0 });
  },
);

t.test('one address takes half of the handshakes at most, and makes room by itself', async (t) => {
  const bench = new RelayBench();
  for (let i = 0; i < 300; i++) bench.dial('mute', '10.0.0.1');
  t.equal(bench.machine.stats().handshakes, DEFAULT_LIMITS.handshakesPerAddressMax);
  const other = bench.dial('good', '10.0.0.2');
  t.notOk(other.paused, 'others are served at once');
  const same = bench.dial('late', '10.0.0.1');
  bench.pass(1_000);
  t.notOk(same.paused, 'the silent ones of its own address have made room');
});

t.test('connections are limited, altogether and of one address', async (t) => {
  const bench = new RelayBench({ connectionsMax: 3, connectionsPerAddressMax: 2 });
  bench.dial('a', '10.0.0.1');
  bench.dial('b', '10.0.0.1');
  t.equal(bench.dial('c', '10.0.0.1').closed, 'reset');
  const last = bench.dial('d', '10.0.0.2');
  t.equal(bench.dial('e', '10.0.0.3').closed, 'reset');
  t.same(bench.refused, ['too many connections of one address', 'too many connections']);
  last.gone('reset');
  t.equal(bench.dial('f', '10.0.0.3').closed, undefined, 'who leaves makes room');
});

t.test('a connector that talks before it is accepted is paused, and goes on afterwards', async (t) => {
  const bench = new RelayBench({ earlyBytesMax: 10_000, halfTunnelsPerListenerMax: 2 });
  bench.listen('a');
  const b = bench.connect('b', 'a');
  for (let i = 0; i < 12; i++) b.say('x'.repeat(1_000));
  t.ok(b.paused);
  t.ok(bench.machine.stats().earlyBytes > 10_000);
  bench.connect('c', 'a');
  t.equal(bench.connect('d', 'a').closed, 'close', 'too many wait for one listener');
  const a = bench.accept('a', 'b');
  t.notOk(b.paused);
  t.equal(a.messages().length, 12);
  t.equal(bench.machine.stats().earlyBytes, 0);
});

t.test('a listener that never reads is dropped before it costs much', async (t) => {
  const bench = new RelayBench({ unsentBytesMax: 2_000 });
  const a = bench.listen('a');
  for (let i = 0; i < 60 && a.closed === undefined; i++) bench.connect(`b${i}`, 'a').leave();
  t.equal(a.closed, 'reset');
  t.ok(bench.refused.includes('does not read'));
});

t.test('stop lets tunnels end, closes all the rest, and takes no more', async (t) => {
  const bench = new RelayBench();
  const listener = bench.listen('a');
  const b = bench.connect('b', 'a');
  const a = bench.accept('a', 'b');
  const mute = bench.dial();
  bench.feed({ type: 'stop' });
  t.same([listener.closed, mute.closed, a.closed, b.closed], ['close', 'close', undefined, undefined]);
  t.equal(bench.dial().closed, 'reset');
  b.say('still');
  t.same(a.texts(), ['still']);
  for (const node of [listener, mute]) node.gone('end');
  bench.pass(9_999);
  t.equal(a.closed, undefined);
  bench.pass(1);
  t.same([a.closed, b.closed], ['reset', 'reset']);
  t.same(bench.reports.at(-1), { type: 'strelay.drained' });
  t.equal(bench.machine.deadline(), undefined, 'nothing is waited for any more');
});
