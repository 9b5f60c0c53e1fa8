import t from 'tap';
import { textOf } from '../public-key.ts';
import { identityFor, RelayBench } from '../testing/wire-node.ts';

const keyOf = (name: string): string => textOf(identityFor(name).publicKey);

t.test(
  'a connector is announced, what it says early is kept, and both hear each other from the accept on',
  async (t) => {
    const bench = new RelayBench();
    const a = bench.listen('a');
    const b = bench.connect('b', 'a');
    t.same(a.incoming(), [keyOf('b')]);
    b.say('early');
    b.say('');
    const tunnel = bench.accept('a', 'b');
    tunnel.say('hello');
    b.say('late');
    t.same(tunnel.texts(), ['early', '', 'late']);
    t.same(b.texts(), ['hello']);
    t.match(bench.machine.stats(), {
      listeners: 1,
      halfTunnels: 0,
      tunnels: 1,
      messagesTotal: 4,
      earlyBytes: 0,
    });
    t.same(
      bench.reports.map(({ type }) => type),
      ['strelay.listener', 'strelay.incoming', 'strelay.tunnel'],
    );
    bench.connect('b', 'a');
    bench.accept('a', 'b');
    t.equal(bench.machine.stats().tunnels, 2, 'a running tunnel does not stop a second one');
  },
);

t.test('connecting to oneself works', async (t) => {
  const bench = new RelayBench();
  const a = bench.listen('a');
  const one = bench.connect('a', 'a');
  t.same(a.incoming(), [keyOf('a')]);
  const other = bench.accept('a', 'a');
  one.say('me');
  other.say('myself');
  t.same([other.texts(), one.texts()], [['me'], ['myself']]);
});

t.test(
  'nobody there, a second connect, a second listen and an accept of nobody are closed, the first ones live',
  async (t) => {
    const bench = new RelayBench();
    const a = bench.listen('a');
    const b = bench.connect('b', 'a');
    for (const { closed, why } of [
      { closed: bench.listen('a').closed, why: 'listens already' },
      { closed: bench.connect('c', 'nobody').closed, why: 'nobody listens' },
      { closed: bench.connect('b', 'a').closed, why: 'connects already' },
      { closed: bench.accept('a', 'c').closed, why: 'nobody to accept' },
      { closed: bench.accept('c', 'b').closed, why: 'nobody to accept' },
    ])
      t.equal(closed, 'close', why);
    t.same([...bench.machine.stats().refusals.keys()].length, 4);
    t.same([a.closed, b.closed], [undefined, undefined]);
  },
);

t.test('a rejected connector is closed, and rejecting a stranger means nothing', async (t) => {
  const bench = new RelayBench();
  const a = bench.listen('a');
  const b = bench.connect('b', 'a');
  a.reject('c');
  t.equal(b.closed, undefined);
  a.reject('b');
  t.equal(b.closed, 'close');
  t.equal(bench.accept('a', 'b').closed, 'close', 'nobody waits any more');
  t.equal(bench.connect('b', 'a').closed, undefined, 'it may try again');
});

t.test('a half tunnel lives 32 s, whether its connector stays or has left', async (t) => {
  const bench = new RelayBench();
  const a = bench.listen('a');
  const b = bench.connect('b', 'a');
  bench.connect('c', 'a').leave();
  bench.pass(31_999);
  for (const node of [a, b]) node.keepAlive();
  t.equal(b.closed, undefined);
  t.equal(bench.connect('c', 'a').closed, 'close', 'refused while its first half tunnel waits');
  bench.pass(1);
  t.equal(b.closed, 'close');
  t.equal(bench.connect('c', 'a').closed, undefined, 'and free again after it');
});

t.test('what a connector said before it left is delivered, then the tunnel closes', async (t) => {
  const bench = new RelayBench();
  bench.listen('a');
  const b = bench.connect('b', 'a');
  b.say('goodbye');
  b.leave();
  const tunnel = bench.accept('a', 'b');
  t.same(tunnel.texts(), ['goodbye']);
  t.equal(tunnel.closed, 'end');
  t.match(bench.machine.stats(), { tunnels: 0, halfTunnels: 0, earlyBytes: 0 });
});

