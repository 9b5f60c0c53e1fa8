import fc from 'fast-check';
import t from 'tap';
import { encodeRequest, payload, type Request } from '../measure/payload.ts';
import { ServiceMachine } from './service.ts';
import { Hand, sent, told, words } from './testing/hand.ts';

const request = (given: Partial<Request> = {}): Request => ({
  tunnel: 7,
  up: 96,
  down: 1_000,
  mode: 'pool',
  close: 'half',
  round: -1,
  ...given,
});
const up = (from: number, to: number): Uint8Array => payload(7, 'up', from, to - from);
const service = (): Hand => {
  const hand = new Hand(() => new ServiceMachine(0));
  hand.accepted(0, 1);
  return hand;
};

t.test('listens, and says on which port or why not', (t) => {
  const hand = new Hand(() => new ServiceMachine(0));
  t.same(words(hand.feed(0, { type: 'start' })), ['listen']);
  t.same(told(hand.feed(0, { type: 'listening', listener: 0, port: 81 })), [
    { type: 'host.ready', port: 81 },
  ]);
  const denied = hand.feed(0, { type: 'unlistened', listener: 0, why: 'denied' });
  t.match(told(denied), [{ type: 'host.crashed', reason: /denied/ }]);
  t.same(words(hand.feed(9, { type: 'stop' })), ['unlisten']);
  t.same(
    words(new Hand(() => new ServiceMachine(-1)).feed(0, { type: 'start' })),
    [],
    'one that only adopts',
  );
  t.end();
});

t.test('answers a half-closing user after its end, with its own end behind', (t) => {
  const hand = service();
  t.same(words(hand.bytes(1, 1, encodeRequest(request()))), ['tunnel.opened']);
  t.same(words(hand.bytes(1, 1, up(32, 96))), []);
  const out = hand.feed(2, { type: 'ended', conn: 1 });
  t.same(words(out), ['send 1 1000', 'flush 1']);
  t.same(sent(out), payload(7, 'down', 0, 1_000));
  t.same(words(hand.feed(3, { type: 'flushed', conn: 1 })), ['end 1']);
  t.same(words(hand.feed(3, { type: 'flushed', conn: 1 })), [], 'ends once');
  t.match(told(hand.closed(4, 1, 'end')), [
    { type: 'tunnel.done', side: 'service', sent: 1_000, received: 96, sentEnd: 'fin', gotEnd: 'fin' },
  ]);
  t.end();
});

t.test('answers others at once, while they still send', (t) => {
  for (const close of ['full', 'abort'] as const)
    t.same(words(service().bytes(1, 1, encodeRequest(request({ close })))), [
      'tunnel.opened',
      'send 1 1000',
      'flush 1',
    ]);
  t.end();
});

t.test('a request may come in any pieces, with payload behind it', (t) => {
  const whole = Buffer.concat([encodeRequest(request()), up(32, 96)]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }), (sizes) => {
      const hand = service();
      const events: string[] = [];
      let at = 0;
      for (let i = 0; at < whole.length; i++) {
        const size = sizes[i % sizes.length] as number;
        events.push(...words(hand.bytes(1, 1, new Uint8Array(whole.subarray(at, at + size)))));
        at += size;
      }
      hand.feed(2, { type: 'ended', conn: 1 });
      const [done] = told(hand.closed(3, 1, 'end'));
      return events.join() === 'tunnel.opened' && done?.type === 'tunnel.done' && done.received === 96;
    }),
    { seed: 1, numRuns: 200 },
  );
  t.end();
});

t.test('what is no request is somebody else’s: named with its bytes and reset', (t) => {
  const hand = service();
  const out = hand.bytes(1, 1, `GET / HTTP/1.1\r\nhost: example.com\r\n\r\n`);
  t.same(words(out), ['ledger.span', 'reset 1']);
  t.match(told(out), [{ tunnel: -1, direction: 'up', state: 'foreign', length: 37, hex: /^474554/ }]);
  t.same(words(hand.bytes(2, 1, 'more')), [], 'nothing is heard of it after that');
  t.end();
});

t.test('a connection without a request is ended in order and leaves no word', (t) => {
  const hand = service();
  t.same(words(hand.feed(1, { type: 'ended', conn: 1 })), ['end 1']);
  t.same(words(hand.closed(1, 1, 'end')), []);
  const other = service();
  other.bytes(1, 1, 'half a requ');
  t.same(words(other.closed(2, 1, 'reset')), []);
  t.end();
});

for (const [why, gotEnd] of [
  ['reset', 'rst'],
  ['timeout', 'timeout'],
] as const)
  t.test(`a ${why} midway is told with what had come`, (t) => {
    const hand = service();
    hand.bytes(1, 1, encodeRequest(request({ up: 5_000 })));
    hand.bytes(1, 1, up(32, 1_000));
    t.match(told(hand.closed(4, 1, why)), [
      { type: 'tunnel.done', received: 1_000, sent: 0, sentEnd: 'none', gotEnd },
    ]);
    t.end();
  });

t.test('a repeated stretch is named', (t) => {
  const hand = service();
  hand.bytes(1, 1, encodeRequest(request({ up: 5_000 })));
  hand.bytes(1, 1, up(32, 512));
  // What a stretch is shows by what follows it: only then is it named.
  const said = [...told(hand.bytes(2, 1, up(32, 512))), ...told(hand.bytes(3, 1, up(512, 1_024)))];
  t.match(said, [{ type: 'ledger.span', state: 'repeated', from: '7/up/32' }]);
  t.end();
});

t.test('serves what it adopts like what it accepts', (t) => {
  const machine = new ServiceMachine(-1);
  const hand = new Hand(() => machine);
  machine.adopt(9);
  t.ok(machine.serves(9));
  t.same(words(hand.bytes(1, 9, encodeRequest(request({ down: 0, close: 'full' })))), [
    'tunnel.opened',
    'end 9',
  ]);
  hand.closed(2, 9, 'end');
  t.notOk(machine.serves(9));
  t.end();
});
