import t from 'tap';
import { FLAG } from './frame.ts';
import { CONTROL_AT_ONCE_FRAMES, CONTROL_HELD_FRAMES_MAX } from './outbox.ts';
import { YamuxSession } from './session.ts';
import { data, framesIn, hear, ping, pong, rst, spoken, syn, transmitted, update } from './spoken.ts';
import type { SessionInput } from './vocabulary.ts';

const pings = (count: number): SessionInput => hear(...Array.from({ length: count }, (_, i) => ping(i)));

t.test('control frames that the carrier takes are never held for long', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  let answered = 0;
  for (let turn = 0; turn < 100; turn++) {
    answered += framesIn(transmitted(session.handle(0, pings(1_000)))).length;
    if (session.hasWork)
      answered += framesIn(transmitted(session.handle(0, { type: 'room', bytes: 1 }))).length;
  }
  t.equal(answered, 100_000);
});

t.test('a peer that floods pings and reads no answer ends the session, not the memory', async (t) => {
  const session = new YamuxSession({ role: 'server' });
  session.handle(0, hear(syn(1)));
  let sent = 0;
  let heard = 0;
  let words: string[] = [];
  while (!session.over && heard < 100_000) {
    const outputs = session.handle(0, pings(100));
    heard += 100;
    if (session.over) words = spoken(outputs.filter((output) => output.type !== 'transmit'));
    else sent += framesIn(transmitted(outputs)).length;
  }
  t.equal(sent, CONTROL_AT_ONCE_FRAMES - 1, 'what left without room, ACK apart');
  t.ok(heard <= CONTROL_AT_ONCE_FRAMES + CONTROL_HELD_FRAMES_MAX + 100);
  t.same(words, ['closed 1 failed', 'failed YAMUX_CONTROL_BACKLOG']);
});

t.test('held control frames keep their place before payload', async (t) => {
  const session = new YamuxSession({ role: 'client' });
  session.handle(0, pings(CONTROL_AT_ONCE_FRAMES));
  const id = session.nextStream();
  t.same(session.handle(0, { type: 'open', stream: id }), [], 'SYN waits');
  t.equal(session.hasWork, true);
  session.handle(0, { type: 'send', stream: id, bytes: new Uint8Array(3) });
  t.same(spoken(session.handle(0, { type: 'room', bytes: 100 })), [
    '> WindowUpdate[SYN] 1 0',
    '> Data[] 1 3',
    'drained 1',
  ]);
});

t.test('streams opened and reset for ever leave nothing behind', async (t) => {
  const session = new YamuxSession({ role: 'server', streamsMax: 4 });
  for (let id = 1; id < 20_000; id += 2) {
    session.handle(0, hear(syn(id), data(id, 'x'), rst(id), data(id, 'late')));
    if (session.hasWork) session.handle(0, { type: 'room', bytes: 1 });
  }
  t.equal(session.streams, 0);
  t.match(session.counts, { lateFrames: 10_000, lateBytes: 40_000, refusedStreams: 0, strangePongs: 0 });
});

t.test('a refused stream may send what it likes; nothing of it is kept and nothing wedges', async (t) => {
  const session = new YamuxSession({ role: 'server', streamsMax: 1 });
  session.handle(0, hear(syn(1)));
  t.same(
    spoken(session.handle(0, hear(data(3, 300_000, FLAG.syn), data(3, 300_000), update(3, 5), ping(1)))),
    ['> WindowUpdate[RST] 3 0', '> Ping[ACK] 0 1'],
  );
  t.match(session.counts, { refusedStreams: 1, lateFrames: 2, lateBytes: 600_000 });
});

t.test('a queue past its limit costs its own stream only', async (t) => {
  const session = new YamuxSession({ role: 'server', queuedBytesMax: 1_000 });
  session.handle(0, hear(syn(1), syn(3)));
  session.handle(0, { type: 'send', stream: 3, bytes: new Uint8Array(5) });
  session.handle(0, { type: 'send', stream: 1, bytes: new Uint8Array(1_000) });
  t.same(spoken(session.handle(0, { type: 'send', stream: 1, bytes: new Uint8Array(1) })), [
    '> WindowUpdate[RST] 1 0',
    'closed 1 failed',
  ]);
  t.equal(session.queuedBytes, 5);
  t.same(spoken(session.handle(0, { type: 'room', bytes: 9_999 })), ['> Data[] 3 5', 'drained 3']);
});

t.test('keepalive pings an idle peer and takes silence for death', async (t) => {
  const session = new YamuxSession({ role: 'client', startMillis: 1_000 });
  t.equal(session.deadline(), 31_000);
  t.same(session.handle(30_999, { type: 'deadline' }), [], 'woken early');
  t.same(spoken(session.handle(31_000, { type: 'deadline' })), ['> Ping[SYN] 0 0']);
  t.equal(session.deadline(), 41_000);
  t.same(spoken(session.handle(31_250, hear(pong(0)))), ['pong 250 ms']);
  t.equal(session.deadline(), 61_000);
  t.same(spoken(session.handle(61_000, { type: 'deadline' })), ['> Ping[SYN] 0 1']);
  t.same(session.handle(62_000, hear(pong(0))), [], 'an old answer is none');
  t.equal(session.counts.strangePongs, 1);
  t.equal(session.deadline(), 72_000, 'but the peer was heard');
  session.handle(70_000, hear(syn(2)));
  t.same(session.handle(72_000, { type: 'deadline' }), []);
  t.same(spoken(session.handle(80_000, { type: 'deadline' })), [
    'closed 2 failed',
    'failed YAMUX_KEEPALIVE_TIMEOUT',
  ]);
  t.equal(session.deadline(), undefined);
});

t.test('a full carrier that still drains is a sign of life, an empty one is none', async (t) => {
  const session = new YamuxSession({ role: 'client', startMillis: 0 });
  session.handle(0, { type: 'open', stream: session.nextStream() });
  session.handle(0, { type: 'send', stream: 1, bytes: new Uint8Array(100_000) });
  session.handle(30_000, { type: 'deadline' });
  session.handle(35_000, { type: 'room', bytes: 10_000 });
  t.equal(session.deadline(), 40_000, 'the first room proves nothing');
  session.handle(36_000, { type: 'room', bytes: 1_000_000 });
  t.equal(session.deadline(), 46_000, 'the second came because the first was carried away');
  session.handle(40_000, { type: 'send', stream: 1, bytes: new Uint8Array(1) });
  session.handle(40_000, { type: 'room', bytes: 1_000 });
  t.equal(session.deadline(), 46_000);
});

t.test('keepalive can be off, pings asked for are still timed and share one answer', async (t) => {
  const session = new YamuxSession({ role: 'client', keepaliveMillis: 0, pongMillis: 500 });
  session.handle(0, { type: 'room', bytes: 1 });
  t.equal(session.deadline(), undefined);
  t.same(spoken(session.handle(100, { type: 'ping' })), ['> Ping[SYN] 0 0']);
  t.same(session.handle(200, { type: 'ping' }), []);
  t.equal(session.deadline(), 600);
  t.same(spoken(session.handle(300, hear(pong(0)))), ['pong 200 ms']);
  t.equal(session.deadline(), undefined);
});