t.test('one end that closes closes the other once all is sent; a reset does as well', async (t) => {
  for (const how of ['fin', 'reset'] as const) {
    const bench = new RelayBench();
    bench.listen('a');
    const b = bench.connect('b', 'a');
    const a = bench.accept('a', 'b');
    b.say('last words');
    if (how === 'fin') b.leave();
    else b.gone('reset');
    t.same(a.texts(), ['last words']);
    t.equal(a.closed, 'end', how);
    t.equal(bench.machine.stats().tunnels, 0);
    bench.pass(60_000);
    t.equal(bench.machine.stats().connections, 0, 'an end that never reads is given up');
  }
});

t.test('losing its listener keeps its tunnels, closes its half tunnels and frees its key', async (t) => {
  const bench = new RelayBench();
  const first = bench.listen('a');
  const b = bench.connect('b', 'a');
  const tunnel = bench.accept('a', 'b');
  const c = bench.connect('c', 'a');
  first.gone('reset');
  t.equal(c.closed, 'close');
  b.say('still here');
  t.same(tunnel.texts(), ['still here']);
  t.equal(bench.listen('a').closed, undefined, 'it listens again');
});

t.test('a listener that vanished keeps its key for 32 s, and then another takes it over', async (t) => {
  const bench = new RelayBench();
  const first = bench.listen('a');
  bench.pass(31_999);
  t.equal(bench.listen('a').closed, 'close');
  bench.pass(1);
  t.equal(first.closed, 'reset');
  t.equal(bench.listen('a').closed, undefined);
});

t.test('a node hears a keepAlive after 16 s, and is dropped after 32 s of its own silence', async (t) => {
  const bench = new RelayBench();
  const a = bench.listen('a');
  bench.pass(15_999);
  t.equal(a.heard.length, 0);
  bench.pass(1);
  t.equal(a.heard.length, 1);
  a.keepAlive();
  bench.pass(31_999);
  t.equal(a.closed, undefined);
  bench.pass(1);
  t.equal(a.closed, 'reset');
  t.match(bench.refused, ['SILENT']);
});

t.test(
  'a blocked connection keeps its clock: it is neither dropped for silence nor loses a message',
  async (t) => {
    const bench = new RelayBench({ unsentBytesMax: 1_000 });
    bench.listen('a');
    const b = bench.connect('b', 'a');
    const a = bench.accept('a', 'b');
    for (let i = 0; i < 4; i++) b.say(`${i}`.repeat(600));
    t.ok(b.paused, 'b is held back while a does not read');
    let heard = '';
    for (let second = 0; second < 50; second += 10) {
      bench.pass(10_000);
      heard += a.texts().join('');
      a.keepAlive();
    }
    t.equal(b.closed, undefined, '50 s later it is still there');
    a.flushed();
    a.flushed();
    t.notOk(b.paused);
    t.equal(heard.length, 2_400);
    bench.pass(20_000);
    a.messages();
    a.keepAlive();
    bench.pass(11_999);
    t.equal(b.closed, undefined);
    bench.pass(1);
    t.equal(b.closed, 'reset', 'from then on its silence counts again');
  },
);

t.test('a rekey by the relay comes after 3,601 s, and the tunnel goes on through it', async (t) => {
  const bench = new RelayBench();
  bench.listen('a');
  const b = bench.connect('b', 'a');
  const a = bench.accept('a', 'b');
  for (let second = 0; second < 3_700; second += 10) {
    bench.pass(10_000);
    for (const node of [a, b]) {
      node.messages();
      node.keepAlive();
    }
  }
  b.say('after');
  t.same(a.texts(), ['after']);
  a.say('too');
  t.same(b.texts(), ['too']);
});
