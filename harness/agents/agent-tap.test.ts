import { LinkMachine } from 'chaos-proxy';
import t from 'tap';
import { AgentTap } from './agent-tap.ts';
import { Hand, told, words } from './testing/hand.ts';

const tap = (): Hand =>
  new Hand((name) => {
    const upstream = { host: 'home/link', port: 5000 };
    return new AgentTap(new LinkMachine({ listen: { port: 0 }, upstream, faults: [], seed: 1, name }));
  });
const lost = (attempt: number, during: string, why: string) =>
  ({ type: 'agent.lost', during, why, attempt, waitMillis: 0 }) as const;

t.test('every dial of the agent is an attempt, counted until it is answered', async (t) => {
  const hand = tap();
  hand.feed(0, { type: 'start' });
  t.same(told(hand.feed(0, { type: 'listening', listener: 1, port: 5 })), [{ type: 'host.ready', port: 5 }]);
  for (const attempt of [0, 1]) {
    t.same(told(hand.accepted(attempt, 100 + attempt)), [{ type: 'agent.dialing', attempt }]);
    t.same(told(hand.closed(attempt, 1 + attempt, 'refused')), [lost(attempt, 'greet', 'reset')]);
  }
  t.same(told(hand.accepted(2, 102)), [{ type: 'agent.dialing', attempt: 2 }]);
  hand.feed(3, { type: 'connected', conn: 3 });
  t.same(told(hand.bytes(4, 3, 'welcome')), [{ type: 'agent.greeted', acknowledges: false }]);
  t.same(told(hand.bytes(5, 3, 'more')), [], 'once');
  t.same(told(hand.closed(6, 3, 'reset')), [lost(0, 'send', 'reset')], 'a success starts afresh');
});

t.test('its bytes pass as they are, and nothing it is told concerns it', async (t) => {
  const hand = tap();
  hand.feed(0, { type: 'start' });
  hand.accepted(0, 100);
  hand.feed(1, { type: 'connected', conn: 1 });
  t.ok(words(hand.bytes(2, 100, 'points')).includes('send 1 6'));
  t.same(hand.tell(3, { do: 'measure', state: 'go' }), []);
});
