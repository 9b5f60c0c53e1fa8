import t from 'tap';
import type { Conn, NetInput } from '../machine/machine.ts';
import { YamuxSession } from '../yamux/session.ts';
import { LINGER_BYTES, LINGER_MILLIS } from './linger.ts';
import { MuxBinding } from './mux.ts';
import type { CarrierOutput, MuxCommand, MuxInput } from './mux-vocabulary.ts';

const SESSION = 1000;
const ROOM = 1 << 20;

/** One end of a carrier that loses nothing and takes no time. */
class End {
  readonly binding: MuxBinding;
  /** What the machine heard, in order. */
  readonly heard: NetInput[] = [];
  readonly carrier: CarrierOutput['type'][] = [];
  now = 0;
  other!: End;
  #name: Conn;

  constructor(role: 'client' | 'server', first: Conn) {
    this.#name = first;
    const session = new YamuxSession({ role, keepaliveMillis: 0 });
    this.binding = new MuxBinding({
      session,
      carrier: SESSION,
      name: () => this.#name++,
      received: 0,
      sent: 0,
    });
  }

  do(output: MuxCommand): void {
    this.feed({ type: 'output', output });
  }

  open(conn: Conn): void {
    this.do({ type: 'open', conn, session: SESSION });
  }

  send(conn: Conn, length: number): void {
    this.do({ type: 'send', conn, bytes: new Uint8Array(length) });
  }

  feed(input: MuxInput): void {
    for (const output of this.binding.handle(this.now, input)) {
      this.carrier.push(output.type);
      if (output.type === 'transmit') {
        for (const chunk of output.chunks) this.other.receive(chunk.slice());
      } else this.other.feed(output.type === 'reset' ? { type: 'closed', why: 'reset' } : { type: 'ended' });
    }
  }

  /** The chunk is overwritten afterwards, as a reused buffer is. */
  receive(chunk: Uint8Array): void {
    this.feed({ type: 'bytes', bytes: chunk });
    this.take();
    chunk.fill(0xee);
  }

  take(): void {
    for (let input = this.binding.next(); input !== undefined; input = this.binding.next()) {
      this.heard.push(input.type === 'bytes' ? { ...input, bytes: input.bytes.slice() } : input);
      if (input.type === 'bytes')
        this.feed({ type: 'consumed', conn: input.conn, bytes: input.bytes.length });
    }
  }

  /** `type` of what was heard about a connection, payload summed up. */
  story(conn: Conn): string {
    const words: string[] = [];
    let bytes = 0;
    for (const input of this.heard) {
      if (!('conn' in input) || input.conn !== conn) continue;
      if (input.type === 'bytes') bytes += input.bytes.length;
      else
        words.push(
          input.type === 'closed' ? `closed ${input.why} ${input.received}/${input.sent}` : input.type,
        );
    }
    return `${words.join(', ')}${bytes > 0 ? ` [${bytes}]` : ''}`;
  }
}

/** Client and server; streams of the server's machine are named from 1 on. */
const pair = (): { readonly client: End; readonly server: End; settle(): void } => {
  const client = new End('client', 101);
  const server = new End('server', 1);
  client.other = server;
  server.other = client;
  const settle = () => {
    for (let idle = false; !idle; ) {
      idle = true;
      for (const end of [client, server]) {
        if (end.binding.hasWork || end.binding.pending) idle = false;
        if (end.binding.hasWork) end.feed({ type: 'room', bytes: ROOM });
        end.take();
      }
    }
  };
  return { client, server, settle };
};

t.test('payload leaves on room only, and flush is answered then', async (t) => {
  const { client, server, settle } = pair();
  client.open(50);
  client.do({ type: 'flush', conn: 50 });
  client.take();
  t.equal(client.story(50), 'flushed', 'nothing was sent: at once');
  client.send(50, 1000);
  client.do({ type: 'flush', conn: 50 });
  client.take();
  t.equal(client.binding.unsentBytes(50), 1000);
  t.equal(server.story(1), 'stream');
  settle();
  t.equal(client.story(50), 'flushed, flushed');
  t.equal(server.story(1), 'stream [1000]');
  t.equal(client.binding.unsentBytes(50), 0);
});

