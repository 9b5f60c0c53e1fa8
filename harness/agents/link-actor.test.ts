import { type Fault, LinkMachine } from 'chaos-proxy';
import t from 'tap';
import { LinkActor } from './link-actor.ts';
import { Hand, order, told, words } from './testing/hand.ts';

const KEEPALIVE = 2_000;
const link = (faults: readonly Fault[] = []): Hand =>
  new Hand((name) => {
    const upstream = { host: 'relay', port: 4000 };
    return new LinkActor(
      new LinkMachine({ listen: { port: 0 }, upstream, faults, seed: 1, name, keepaliveMillis: KEEPALIVE }),
      'home/link',
      KEEPALIVE,
    );
  });
/** A link with one connection through it: the accepted end is 100, the dialled one 1. */
const used = (faults: readonly Fault[] = []): Hand => {
  const hand = link(faults);
  hand.feed(0, { type: 'start' });
  hand.accepted(0, 100);
  hand.feed(1, { type: 'connected', conn: 1 });
  return hand;
};
/** Wakes it whenever it wants, until then. */
const wait = (hand: Hand, until: number): ReturnType<typeof told> => {
  const all = [];
  for (let at = hand.deadline(); at !== undefined && at <= until; at = hand.deadline())
    all.push(...told(hand.feed(at, { type: 'deadline' })));
  return all;
};

t.test('says on which port it is, or why it cannot be, and when it has stopped', (t) => {
  const hand = link();
  t.same(words(hand.feed(0, { type: 'start' })), ['listen']);
  t.same(told(hand.feed(0, { type: 'listening', listener: 1, port: 5 })), [{ type: 'host.ready', port: 5 }]);
  const taken = hand.feed(0, { type: 'unlistened', listener: 1, why: 'in use' });
  t.same(told(taken), [{ type: 'host.crashed', reason: 'cannot listen: in use' }]);
  t.same(words(hand.feed(1, { type: 'stop' })), ['unlisten', 'host.stopped']);
  t.end();
});

t.test('carries bytes and probes what it dialled', (t) => {
  const hand = link();
  hand.feed(0, { type: 'start' });
  t.same(words(hand.accepted(0, 100)), ['connect 1']);
  t.equal(words(hand.feed(1, { type: 'connected', conn: 1 }))[0], 'keepalive 1');
  t.ok(words(hand.bytes(2, 100, 'up')).includes('send 1 2'));
  t.ok(words(hand.bytes(3, 1, 'down')).includes('send 100 4'));
  t.end();
});

t.test('a fault of the timeline leaves one receipt and its end, when its time is over', (t) => {
  const hand = used();
  hand.tell(1_000, { do: 'link', fault: 4, what: { kind: 'stall', onMs: 300 }, forMillis: 300 });
  const kept = hand.bytes(1_100, 100, 'held');
  t.notOk(words(kept).includes('send 1 4'), 'held');
  const events = wait(hand, 5_000).filter((event) => event.type.startsWith('fault.'));
  const about = { fault: 4, kind: 'link stall', site: 'home' };
  t.match(events, [
    { type: 'fault.receipt', ...about, effects: Number },
    { type: 'fault.ended', ...about },
  ]);
  t.ok(events[0]?.type === 'fault.receipt' && events[0].effects > 0, 'it did something');
  t.same(wait(hand, 60_000), [], 'and nothing more');
  t.end();
});

t.test('two faults at once leave a receipt each', (t) => {
  const hand = used();
  hand.tell(0, { do: 'link', fault: 1, what: { kind: 'stall', onMs: 100 }, forMillis: 100 });
  hand.tell(10, { do: 'link', fault: 2, what: { kind: 'stall', onMs: 400 }, forMillis: 400 });
  hand.bytes(20, 100, 'held');
  const receipts = wait(hand, 5_000).filter((event) => event.type === 'fault.receipt');
  t.same(
    receipts.map((event) => event.type === 'fault.receipt' && event.fault),
    [1, 2],
  );
  t.end();
});

t.test('a fault that met nothing says so: no effect, no proof', (t) => {
  const hand = link();
  hand.feed(0, { type: 'start' });
  hand.tell(0, { do: 'link', fault: 1, what: { kind: 'stall', onMs: 100 }, forMillis: 100 });
  t.match(wait(hand, 1_000), [{ type: 'fault.receipt', effects: 0 }, { type: 'fault.ended' }]);
  t.end();
});

t.test('what its own profile does all the time is not in the trace', (t) => {
  const hand = used([{ kind: 'latency', ms: 20 }]);
  hand.bytes(10, 100, 'late');
  t.same(wait(hand, 10_000), []);
  t.same(hand.tell(20, order()), [], 'an order for users is not heard');
  t.end();
});
