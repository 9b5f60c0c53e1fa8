import t from 'tap';
import { PlayedLink } from '../testing/played-link.ts';
import { parseFault } from './faults/check.ts';
import { LinkMachine } from './link.ts';

t.test('a link without faults passes bytes and FIN on at once, in both directions', (t) => {
  const link = new PlayedLink();
  const { client, upstream } = link.open(1);
  link.bytes(2, client, 'ask').end(2, client).bytes(3, upstream, 'answer').end(4, upstream);
  link.closed(4, client, 'end').closed(4, upstream, 'end');
  t.same(link.take(), [
    '0 listen',
    '1 dial upstream',
    "2 upstream1 send 'ask'",
    '2 upstream1 end',
    "3 client1 send 'answer'",
    '4 client1 end',
  ]);
  t.equal(link.machine.deadline(), undefined, 'it waits for nothing');
  t.end();
});

t.test('RST of either end becomes RST of the other at once, past delayed bytes', (t) => {
  for (const side of ['client', 'upstream'] as const) {
    const link = new PlayedLink({ faults: [parseFault('latency:ms=60')] });
    const ends = link.open(0);
    link.take();
    link.bytes(10, ends[side], 'under way').closed(20, ends[side]).until(500);
    t.same(link.take(), [`20 ${side === 'client' ? 'upstream1' : 'client1'} reset`], side);
  }
  t.end();
});

t.test('a refused upstream becomes RST at once', (t) => {
  const link = new PlayedLink();
  const { client, upstream } = link.open(0, false);
  link.bytes(1, client, 'early').closed(2, upstream, 'refused').until(500);
  t.same(link.take(), ['0 listen', '0 dial upstream', '2 client1 reset']);
  t.end();
});

t.test('a client that resets while the upstream is dialled gives the dial up', (t) => {
  const link = new PlayedLink();
  const { client } = link.open(0, false);
  link.closed(1, client).until(500);
  t.same(link.take(), ['0 listen', '0 dial upstream', '1 upstream1 reset']);
  t.end();
});

t.test('early bytes and an early FIN follow the connect in order, early bytes are bounded', (t) => {
  const link = new PlayedLink({ earlyBytesMax: 4 });
  const { client, upstream } = link.open(0, false);
  link.bytes(1, client, 'abc').bytes(2, client, 'def').end(3, client);
  t.same(link.take(), ['0 listen', '0 dial upstream', '2 client1 pause']);
  link.at(4, { type: 'connected', conn: upstream });
  t.same(link.take(), [
    "4 upstream1 send 'abc'",
    "4 upstream1 send 'def'",
    '4 upstream1 end',
    '4 client1 resume',
  ]);
  t.end();
});

t.test('a source is paused when too much is under way, and let go when half of it has left', (t) => {
  const link = new PlayedLink({ faults: [parseFault('bandwidth:rate=1MB')] });
  link.flushes = false;
  const { client, upstream } = link.open(0);
  link.take();
  link.bytes(0, client, new Uint8Array(70_000));
  t.same(link.take(), ['0 client1 pause'], 'the floor is 64 KiB');
  link.until(40);
  const rows = link.take();
  t.ok(rows.includes('33 upstream1 flush'), 'asks once 32 KiB wait at the sink');
  t.notOk(
    rows.some((row) => row.endsWith('resume')),
    'bytes the sink did not take count as well',
  );
  link.at(41, { type: 'flushed', conn: upstream }).at(80, { type: 'flushed', conn: upstream });
  t.same(link.take().at(-1), '80 client1 resume');
  t.end();
});

t.test('the bound follows rate and latency, between 64 KiB and 1 MiB', (t) => {
  for (const [fault, least, most] of [
    ['latency:ms=500', 1_048_576, 1_048_576],
    ['bandwidth:rate=100MB', 1_048_576, 1_048_576],
    ['bandwidth:rate=10MB', 200_000, 200_000],
    ['bandwidth:rate=1000', 65_536, 65_536],
  ] as const) {
    const link = new PlayedLink({ faults: [parseFault(fault), parseFault('stall:onMs=1000')] });
    const { client } = link.open(0);
    let taken = 0;
    while (!link.rows.includes('1 client1 pause') && taken < 2e6) {
      link.bytes(1, client, new Uint8Array(1000));
      taken += 1000;
    }
    t.ok(taken > least && taken <= most + 1000, `${fault}: paused at ${taken}`);
  }
  t.end();
});

t.test('a fault added at run time acts on living connections, a removed one no more', (t) => {
  const link = new PlayedLink();
  const { client } = link.open(0);
  link.take();
  link.bytes(1, client, 'a').command(10, { do: 'add', id: 'late', fault: { kind: 'latency', ms: 50 } });
  link.bytes(11, client, 'b').command(20, { do: 'remove', id: 'late' }).bytes(21, client, 'c').until(100);
  t.same(link.take(), ["1 upstream1 send 'a'", "61 upstream1 send 'b'", "61 upstream1 send 'c'"]);
  t.equal(link.receipt('late').effects, 1, 'receipts outlive their faults');
  t.end();
});

t.test('removing a stall lets out at once what it held', (t) => {
  const link = new PlayedLink();
  const { client } = link.open(0);
  link.take();
  link.command(1, { do: 'add', id: 's', fault: { kind: 'stall', onMs: 1e9 } });
  link.bytes(2, client, 'held').command(500, { do: 'remove', id: 's' });
  t.same(link.take(), ["500 upstream1 send 'held'"]);
  t.same(link.receipt('s').numbers.stalled, 4);
  t.end();
});