t.test('a paused stream keeps its bytes through a reused buffer, bounded by its window', async (t) => {
  const { client, server, settle } = pair();
  client.open(50);
  settle();
  server.do({ type: 'pause', conn: 1 });
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at & 127);
  for (let at = 0; at < bytes.length; at += 10_000)
    client.do({ type: 'send', conn: 50, bytes: bytes.subarray(at, at + 10_000) });
  client.do({ type: 'end', conn: 50 });
  settle();
  t.equal(server.story(1), 'stream', 'nothing is handed out');
  t.equal(client.binding.unsentBytes(50), 300_000 - 262_144, 'nothing is granted');
  server.do({ type: 'resume', conn: 1 });
  settle();
  t.equal(server.story(1), 'stream, ended [300000]');
  const got = Buffer.concat(server.heard.flatMap((input) => (input.type === 'bytes' ? [input.bytes] : [])));
  t.ok(got.equals(bytes), 'unchanged and in order');
});

t.test('pausing between two pieces of one chunk holds the second', async (t) => {
  const { client, server, settle } = pair();
  client.open(50);
  settle();
  const pieces = ['first', 'second', 'third'];
  const frames = pieces.map((piece) => [
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    piece.length,
    ...Buffer.from(piece),
  ]);
  const chunk = Uint8Array.from(frames.flat());
  server.feed({ type: 'bytes', bytes: chunk });
  const first = server.binding.next();
  t.match(first, { type: 'bytes', conn: 1 });
  server.do({ type: 'pause', conn: 1 });
  t.equal(server.binding.next(), undefined);
  chunk.fill(0);
  server.do({ type: 'resume', conn: 1 });
  server.take();
  const rest = server.heard.flatMap((input) =>
    input.type === 'bytes' ? [new TextDecoder().decode(input.bytes)] : [],
  );
  t.same(rest, ['second', 'third']);
});

t.test('reset cuts a paused stream at once; a paused end waits', async (t) => {
  const { client, server, settle } = pair();
  client.open(50);
  client.open(51);
  settle();
  for (const conn of [1, 2]) server.do({ type: 'pause', conn });
  for (const conn of [50, 51]) client.send(conn, 10);
  settle();
  client.do({ type: 'reset', conn: 50 });
  client.do({ type: 'end', conn: 51 });
  server.do({ type: 'end', conn: 2 });
  settle();
  t.equal(server.story(1), 'stream, closed reset 10/0', 'what was not taken is lost, as with TCP');
  t.equal(server.story(2), 'stream');
  t.equal(client.story(50), '', 'our own reset is silent');
  server.do({ type: 'resume', conn: 2 });
  settle();
  t.equal(server.story(2), 'stream, ended, closed end 10/0 [10]');
});

t.test('nothing is heard of a stream after our own reset, flush answers included', async (t) => {
  const { client, settle } = pair();
  client.open(50);
  client.do({ type: 'flush', conn: 50 });
  client.do({ type: 'reset', conn: 50 });
  settle();
  t.equal(client.story(50), '');
  t.equal(client.binding.streams, 0);
});

