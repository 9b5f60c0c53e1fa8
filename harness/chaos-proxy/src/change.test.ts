import t from 'tap';
import { PlayedLink } from '../testing/played-link.ts';

t.test('a changed fault keeps its place among the others and its receipt', (t) => {
  const link = new PlayedLink({
    faults: [
      { kind: 'slice', size: 2, delayUs: 0 },
      { kind: 'cutAfter', bytes: 5, how: 'fin' },
    ],
  });
  const { client } = link.open(0);
  link.bytes(1, client, 'abc');
  link.command(2, { do: 'change', id: 'slice', fault: { kind: 'slice', size: 1, delayUs: 0 } });
  link.bytes(3, client, 'defg');
  t.equal(link.text('upstream1'), 'abcde', 'the cut still comes behind the slices');
  t.same(
    link.sent.filter(({ t }) => t === 3).map(({ bytes }) => bytes.length),
    [1, 1],
  );
  t.ok(link.receipt('slice').effects >= 2, 'both lives in one receipt');
  t.throws(() => link.command(4, { do: 'change', id: 'nix', fault: { kind: 'down' } }), {
    code: 'FAULT_ID_UNKNOWN',
  });
  t.end();
});

t.test('a changed limit counts on from where it began', (t) => {
  const link = new PlayedLink({ faults: [{ kind: 'cutAfter', bytes: 10, how: 'close', direction: 'up' }] });
  const one = link.open(0);
  const two = link.open(0);
  link.bytes(1, one.client, 'abcd').bytes(1, two.client, 'abcdefg');
  link.command(2, {
    do: 'change',
    id: 'cutAfter',
    fault: { kind: 'cutAfter', bytes: 6, how: 'close', direction: 'up' },
  });
  link.take();
  link.bytes(3, one.client, 'efgh').bytes(3, two.client, 'h');
  t.equal(link.text('upstream1'), 'abcdef', 'six bytes in all');
  t.equal(link.text('upstream2'), 'abcdefg', 'what is past cannot be taken back');
  t.equal(link.take().filter((row) => row.endsWith(' end')).length, 4, 'and then both are closed');
  t.end();
});

t.test('what a fault alone delays leaves at once when it is flushed or changed', (t) => {
  const rows: readonly [string, (link: PlayedLink) => void, readonly string[]][] = [
    [
      'removed without flush',
      (link) => link.command(5, { do: 'remove', id: 'latency' }),
      ["100 upstream1 send 'x'", '100 upstream1 end'],
    ],
    [
      'flushed',
      (link) => link.command(5, { do: 'remove', id: 'latency', flush: true }),
      ["5 upstream1 send 'x'", '5 upstream1 end'],
    ],
    [
      'changed',
      (link) => link.command(5, { do: 'change', id: 'latency', fault: { kind: 'latency', ms: 10 } }),
      ["5 upstream1 send 'x'", '5 upstream1 end'],
    ],
  ];
  for (const [name, act, expected] of rows) {
    const link = new PlayedLink({ faults: [{ kind: 'latency', ms: 100 }] });
    const { client } = link.open(0);
    link.bytes(0, client, 'x').end(0, client);
    link.take();
    act(link);
    link.until(200);
    t.same(link.take(), expected, name);
  }
  t.end();
});

t.test('flushing one fault leaves what another one delays', (t) => {
  const link = new PlayedLink({
    faults: [
      { kind: 'latency', ms: 30 },
      { kind: 'latency', ms: 50 },
    ],
  });
  const { client } = link.open(0);
  link.bytes(0, client, 'x');
  link.take();
  link.command(5, { do: 'remove', id: 'latency', flush: true }).until(200);
  t.same(link.take(), ["80 upstream1 send 'x'"]);
  t.end();
});

