import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { FLAG, TYPE } from './frame.ts';
import { YamuxSession } from './session.ts';
import { frameLine, framesIn, joined, spoken, transmitted, type WholeFrame } from './spoken.ts';
import type { SessionInput, SessionOutput } from './vocabulary.ts';

type Line = { readonly from: 'client' | 'server'; readonly hex: string; readonly note: string };
type Spoken = Line & { readonly bytes: Uint8Array };

const folder = new URL('./vectors/', import.meta.url);

/** A recorded conversation, bodies that were not shown filled in. */
const conversation = (name: string): readonly Spoken[] =>
  readFileSync(new URL(`${name}.jsonl`, folder), 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Line)
    .map((line) => {
      const bytes = Uint8Array.fromHex(line.hex);
      if (!line.note.includes('body not shown')) return { ...line, bytes };
      return { ...line, bytes: joined([bytes, new Uint8Array(Number(/length (\d+)/.exec(line.note)?.[1]))]) };
    });

/** What a conversation says where the specification leaves no room: no segmentation of Data, no size of grants. */
const facts = (frames: readonly WholeFrame[]) => {
  const streams: Record<number, { acks: number; bytes: number; syns: number; fins: number; rsts: number }> =
    {};
  const session: string[] = [];
  for (const frame of frames) {
    if (frame.type === TYPE.ping || frame.type === TYPE.goAway) {
      session.push(frameLine(frame));
      continue;
    }
    streams[frame.stream] ??= { acks: 0, bytes: 0, syns: 0, fins: 0, rsts: 0 };
    const stream = streams[frame.stream] as {
      acks: number;
      bytes: number;
      syns: number;
      fins: number;
      rsts: number;
    };
    if (frame.type === TYPE.data) stream.bytes += frame.length;
    if (frame.flags & FLAG.syn) stream.syns++;
    if (frame.flags & FLAG.ack) stream.acks++;
    if (frame.flags & FLAG.fin) stream.fins++;
    if (frame.flags & FLAG.rst) stream.rsts++;
  }
  return { streams, session };
};

const ROOM: SessionInput = { type: 'room', bytes: 1 << 20 };

/** Our session as the echo that was recorded: it consumes what comes, sends it back, and answers an end with its end. */
class Echo {
  readonly #session: YamuxSession;
  readonly outputs: SessionOutput[] = [];

  constructor(role: 'client' | 'server') {
    this.#session = new YamuxSession({ role, keepaliveMillis: 0 });
  }

  hear(bytes: Uint8Array): void {
    this.#do({ type: 'bytes', bytes });
  }

  #do(input: SessionInput): void {
    const outputs = this.#session.handle(0, input);
    this.outputs.push(...outputs);
    for (const output of outputs) {
      if (output.type === 'data') {
        this.#do({ type: 'send', stream: output.stream, bytes: output.bytes });
        this.#do({ type: 'consumed', stream: output.stream, bytes: output.bytes.length });
      } else if (output.type === 'ended') this.#do({ type: 'end', stream: output.stream });
    }
    if (this.#session.hasWork) this.#do(ROOM);
  }
}

t.test('every recorded frame is read as its note reads it', async (t) => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl')))
    for (const line of conversation(file.replace('.jsonl', ''))) {
      const note = /^(\w+\[[A-Z+]*\]) stream (\d+), (?:length|delta|code|value) (\d+)/.exec(line.note);
      if (note === null) continue;
      t.same(framesIn(line.bytes).map(frameLine), [note.slice(1, 4).join(' ')], `${file}: ${line.note}`);
    }
});

const ECHOES = [
  { name: 'hashicorp-session-opened-by-client', role: 'server' },
  { name: 'hashicorp-session-opened-by-server', role: 'client' },
  { name: 'hashicorp-server-data-with-syn-and-fin', role: 'server', alsoAck: 1 },
  { name: 'hashicorp-server-goaway-normal-then-data', role: 'server' },
  { name: 'hashicorp-server-ping', role: 'server' },
  { name: 'hashicorp-server-reset', role: 'server' },
  { name: 'hashicorp-server-window-exhausted-and-granted', role: 'server' },
] as const;

t.test('what hashicorp was told, we answer like hashicorp, whole and in any cut', async (t) => {
  for (const { name, role, ...also } of ECHOES) {
    const lines = conversation(name);
    const told = lines.filter((line) => line.from !== role).map((line) => line.bytes);
    const expected = facts(
      framesIn(joined(lines.filter((line) => line.from === role).map((line) => line.bytes))),
    );
    // hashicorp's echo was done with the stream before it accepted it; our ACK leaves when the stream arrives.
    const early = 'alsoAck' in also ? expected.streams[also.alsoAck] : undefined;
    if (early !== undefined) early.acks = 1;
    // A reset drops what is not yet sent: joined with the data before it, less would be echoed.
    const flows = name === 'hashicorp-server-reset' ? told : [joined(told)];
    const short = told.reduce((sum, bytes) => sum + bytes.length, 0) < 1_000;
    for (const cut of [short ? 1 : 7, 12, 13, 1_000, 65_536]) {
      const echo = new Echo(role);
      for (const bytes of flows)
        for (let at = 0; at < bytes.length; at += cut) echo.hear(bytes.subarray(at, at + cut));
      t.same(facts(framesIn(transmitted(echo.outputs))), expected, `${name}, cut every ${cut}`);
      t.notOk(
        echo.outputs.some((output) => output.type === 'failed'),
        `${name}: session lives`,
      );
    }
  }
});

