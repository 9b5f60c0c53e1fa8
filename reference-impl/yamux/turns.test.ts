import t from 'tap';
import { YamuxSession } from './session.ts';
import {
  consumed,
  data,
  end,
  frameLine,
  framesIn,
  goAway,
  hear,
  open,
  ping,
  reset,
  room,
  send,
  spoken,
  syn,
  textOf,
  transmitted,
  update,
} from './spoken.ts';

const WINDOW = 262_144;

t.test('a stream without window, or unread, stops alone', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  session.handle(0, hear(syn(1), syn(3), data(1, WINDOW)));
  session.handle(0, send(1, WINDOW + 1));
  session.handle(0, room());
  t.equal(session.hasWork, false, 'stream 1 has a byte and no window');
  t.equal(session.queuedBytes, 1);
  t.equal(session.queuedOn(1), 1);
  session.handle(0, send(3, 'goes'));
  t.equal(session.hasWork, true);
  t.same(spoken(session.handle(0, room())), ['> Data[] 3 4', 'drained 3']);
  t.same(spoken(session.handle(0, hear(data(3, 'comes'), ping(9)))), ['> Ping[ACK] 0 9', 'data 3 comes']);
  session.handle(0, reset(1));
  t.equal(session.queuedBytes, 0, 'reset frees what waited');
});

t.test('streams take turns, and what was sent leaves as the very views', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  session.handle(0, hear(syn(1), syn(3)));
  const big = new Uint8Array(100_000);
  session.handle(0, { type: 'send', stream: 1, bytes: big });
  session.handle(0, send(3, 'short'));
  const outputs = session.handle(0, room());
  t.same(framesIn(transmitted(outputs)).map(frameLine), ['Data[] 1 65536', 'Data[] 3 5', 'Data[] 1 34464']);
  const [transmit] = outputs;
  const chunks = transmit?.type === 'transmit' ? transmit.chunks : [];
  t.equal(chunks[1]?.buffer, big.buffer, 'no copy');
});

t.test('a lone stream has frames of a first window, until another has something to send', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  session.handle(0, hear(syn(1), update(1, WINDOW), syn(3)));
  session.handle(0, send(1, 2 * WINDOW));
  const half = session.handle(0, room(WINDOW + 12));
  t.same(spoken(half), ['> Data[] 1 262144']);
  session.handle(0, send(3, 'other'));
  const [first, second] = framesIn(transmitted(session.handle(0, room()))).map(frameLine);
  t.same([first, second], ['Data[] 1 65536', 'Data[] 3 5']);
});

t.test('room bounds a turn, headers counted, and small writes share a frame', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  session.handle(0, hear(syn(1)));
  for (let i = 0; i < 500; i++) session.handle(0, send(1, 'ten bytes.'));
  const first = transmitted(session.handle(0, room(1_012)));
  t.same(framesIn(first).map(frameLine), ['Data[] 1 1000']);
  t.equal(textOf(first.subarray(12)), 'ten bytes.'.repeat(100));
  t.same(spoken(session.handle(0, room(0))), [], 'no room, nothing');
  t.equal(transmitted(session.handle(0, room(5))).length, 13, 'any room takes a byte');
  t.same(spoken(session.handle(0, room())), ['> Data[] 1 3999', 'drained 1']);
});

t.test('a turn ends with a whole frame rather than a runt', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  session.handle(0, hear(syn(1), syn(3)));
  session.handle(0, send(1, 2_000));
  session.handle(0, send(3, 2_000));
  t.same(spoken(session.handle(0, room(2_100))), ['> Data[] 1 2000', 'drained 1']);
  t.same(spoken(session.handle(0, room(2_100))), ['> Data[] 3 2000', 'drained 3']);
});

t.test('ids are odd for the client, even for the server, and skip what the peer uses', async (t) => {
  const client = new YamuxSession({ role: 'client' });
  client.handle(0, hear(syn(3)));
  t.same([client.nextStream(), client.nextStream()], [1, 5]);
  const server = new YamuxSession({ role: 'server' });
  t.same([server.nextStream(), server.nextStream()], [2, 4]);
});

t.test('wrong use is told at once', async (t) => {
  const session = new YamuxSession({ role: 'client', streamsMax: 2 });
  const id = session.nextStream();
  session.nextStream();
  t.throws(() => session.nextStream(), { code: 'YAMUX_STREAMS_EXHAUSTED', fault: 'local' });
  session.handle(0, open(id));
  t.throws(() => session.handle(0, open(id)), { code: 'YAMUX_STRANGE_ID', fault: 'local' });
  t.throws(() => session.handle(0, consumed(id, 1)), { code: 'YAMUX_CONSUMED_TOO_MUCH', fault: 'local' });
  session.handle(0, end(id));
  t.throws(() => session.handle(0, send(id, 'x')), { code: 'YAMUX_SEND_AFTER_END', fault: 'local' });
  for (const [who, input] of [
    ['peer', hear(goAway(0))],
    ['us', { type: 'goAway', code: 'normal' }],
    ['carrier', { type: 'ended' }],
  ] as const) {
    const other = new YamuxSession({ role: 'client' });
    other.handle(0, input);
    t.throws(() => other.nextStream(), { code: 'YAMUX_OPEN_AFTER_GO_AWAY', fault: 'local' }, who);
  }
  for (const options of [{ windowBytes: 1_000 }, { windowBytes: 2 ** 32 }, { pongMillis: -1 }])
    t.throws(() => new YamuxSession({ role: 'client', ...options }), { code: 'YAMUX_OPTION' });
});

t.test('an open that meets the end of the session is closed, not lost', async (t) => {
  const session = new YamuxSession({ role: 'client' });
  const id = session.nextStream();
  session.handle(0, { type: 'ended' });
  t.same(spoken(session.handle(0, open(id))), ['closed 1 failed']);
});
