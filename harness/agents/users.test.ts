import t from 'tap';
import { payload } from '../measure/payload.ts';
import type { TunnelOrder } from './actor-spec.ts';
import { Hand, order, told, words } from './testing/hand.ts';
import { UsersMachine } from './users.ts';

const users = (): Hand => new Hand((name) => new UsersMachine(name));
const down = (from: number, to: number): Uint8Array => payload(7, 'down', from, to - from);

/** A connected user. */
const open = (given: Partial<TunnelOrder> = {}): Hand => {
  const hand = users();
  hand.tell(0, order(given));
  hand.feed(5, { type: 'connected', conn: 1 });
  return hand;
};

t.test(
  'a user who ends first sends request and payload, ends its half, and is done with the service’s end',
  (t) => {
    const hand = users();
    t.same(words(hand.tell(0, order())), ['tunnel.opened', 'connect 1']);
    t.same(words(hand.feed(5, { type: 'connected', conn: 1 })), [
      'tunnel.connected',
      'send 1 32',
      'send 1 64',
      'flush 1',
    ]);
    t.same(words(hand.feed(6, { type: 'flushed', conn: 1 })), ['end 1']);
    t.same(words(hand.bytes(9, 1, down(0, 600))), ['tunnel.firstByte']);
    t.same(words(hand.bytes(9, 1, down(600, 1_000))), []);
    t.same(words(hand.feed(10, { type: 'ended', conn: 1 })), []);
    const done = {
      type: 'tunnel.done',
      tunnel: 7,
      side: 'user',
      sent: 96,
      received: 1_000,
      sentEnd: 'fin',
      gotEnd: 'fin',
    };
    t.same(told(hand.closed(10, 1, 'end')), [done]);
    t.equal(hand.deadline(), undefined, 'nothing is waited for any more');
    t.end();
  },
);

t.test('payload leaves block by block, each when the one before has left', (t) => {
  const hand = users();
  hand.tell(0, order({ up: 32 + 150_000 }));
  t.same(words(hand.feed(1, { type: 'connected', conn: 1 })).slice(2), ['send 1 65536', 'flush 1']);
  t.same(words(hand.feed(2, { type: 'flushed', conn: 1 })), ['send 1 65536', 'flush 1']);
  t.same(words(hand.feed(3, { type: 'flushed', conn: 1 })), ['send 1 18928', 'flush 1']);
  t.same(words(hand.feed(4, { type: 'flushed', conn: 1 })), ['end 1']);
  t.end();
});

t.test('a user who lets the service end first ends its own half only after that', (t) => {
  const hand = open({ close: 'full' });
  t.same(words(hand.feed(6, { type: 'flushed', conn: 1 })), []);
  hand.bytes(7, 1, down(0, 1_000));
  t.same(words(hand.feed(8, { type: 'ended', conn: 1 })), ['end 1']);
  t.match(told(hand.closed(9, 1, 'end')), [{ sentEnd: 'fin', gotEnd: 'fin' }]);
  t.end();
});

t.test('a user told to abort resets midway and says so', (t) => {
  const hand = open({ close: 'abort' });
  t.same(words(hand.bytes(7, 1, down(0, 400))), ['tunnel.firstByte']);
  t.same(words(hand.bytes(8, 1, down(400, 500))), ['reset 1', 'tunnel.done']);
  t.same(words(hand.bytes(9, 1, down(500, 600))), [], 'nothing is heard of it after its reset');
  t.end();
});

for (const [why, connected, gotEnd] of [
  ['refused', false, 'refused'],
  ['reset', false, 'refused'],
  ['reset', true, 'rst'],
  ['failed', true, 'rst'],
  ['timeout', true, 'timeout'],
  ['unreachable', false, 'timeout'],
  ['exhausted', false, 'none'],
] as const)
  t.test(
    `a connection that ends by ${why} ${connected ? 'after' : 'before'} it was there ends as ${gotEnd}`,
    (t) => {
      const hand = users();
      hand.tell(0, order());
      if (connected) hand.feed(5, { type: 'connected', conn: 1 });
      t.match(told(hand.closed(9, 1, why)), [{ type: 'tunnel.done', gotEnd }]);
      t.same(told(hand.closed(9, 1, why)), [], 'once');
      t.end();
    },
  );

t.test('patience begins anew with every byte, and its end resets the connection', (t) => {
  const hand = open();
  t.equal(hand.deadline(), 1_005);
  hand.bytes(600, 1, down(0, 10));
  t.equal(hand.deadline(), 1_600);
  t.same(words(hand.feed(1_599, { type: 'deadline' })), [], 'woken early: nothing');
  const out = hand.feed(1_600, { type: 'deadline' });
  t.same(words(out), ['reset 1', 'tunnel.done']);
  t.match(told(out), [{ received: 10, gotEnd: 'timeout' }]);
  t.end();
});

t.test('a stalled user reads nothing for its time, however patient it is, and then reads on', (t) => {
  const hand = open({ stallMillis: 5_000 });
  const out = hand.bytes(10, 1, down(0, 100));
  t.same(words(out), ['tunnel.firstByte', 'pause 1', 'tunnel.stalled']);
  hand.feed(11, { type: 'flushed', conn: 1 });
  t.equal(hand.deadline(), 5_010, 'its patience does not end while it is the one who waits');
  t.same(words(hand.feed(5_010, { type: 'deadline' })), ['tunnel.resumed', 'resume 1']);
  t.equal(hand.deadline(), 6_010);
  t.end();
});

t.test('bytes that do not belong there are named, and a hole before them', (t) => {
  const hand = open();
  const out = told(hand.bytes(7, 1, payload(7, 'down', 64, 200)));
  t.match(out, [
    { type: 'tunnel.firstByte' },
    { type: 'ledger.span', direction: 'down', state: 'lost', length: 64 },
  ]);
  t.end();
});

t.test('bytes held back at the end are judged before the tunnel is done', (t) => {
  const hand = open();
  hand.bytes(7, 1, 'wrong');
  t.match(told(hand.closed(8, 1, 'end')), [
    { type: 'ledger.span', state: 'foreign', length: 5 },
    { type: 'tunnel.done', received: 5 },
  ]);
  t.end();
});

t.test('a round of the throughput phase is measured from first byte to end, if it is whole', (t) => {
  const whole = open({ round: 3, close: 'full', up: 32 });
  whole.bytes(100, 1, down(0, 10));
  whole.bytes(300, 1, down(10, 1_000));
  t.match(told(whole.feed(350, { type: 'ended', conn: 1 })), [
    { type: 'rate.sample', path: 'pool', round: 3, bytes: 1_000, micros: 250_000 },
  ]);
  const cut = open({ round: 3, close: 'full', up: 32 });
  cut.bytes(100, 1, down(0, 10));
  t.same(told(cut.feed(350, { type: 'ended', conn: 1 })), []);
  t.end();
});

t.test('a stop gives up every tunnel once', (t) => {
  const hand = users();
  hand.tell(0, order({ tunnel: 1 }));
  hand.tell(0, order({ tunnel: 2 }));
  t.same(words(hand.feed(1, { type: 'stop' })), ['reset 1', 'tunnel.done', 'reset 2', 'tunnel.done']);
  t.same(words(hand.feed(2, { type: 'stop' })), []);
  t.same(
    words(hand.tell(3, { do: 'push', round: 0, bytes: 1 })),
    [],
    'an order for somebody else is not heard',
  );
  t.end();
});
