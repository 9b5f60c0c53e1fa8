import t from 'tap';
import { encodeRequest } from '../measure/payload.ts';
import type { ScriptStep } from './actor-spec.ts';
import { ScriptMachine } from './script.ts';
import { Hand, sent, told, words } from './testing/hand.ts';

const script = (...steps: ScriptStep[]): Hand =>
  new Hand((name) => new ScriptMachine({ host: 'relay', port: 4000 }, steps, name));
const text = (outputs: ReturnType<Hand['feed']>): string => Buffer.from(sent(outputs)).toString('latin1');
const DIAL: ScriptStep = { do: 'dial', conn: 'c' };

t.test('says its lines, keeps what it hears, and says that again', (t) => {
  const hand = script(
    DIAL,
    { do: 'send', conn: 'c', text: 'pool\nnew\n' },
    { do: 'line', conn: 'c', as: 'port' },
    { do: 'line', conn: 'c', as: 'id' },
    { do: 'send', conn: 'c', text: '{id}/{nothing}\n' },
    { do: 'mark', name: 'there', port: 'port' },
  );
  t.same(words(hand.feed(0, { type: 'start' })), ['connect 1']);
  t.equal(text(hand.feed(1, { type: 'connected', conn: 1 })), 'pool\nnew\n');
  t.same(words(hand.bytes(2, 1, '40')), []);
  const out = hand.bytes(3, 1, '01\r\nABC\n');
  t.equal(text(out), 'ABC/\n', 'a name nobody kept is empty');
  t.same(told(out), [{ type: 'script.mark', name: 'there', port: 4001 }]);
  t.equal(hand.deadline(), undefined, 'done');
  t.end();
});

t.test('waits as long as told, whatever comes meanwhile', (t) => {
  const hand = script(DIAL, { do: 'wait', millis: 500 }, { do: 'end', conn: 'c' });
  hand.feed(0, { type: 'start' });
  hand.feed(10, { type: 'connected', conn: 1 });
  t.equal(hand.deadline(), 510);
  t.same(words(hand.bytes(400, 1, 'hello')), []);
  t.same(words(hand.feed(509, { type: 'deadline' })), []);
  t.same(words(hand.feed(510, { type: 'deadline' })), ['end 1']);
  t.end();
});

for (const [why, what] of [
  ['end', 'end'],
  ['reset', 'reset'],
  ['timeout', 'reset'],
] as const)
  t.test(`sees that a connection was over by ${why}`, (t) => {
    const hand = script(DIAL, { do: 'expectEnd', conn: 'c', name: 'PORT-X', millis: 300 });
    hand.feed(0, { type: 'start' });
    hand.feed(1, { type: 'connected', conn: 1 });
    t.same(told(hand.closed(100, 1, why)), [{ type: 'script.saw', name: 'PORT-X', what }]);
    t.same(told(hand.closed(101, 1, why)), [], 'once');
    t.end();
  });

t.test('sees an end before the connection is closed, a refusal, and that nobody ended it', (t) => {
  const expect: ScriptStep = { do: 'expectEnd', conn: 'c', name: 'X', millis: 300 };
  const ended = script(DIAL, expect);
  ended.feed(0, { type: 'start' });
  ended.feed(1, { type: 'connected', conn: 1 });
  t.match(told(ended.feed(2, { type: 'ended', conn: 1 })), [{ what: 'end' }]);
  const refused = script(DIAL, expect);
  refused.feed(0, { type: 'start' });
  t.match(told(refused.closed(2, 1, 'refused')), [{ what: 'refused' }]);
  const open = script(DIAL, expect, { do: 'mark', name: 'after', port: undefined });
  open.feed(0, { type: 'start' });
  open.feed(1, { type: 'connected', conn: 1 });
  t.match(told(open.feed(301, { type: 'deadline' })), [{ what: 'open' }, { name: 'after', port: 0 }]);
  t.end();
});

t.test('a relay that says nothing stops the script after ten seconds, not the run', (t) => {
  const hand = script(
    DIAL,
    { do: 'line', conn: 'c', as: 'port' },
    { do: 'mark', name: 'never', port: 'port' },
  );
  hand.feed(0, { type: 'start' });
  hand.feed(1, { type: 'connected', conn: 1 });
  t.equal(hand.deadline(), 10_001);
  t.same(told(hand.feed(10_001, { type: 'deadline' })), [
    { type: 'script.stuck', step: 1, waitingFor: 'line' },
  ]);
  t.same(words(hand.bytes(10_002, 1, '4001\n')), [], 'too late');
  t.equal(hand.deadline(), undefined);
  const dial = script(DIAL);
  dial.feed(0, { type: 'start' });
  t.match(told(dial.feed(10_000, { type: 'deadline' })), [
    { type: 'script.stuck', step: 0, waitingFor: 'dial' },
  ]);
  const long = script(DIAL, { do: 'line', conn: 'c', as: 'x' });
  long.feed(0, { type: 'start' });
  long.feed(1, { type: 'connected', conn: 1 });
  t.same(words(long.bytes(2, 1, 'x'.repeat(1_000))), [], 'an endless line is no line');
  t.match(told(long.feed(10_001, { type: 'deadline' })), [{ type: 'script.stuck' }]);
  t.end();
});

t.test('a connection served from then on answers what had come before', (t) => {
  const hand = script(DIAL, { do: 'wait', millis: 50 }, { do: 'serve', conn: 'c' });
  const request = encodeRequest({ tunnel: 3, up: 32, down: 10, mode: 'pool', close: 'half', round: -1 });
  hand.feed(0, { type: 'start' });
  hand.feed(1, { type: 'connected', conn: 1 });
  hand.bytes(2, 1, request);
  hand.feed(3, { type: 'ended', conn: 1 });
  t.same(
    words(hand.feed(51, { type: 'deadline' })),
    ['tunnel.opened', 'send 1 10', 'flush 1'],
    'its end too',
  );
  t.same(words(hand.feed(52, { type: 'flushed', conn: 1 })), ['end 1']);
  t.match(told(hand.closed(53, 1, 'end')), [{ type: 'tunnel.done', gotEnd: 'fin' }]);
  t.end();
});

t.test('a stop resets what is open, also what is served', (t) => {
  const hand = script(
    DIAL,
    { do: 'dial', conn: 'd' },
    { do: 'serve', conn: 'd' },
    { do: 'line', conn: 'c', as: 'x' },
  );
  hand.feed(0, { type: 'start' });
  hand.feed(1, { type: 'connected', conn: 1 });
  hand.feed(2, { type: 'connected', conn: 2 });
  t.same(words(hand.feed(3, { type: 'stop' })), ['reset 1', 'reset 2']);
  t.equal(hand.deadline(), undefined);
  t.end();
});

t.test('a script that speaks of a connection it never dialled is a mistake of its author', (t) => {
  t.throws(() => script({ do: 'end', conn: 'nobody' }).feed(0, { type: 'start' }), /step 0 .*nobody/);
  t.end();
});
