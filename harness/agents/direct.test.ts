import t from 'tap';
import { encodeRequest, payload } from '../measure/payload.ts';
import { SinkMachine, SourceMachine } from './direct.ts';
import { Hand, order, sent, told, words } from './testing/hand.ts';

const source = (): Hand => new Hand((name) => new SourceMachine({ host: 'users', port: 9 }, name));
const sink = (): Hand => {
  const hand = new Hand(() => new SinkMachine(0));
  hand.accepted(0, 1);
  return hand;
};
const DIRECT = 0xf0_00_02;
const request = encodeRequest({
  tunnel: DIRECT,
  up: 32 + 100,
  down: 0,
  mode: 'pool',
  close: 'half',
  round: 2,
});

t.test('a source pushes what it is told and ends', (t) => {
  const hand = source();
  t.same(words(hand.tell(0, { do: 'push', round: 2, bytes: 100 })), ['connect 1']);
  const out = hand.feed(1, { type: 'connected', conn: 1 });
  t.same(words(out), ['send 1 32', 'send 1 100', 'flush 1']);
  t.same(sent(out), new Uint8Array([...request, ...payload(DIRECT, 'up', 32, 100)]));
  t.same(words(hand.feed(2, { type: 'flushed', conn: 1 })), ['end 1']);
  t.same(words(hand.tell(3, order())), [], 'an order for users is not heard');
  t.end();
});

t.test('a source whose dial fails forgets it', (t) => {
  const hand = source();
  hand.tell(0, { do: 'push', round: 0, bytes: 100 });
  t.same(words(hand.closed(1, 1, 'refused')), []);
  t.same(words(hand.feed(2, { type: 'connected', conn: 1 })), []);
  t.end();
});

t.test('a sink measures a whole push from its first byte to its end', (t) => {
  const hand = sink();
  hand.bytes(10, 1, request.slice(0, 20));
  hand.bytes(11, 1, new Uint8Array([...request.slice(20), ...payload(DIRECT, 'up', 32, 50)]));
  hand.bytes(20, 1, payload(DIRECT, 'up', 82, 50));
  const out = hand.feed(31, { type: 'ended', conn: 1 });
  t.same(words(out), ['rate.sample', 'end 1']);
  t.match(told(out), [{ path: 'direct', round: 2, bytes: 100, micros: 20_000 }]);
  t.end();
});

t.test('a push that was cut is no sample, and wrong bytes are named', (t) => {
  const hand = sink();
  hand.bytes(10, 1, request);
  t.match(told(hand.bytes(11, 1, payload(DIRECT, 'up', 40, 60))), [{ state: 'lost', length: 8 }]);
  t.same(words(hand.feed(12, { type: 'ended', conn: 1 })), ['end 1']);
  t.same(words(sink().bytes(1, 1, 'x'.repeat(32))), ['reset 1'], 'no request: reset');
  t.end();
});

t.test('a sink says on which port it is, or why it cannot be', (t) => {
  const hand = new Hand(() => new SinkMachine(0));
  t.same(words(hand.feed(0, { type: 'start' })), ['listen']);
  t.match(told(hand.feed(0, { type: 'listening', listener: 0, port: 5 })), [{ type: 'host.ready', port: 5 }]);
  t.match(told(hand.feed(0, { type: 'unlistened', listener: 0, why: 'in use' })), [{ type: 'host.crashed' }]);
  t.end();
});