t.test('close drops what comes and gives up by bytes or time', async (t) => {
  const cases = [
    {
      name: 'the peer ends',
      peer: ({ client }: ReturnType<typeof pair>) => client.do({ type: 'end', conn: 50 }),
      said: 'closed end 5/3',
    },
    {
      name: 'the peer says nothing',
      peer: ({ server }: ReturnType<typeof pair>) => {
        t.equal(server.binding.deadline(), LINGER_MILLIS);
        server.now = LINGER_MILLIS;
        server.feed({ type: 'deadline' });
      },
      said: 'closed end 5/3',
    },
    {
      name: 'the peer sends without end',
      peer: ({ client }: ReturnType<typeof pair>) => client.send(50, LINGER_BYTES + 1),
      said: /closed end 4\d{6}\/3/,
    },
  ];
  for (const { name, peer, said } of cases) {
    const both = pair();
    const { client, server, settle } = both;
    client.open(50);
    settle();
    server.send(1, 3);
    server.do({ type: 'close', conn: 1 });
    client.send(50, 5);
    settle();
    t.equal(client.story(50), 'ended [3]', 'FIN after what was sent');
    peer(both);
    settle();
    t.match(server.story(1).replace('stream, ', ''), said, name);
    t.notMatch(server.story(1), /\[/, 'no bytes for the machine');
    t.equal(server.binding.streams, 0);
  }
});

t.test('end of a session waits for its last stream, then takes the carrier with it', async (t) => {
  const { client, server, settle } = pair();
  client.open(50);
  settle();
  server.do({ type: 'end', conn: SESSION });
  settle();
  t.equal(client.story(SESSION), 'ended');
  t.notOk(server.carrier.includes('end'), 'a stream is open');
  client.open(51);
  settle();
  t.equal(client.story(51), 'closed refused 0/0', 'no new ones');
  client.do({ type: 'end', conn: 50 });
  settle();
  server.do({ type: 'end', conn: 1 });
  settle();
  t.equal(server.carrier.at(-1), 'end');
  t.equal(client.carrier.at(-1), 'end', 'and the other end follows');
  client.do({ type: 'end', conn: SESSION });
  t.equal(client.carrier.at(-1), 'end', 'no word after FIN');
  for (const end of [client, server]) {
    end.feed({ type: 'closed', why: 'end' });
    end.take();
    t.match(end.story(SESSION), /^ended, closed end /);
    t.equal(end.binding.deadline(), undefined);
  }
});

t.test('the machine that asked too much of yamux is refused, not crashed', async (t) => {
  const { client, settle } = pair();
  client.open(50);
  client.do({ type: 'end', conn: 50 });
  client.send(50, 10);
  client.do({ type: 'send', conn: 77, bytes: new Uint8Array(3) });
  client.do({ type: 'keepalive', conn: 50, idleMillis: 5 });
  settle();
  t.equal(client.story(50), '', 'send after end is dropped');
  client.do({ type: 'reset', conn: SESSION });
  client.take();
  t.equal(client.story(50), 'closed reset 0/0', 'streams hear of the reset of their session');
  t.equal(client.story(SESSION), '', 'the session does not');
  client.open(51);
  client.take();
  t.equal(client.story(51), 'closed refused 0/0');
});

t.test('keepalive pings after silence and fails a session that does not answer', async (t) => {
  const { client, server, settle } = pair();
  client.open(50);
  settle();
  client.do({ type: 'keepalive', conn: SESSION, idleMillis: 1_000 });
  t.equal(client.binding.deadline(), 1_000);
  client.now = 1_000;
  client.feed({ type: 'deadline' });
  settle();
  t.equal(client.binding.deadline(), 2_000, 'the answer came at once');
  // from here on the peer hears nothing
  client.other = Object.assign(new End('server', 900), { feed: () => {}, receive: () => {} });
  client.now = 2_000;
  client.feed({ type: 'deadline' });
  for (let due = client.binding.deadline(); due !== undefined; due = client.binding.deadline()) {
    client.now = due;
    client.feed({ type: 'deadline' });
  }
  client.take();
  t.equal(client.story(50), 'closed failed 0/0');
  t.match(client.story(SESSION), /^closed failed /);
  t.equal(client.carrier.at(-1), 'close');
  t.ok(client.now <= 2_000 + 10_000, `noticed at ${client.now}`);
  t.equal(server.binding.streams, 1);
});