t.test('down and up as commands, and a fresh receipt for each down', (t) => {
  const link = new PlayedLink();
  link.open(0);
  link.take();
  link.command(1, { do: 'down' });
  link.open(2);
  link.command(3, { do: 'up' });
  link.open(4);
  t.same(link.take(), ['1 client1 reset', '1 upstream1 reset', '2 client2 reset', '4 dial upstream']);
  t.equal(link.receipt('down').effects, 2);
  link.command(5, { do: 'down' });
  t.equal(link.receipt('down').effects, 1);
  t.end();
});

t.test('upstream changes where new connections go', (t) => {
  const link = new PlayedLink();
  link.command(0, { do: 'upstream', to: { host: 'elsewhere', port: 1 } });
  link.open(1);
  t.same(link.take(), ['0 listen', '1 dial elsewhere']);
  t.end();
});

t.test('clear takes every fault off and shows every receipt', (t) => {
  const link = new PlayedLink({ faults: [parseFault('latency:ms=5'), parseFault('latency:ms=6')] });
  link.command(1, { do: 'clear' });
  t.same(
    link.reports.map((report) => (report.type === 'link.receipt' ? report.id : report.type)),
    ['latency', 'latency-2'],
  );
  t.end();
});

t.test('a silent connection is reset at keepalive time, with a receipt', (t) => {
  const link = new PlayedLink({
    faults: [parseFault('cutAfter:bytes=1,how=silent,direction=up')],
    keepaliveMillis: 1000,
  });
  const { client } = link.open(0);
  link.take();
  link.bytes(10, client, 'ab').until(5000);
  t.same(link.take(), ["10 upstream1 send 'a'", '1010 client1 reset', '1010 upstream1 reset']);
  t.equal(link.receipt('cutAfter').numbers.keepaliveReset, 1);
  t.end();
});

t.test('a static link splices what no fault can touch, and only that', (t) => {
  const link = new PlayedLink({ static: true, faults: [parseFault('latency:ms=9,selector.first=1')] });
  link.open(0);
  const { client, upstream } = link.open(1, false);
  link.bytes(2, client, 'early').at(3, { type: 'connected', conn: upstream });
  t.same(link.take(), [
    '0 listen',
    '0 dial upstream',
    '1 dial upstream',
    "3 upstream2 send 'early'",
    '3 splice client2 upstream2',
  ]);
  link.closed(9, client, 'end').closed(9, upstream, 'end');
  t.throws(() => link.command(10, { do: 'down' }), { code: 'LINK_STATIC' });
  t.end();
});

t.test('a static link splices a connection whose faults are over', (t) => {
  const link = new PlayedLink({ static: true, faults: [parseFault('latency:ms=9,forMillis=100')] });
  const { client } = link.open(0);
  link.bytes(50, client, 'a').bytes(150, client, 'b').bytes(160, client, 'c').until(500);
  t.same(link.take().slice(2), [
    "59 upstream1 send 'a'",
    "150 upstream1 send 'b'",
    '150 splice client1 upstream1',
  ]);
  t.end();
});

t.test('stop stops listening and reports once the last connection is over', (t) => {
  const link = new PlayedLink();
  const { client, upstream } = link.open(0);
  link.at(1, { type: 'stop' });
  t.notOk(link.reports.some(({ type }) => type === 'link.stopped'));
  link.closed(2, client, 'end').closed(2, upstream, 'end');
  t.ok(link.reports.some(({ type }) => type === 'link.stopped'));
  t.ok(link.rows.includes('1 unlisten'));
  t.end();
});

t.test('effects are reported a few times a second, their sums stay exact', (t) => {
  const link = new PlayedLink({ faults: [parseFault('latency:ms=5')] });
  const clients = Array.from({ length: 20 }, () => link.open(0).client);
  for (let i = 0; i < 1000; i++) link.bytes(i, clients[i % 20] as number, 'x');
  link.until(3000);
  const effects = link.reports.flatMap((report) => (report.type === 'link.effect' ? [report] : []));
  t.ok(effects.length <= 20, `${effects.length} reports for 1000 effects in a second`);
  t.equal(
    effects.reduce((sum, { amount }) => sum + amount, 0),
    1000,
  );
  t.end();
});

t.test('wrong commands are errors with a code', (t) => {
  const link = new PlayedLink({ faults: [parseFault('latency:ms=5')] });
  t.throws(() => link.command(1, { do: 'remove', id: 'latncy' }), { code: 'FAULT_ID_UNKNOWN' });
  t.throws(() => link.command(1, { do: 'receipt', id: 'x' }), { code: 'FAULT_ID_UNKNOWN' });
  t.throws(() => link.command(1, { do: 'add', id: 'latency', fault: { kind: 'down' } }), {
    code: 'FAULT_ID_TAKEN',
  });
  t.end();
});

t.test('inputs about connections that are gone or foreign are ignored', (t) => {
  const machine = new LinkMachine({
    listen: { port: 0 },
    upstream: { host: 'u', port: 1 },
    faults: [],
    seed: 1,
    name: () => 7,
  });
  machine.handle(0, { type: 'start' });
  for (const input of [
    { type: 'bytes', conn: 99, bytes: new Uint8Array(1) },
    { type: 'ended', conn: 99 },
    { type: 'flushed', conn: 99 },
    { type: 'connected', conn: 99 },
    { type: 'closed', conn: 99, why: 'reset', received: 0, sent: 0 },
    { type: 'stream', conn: 99, session: 98 },
  ] as const)
    t.same(machine.handle(1, input), [], input.type);
  t.end();
});