t.test('close gives FIN to both ends, and RST to the one that goes on talking', (t) => {
  const link = new PlayedLink({ faults: [{ kind: 'cutAfter', bytes: 3, how: 'close', direction: 'down' }] });
  const { client, upstream } = link.open(0);
  link.take();
  link.bytes(1, upstream, 'abcdef');
  t.same(link.take(), ["1 client1 send 'abc'", '1 client1 end', '1 upstream1 end']);
  link.bytes(2, upstream, 'more');
  t.same(link.take(), ['2 upstream1 reset'], 'the client keeps its bytes');
  link.end(3, client).closed(3, client, 'end');
  t.same(link.take(), []);
  const { cut, closed } = link.receipt('cutAfter').numbers;
  t.same({ cut, closed }, { cut: 1, closed: 1 });
  t.end();
});

t.test('a black hole swallows one direction and closes on time, on removal, or never', (t) => {
  const link = new PlayedLink({ faults: [{ kind: 'blackhole', closeMs: 50, direction: 'up' }] });
  const { client, upstream } = link.open(0);
  link.take();
  link.bytes(10, client, 'lost').bytes(20, upstream, 'passes');
  t.same(link.take(), ["20 client1 send 'passes'"]);
  link.until(50);
  t.same(link.take(), ['50 client1 end', '50 upstream1 end']);
  t.same(link.receipt('blackhole').numbers, { closed: 1, connections: 1, dropped: 4 });

  const open = new PlayedLink({ faults: [{ kind: 'blackhole', direction: 'down', selector: { first: 1 } }] });
  open.open(0);
  const second = open.open(0);
  open.until(1e9).take();
  open.command(1e9, { do: 'remove', id: 'blackhole', flush: true });
  t.same(open.take(), ['1000000000 client1 end', '1000000000 upstream1 end'], 'the first only');
  open.bytes(1e9, second.client, 'x');
  t.same(open.take(), ["1000000000 upstream2 send 'x'"]);
  t.end();
});

t.test('a connection closed before its upstream is there gives up the dial', (t) => {
  const fault = { kind: 'blackhole', closeMs: 50 } as const;
  const dialling = new PlayedLink({ faults: [fault] });
  dialling.open(0, false);
  t.same(dialling.until(60).take().slice(-2), ['50 client1 end', '50 upstream1 reset']);
  const waiting = new PlayedLink({ faults: [fault, { kind: 'acceptDelay', ms: 500 }] });
  const { client } = waiting.open(0, false);
  t.same(
    waiting.until(600).take().slice(-1),
    ['50 client1 end'],
    'and one that was never begun is not begun',
  );
  t.same(waiting.closed(700, client, 'end').take(), []);
  t.end();
});

t.test('losses come in runs with a correlation', (t) => {
  const runs = (correlation: number): number => {
    const link = new PlayedLink({ faults: [{ kind: 'lossLike', ratio: 0.05, correlation, rtoMs: 1 }] });
    const { client } = link.open(0);
    link.bytes(0, client, new Uint8Array(1460 * 400));
    return link.receipt('lossLike').numbers.retransmitted ?? 0;
  };
  t.ok(runs(0.9) > 3 * runs(0), `${runs(0)} without, ${runs(0.9)} with`);
  t.end();
});

t.test('one dial that hangs delays no other', (t) => {
  const link = new PlayedLink();
  const stuck = link.open(0, false);
  link.bytes(1, stuck.client, 'waits');
  const other = link.open(2);
  link.bytes(2, other.client, 'goes').bytes(3, other.upstream, 'back');
  t.equal(link.text('upstream2'), 'goes');
  t.equal(link.text('client2'), 'back');
  t.equal(link.text('upstream1'), '');
  t.end();
});

t.test('receipts of removed faults are kept while they are few', (t) => {
  const link = new PlayedLink({ faults: [{ kind: 'stall', onMs: 1 }] });
  for (let i = 0; i < 300; i++) {
    link.command(1, { do: 'add', id: `fault ${i}`, fault: { kind: 'latency', ms: 1 } });
    link.command(1, { do: 'remove', id: `fault ${i}` });
  }
  link.reports.length = 0;
  link.command(2, { do: 'receipts' });
  t.equal(link.reports.length, 257, 'the one that acts and 256');
  t.equal(link.receipt('fault 299').effects, 0, 'the latest');
  t.throws(() => link.receipt('fault 0'), { code: 'FAULT_ID_UNKNOWN' });
  t.end();
});