const OPENERS = [
  { name: 'hashicorp-session-opened-by-client', role: 'client' },
  { name: 'hashicorp-session-opened-by-server', role: 'server' },
] as const;

t.test('what a hashicorp opener said, we say, and its echo answers us to the end', async (t) => {
  for (const { name, role } of OPENERS) {
    const lines = conversation(name);
    const session = new YamuxSession({ role, keepaliveMillis: 0 });
    const outputs: SessionOutput[] = [];
    const act = (input: SessionInput): void => {
      const answers = session.handle(0, input);
      outputs.push(...answers);
      for (const output of answers)
        if (output.type === 'data')
          act({ type: 'consumed', stream: output.stream, bytes: output.bytes.length });
    };
    for (const line of lines) {
      const [frame] = framesIn(line.bytes);
      if (frame === undefined) continue;
      if (line.from !== role) {
        act({ type: 'bytes', bytes: line.bytes });
        continue;
      }
      if (frame.type === TYPE.ping) act({ type: 'ping' });
      else if (frame.type === TYPE.goAway) act({ type: 'goAway', code: 'normal' });
      else if (frame.flags & FLAG.syn) act({ type: 'open', stream: session.nextStream() });
      else if (frame.flags & FLAG.fin) act({ type: 'end', stream: frame.stream });
      else if (frame.type === TYPE.data) {
        act({ type: 'send', stream: frame.stream, bytes: frame.payload });
        act(ROOM);
      }
    }
    const ours = lines.filter((line) => line.from === role);
    t.same(
      facts(framesIn(transmitted(outputs))),
      facts(framesIn(joined(ours.map((line) => line.bytes)))),
      name,
    );
    const words = spoken(outputs).filter((line) => /^(acknowledged|pong|ended|closed|failed)/.test(line));
    const [one, two] = role === 'client' ? [1, 3] : [2, 4];
    const ends = [one, two].flatMap((id) => [`ended ${id}`, `closed ${id} end`]);
    t.same(
      words.filter((line) => !/^(pong|ack)/.test(line)),
      ends,
      `${name}: both streams end in order`,
    );
    t.same(
      words.filter((line) => line.startsWith('ack')),
      [`acknowledged ${one}`, `acknowledged ${two}`],
    );
    t.equal(session.streams, 0);
  }
});

/** Where hashicorp closes the connection, we say why first. The last frame is ours alone (its GoAway is lost on the way). */
const REFUSALS = [
  { name: 'hashicorp-server-duplicate-syn', code: 'YAMUX_STREAM_REOPENED', live: true },
  { name: 'hashicorp-server-type-4', code: 'YAMUX_TYPE', live: false },
  { name: 'hashicorp-server-version-1', code: 'YAMUX_VERSION', live: false },
  { name: 'hashicorp-server-window-overrun', code: 'YAMUX_WINDOW_EXCEEDED', live: true },
] as const;

t.test('what hashicorp refuses, we refuse with GoAway(1) and a typed error', async (t) => {
  for (const { name, code, live } of REFUSALS) {
    const session = new YamuxSession({ role: 'server' });
    const told = conversation(name).filter((line) => line.from === 'client');
    const words = told.flatMap((line) => spoken(session.handle(0, { type: 'bytes', bytes: line.bytes })));
    t.same(
      words,
      [
        ...(live ? ['> WindowUpdate[ACK] 1 0', 'stream 1'] : []),
        '> GoAway[] 0 1',
        ...(live ? ['closed 1 failed'] : []),
        `failed ${code}`,
      ],
      name,
    );
    t.same(session.handle(1, { type: 'bytes', bytes: new Uint8Array(12) }), [], `${name}: nothing after it`);
  }
});

t.test("the peer's GoAway(1) ends the session", async (t) => {
  const session = new YamuxSession({ role: 'server' });
  const told = conversation('hashicorp-server-goaway-protocol-error').filter(
    (line) => line.from === 'client',
  );
  const words = told.flatMap((line) => spoken(session.handle(0, { type: 'bytes', bytes: line.bytes })));
  t.same(words.slice(2), ['goAway protocol error', 'closed 1 failed', 'failed YAMUX_GO_AWAY']);
});

t.test('streams beyond the limit are reset, the others live', async (t) => {
  const session = new YamuxSession({ role: 'server', streamsMax: 256 });
  const lines = conversation('hashicorp-server-backlog-exceeded');
  const told = lines.filter((line) => line.from === 'client').map((line) => line.bytes);
  const ours = framesIn(transmitted(session.handle(0, { type: 'bytes', bytes: joined(told) })));
  const theirs = framesIn(joined(lines.filter((line) => line.from === 'server').map((line) => line.bytes)));
  const resets = (frames: readonly WholeFrame[]) => frames.filter((f) => f.flags & FLAG.rst).map(frameLine);
  t.same(resets(ours), resets(theirs), 'the same streams');
  t.equal(ours.filter((frame) => frame.flags & FLAG.ack).length, 256);
  t.equal(session.streams, 256);
  t.equal(session.counts.refusedStreams, 2);
});
