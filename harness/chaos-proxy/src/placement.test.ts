import t from 'tap';
import { PlayedLink } from '../testing/played-link.ts';
import type { When } from './faults/fault.ts';

/** A latency of 50 ms behind each kind of moment: what was written at 10, 20, 30 and when it came out. */
const MOMENTS: readonly { readonly when: When; readonly due: readonly number[] }[] = [
  { when: { afterMillis: 15 }, due: [10, 70, 80] },
  { when: { afterMillis: 1000 }, due: [10, 20, 30] },
  { when: { byte: 0 }, due: [60, 70, 80] },
  { when: { byte: 1 }, due: [10, 70, 80] },
  { when: { byte: 99 }, due: [10, 20, 30] },
  { when: { marker: 'b' }, due: [10, 20, 80] },
  { when: { marker: 'ab' }, due: [10, 20, 80] },
  { when: { marker: 'hex:61' }, due: [10, 70, 80] },
  { when: { marker: 'a', occurrence: 2 }, due: [10, 20, 30] },
  { when: { event: 'accept' }, due: [60, 70, 80] },
  { when: { event: 'connect' }, due: [60, 70, 80] },
  { when: { event: 'firstByte' }, due: [60, 70, 80] },
  { when: { event: 'fin' }, due: [10, 20, 30] },
];

t.test('a fault begins at its moment and spares what came before', (t) => {
  for (const { when, due } of MOMENTS) {
    const link = new PlayedLink({ faults: [{ kind: 'latency', ms: 50, when }] });
    const { client } = link.open(0);
    link.bytes(10, client, 'a').bytes(20, client, 'b').bytes(30, client, 'c').until(500);
    t.same(
      link.sent.map(({ t: at }) => at),
      due,
      JSON.stringify(when),
    );
  }
  t.end();
});

t.test('what is past does not trigger a fault put on a living connection', (t) => {
  const PAST: readonly When[] = [
    { byte: 2 },
    { event: 'accept' },
    { event: 'connect' },
    { event: 'firstByte' },
    { marker: 'ab' },
  ];
  for (const when of PAST) {
    const link = new PlayedLink();
    const { client } = link.open(0);
    link.bytes(1, client, 'abc');
    link.command(2, { do: 'add', id: 'late', fault: { kind: 'reset', when } });
    link.bytes(3, client, 'def').until(500);
    t.equal(link.receipt('late').effects, 0, JSON.stringify(when));
    t.equal(link.text('upstream1'), 'abcdef');
  }
  t.end();
});

t.test('bytes still to come, and FIN, trigger a fault put on a living connection', (t) => {
  for (const when of [{ byte: 5 }, { marker: 'ef' }, { event: 'fin' }] as const) {
    const link = new PlayedLink();
    const { client } = link.open(0);
    link.bytes(1, client, 'abc');
    link.command(2, { do: 'add', id: 'late', fault: { kind: 'reset', when } });
    link.bytes(3, client, 'def').end(4, client).until(500);
    t.equal(link.receipt('late').effects, 1, JSON.stringify(when));
  }
  t.end();
});

t.test('a fault without a moment acts at once on living connections, its bytes counted from there', (t) => {
  const link = new PlayedLink();
  const { client } = link.open(0);
  link.bytes(1, client, 'abc');
  link.command(2, {
    do: 'add',
    id: 'cut',
    fault: { kind: 'cutAfter', bytes: 2, how: 'fin', direction: 'up' },
  });
  link.bytes(3, client, 'defg').until(500);
  t.equal(link.text('upstream1'), 'abcde');
  t.end();
});

t.test('RST behind a cut waits for the bytes before it to leave, but not for ever', (t) => {
  for (const answered of [true, false]) {
    const link = new PlayedLink({ faults: [{ kind: 'cutAfter', bytes: 2, how: 'rst', direction: 'up' }] });
    link.flushes = false;
    const { client, upstream } = link.open(0);
    link.take();
    link.bytes(10, client, 'abcd').until(300);
    t.same(link.take(), ["10 upstream1 send 'ab'", '10 upstream1 flush']);
    if (answered) link.at(300, { type: 'flushed', conn: upstream });
    const at = answered ? 300 : 1010;
    t.same(link.until(5000).take(), [`${at} client1 reset`, `${at} upstream1 reset`]);
  }
  t.end();
});

t.test('a link refuses faults that were never checked', (t) => {
  const bad = { kind: 'latncy', ms: 5 } as unknown as { kind: 'down' };
  t.throws(() => new PlayedLink({ faults: [bad] }), { code: 'FAULT_UNKNOWN' });
  t.throws(() => new PlayedLink().command(1, { do: 'add', id: 'x', fault: bad }), { code: 'FAULT_UNKNOWN' });
  t.end();
});
