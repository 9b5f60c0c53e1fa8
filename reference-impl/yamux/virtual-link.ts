/** For tests: two sessions over a link in virtual time, with applications that send patterns and read when they like. */
import { type Rng, rngFor } from '../machine/rng.ts';
import { FLAG, INITIAL_WINDOW_BYTES, TYPE } from './frame.ts';
import { YamuxSession } from './session.ts';
import { framesIn, joined } from './spoken.ts';
import type { SessionInput, SessionOutput, StreamId } from './vocabulary.ts';

export type Plan = {
  readonly seed: number;
  /** Each end opens this many. */
  readonly streams: number;
  /** Each half of a stream carries up to this much. */
  readonly bytesMax: number;
  /** Milliseconds one way. */
  readonly latency: number;
  /** How many of a hundred steps the link delivers nothing. */
  readonly stallPercent: number;
  /** Largest room, segment and read of one step. */
  readonly roomMax: number;
  readonly segmentMax: number;
  readonly readMax: number;
  readonly windowBytes: number;
};
export type Result = { readonly problems: readonly string[]; readonly bytes: number };

const STEPS_MAX = 200_000;
const patternByte = (stream: StreamId, at: number): number => (at * 31 + stream * 7 + (at >> 8)) & 0xff;

/** One end's view of a stream. */
type Half = {
  toSend: number;
  sent: number;
  ended: boolean;
  peerEnded: boolean;
  closed: string | undefined;
  received: number;
  consumed: number;
  granted: number;
};

class End {
  readonly session: YamuxSession;
  readonly name: string;
  readonly halves = new Map<StreamId, Half>();
  readonly #plan: Plan;
  readonly #rng: Rng;
  readonly #problems: string[];
  /** On their way to the other end, in order. */
  readonly wire: { at: number; bytes: Uint8Array }[] = [];

  constructor(name: 'client' | 'server', plan: Plan, problems: string[]) {
    this.name = name;
    this.#plan = plan;
    this.#rng = rngFor(plan.seed, name);
    this.#problems = problems;
    this.session = new YamuxSession({ role: name, windowBytes: plan.windowBytes, keepaliveMillis: 0 });
  }

  open(now: number): void {
    const id = this.session.nextStream();
    this.#begin(id);
    this.act(now, { type: 'open', stream: id });
  }

  #begin(id: StreamId): void {
    const toSend = this.#rng.below(this.#plan.bytesMax + 1);
    this.halves.set(id, {
      toSend,
      sent: 0,
      ended: false,
      peerEnded: false,
      closed: undefined,
      received: 0,
      consumed: 0,
      granted: 0,
    });
  }

  act(now: number, input: SessionInput): void {
    const outputs = this.session.handle(now, input);
    for (const output of outputs) if (output.type === 'stream') this.#begin(output.stream);
    for (const output of outputs) this.#see(now, output);
  }

  #see(now: number, output: SessionOutput): void {
    if (output.type === 'transmit') {
      const bytes = joined(output.chunks);
      this.#checkCredit(bytes);
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + this.#rng.below(this.#plan.segmentMax);
        this.wire.push({ at: now + this.#plan.latency, bytes: bytes.subarray(at, at + size) });
        at += size;
      }
    } else if (output.type === 'failed') this.#problems.push(`${this.name}: ${output.error.message}`);
    else if (output.type === 'data') {
      const half = this.#half(output.stream);
      for (let i = 0; i < output.bytes.length; i++)
        if (output.bytes[i] !== patternByte(output.stream, half.received + i)) {
          this.#problems.push(`${this.name}: stream ${output.stream} wrong byte at ${half.received + i}`);
          break;
        }
      half.received += output.bytes.length;
    } else if (output.type === 'ended') this.#half(output.stream).peerEnded = true;
    else if (output.type === 'closed') this.#half(output.stream).closed = output.why;
  }

  /** On the wire: announced plus granted never exceeds the window plus what the application consumed. */
  #checkCredit(bytes: Uint8Array): void {
    for (const frame of framesIn(bytes)) {
      if (frame.type !== TYPE.windowUpdate) continue;
      const half = this.#half(frame.stream);
      half.granted += frame.length;
      if (INITIAL_WINDOW_BYTES + half.granted > this.#plan.windowBytes + half.consumed)
        this.#problems.push(
          `${this.name}: stream ${frame.stream} granted ${half.granted} after ${half.consumed}`,
        );
      const bare = (frame.flags & (FLAG.syn | FLAG.ack | FLAG.fin | FLAG.rst)) === 0;
      if (bare && frame.length < 13) this.#problems.push(`${this.name}: tiny grant of ${frame.length}`);
    }
  }

  #half(id: StreamId): Half {
    return this.halves.get(id) as Half;
  }

  /** The application's turn: it sends, ends and reads something. @returns false when all its streams are done */
  live(now: number): boolean {
    let busy = false;
    for (const [id, half] of this.halves) {
      if (!half.ended && half.sent < half.toSend) {
        const size = Math.min(half.toSend - half.sent, 1 + this.#rng.below(100_000));
        const from = half.sent;
        half.sent += size;
        const bytes = Uint8Array.from({ length: size }, (_, i) => patternByte(id, from + i));
        this.act(now, { type: 'send', stream: id, bytes });
      } else if (!half.ended) {
        half.ended = true;
        this.act(now, { type: 'end', stream: id });
      }
      const unread = half.received - half.consumed;
      if (unread > 0) {
        const bytes = Math.min(unread, this.#rng.below(this.#plan.readMax + 1));
        half.consumed += bytes;
        this.act(now, { type: 'consumed', stream: id, bytes });
      }
      if (half.closed === undefined || half.consumed < half.received) busy = true;
    }
    if (this.session.hasWork) this.act(now, { type: 'room', bytes: 1 + this.#rng.below(this.#plan.roomMax) });
    return busy;
  }
}

/** Runs both ends until their streams are done. `problems` is empty when all went well. */
export const run = (plan: Plan): Result => {
  const problems: string[] = [];
  const client = new End('client', plan, problems);
  const server = new End('server', plan, problems);
  const rng = rngFor(plan.seed, 'link');
  for (let i = 0; i < plan.streams; i++) {
    client.open(0);
    server.open(0);
  }
  let busy = true;
  let now = 0;
  for (; busy && problems.length === 0 && now < STEPS_MAX; now++) {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      if (rng.below(100) < plan.stallPercent) continue;
      for (let first = from.wire[0]; first !== undefined && first.at <= now; first = from.wire[0]) {
        from.wire.shift();
        to.act(now, { type: 'bytes', bytes: first.bytes });
      }
    }
    const [one, other] = [client.live(now), server.live(now)];
    busy = one || other;
  }
  if (busy) problems.push(`not done after ${now} ms`);
  let bytes = 0;
  for (const [end, peer] of [
    [client, server],
    [server, client],
  ] as const) {
    if (end.session.streams !== 0 || end.session.queuedBytes !== 0)
      problems.push(`${end.name}: something is left`);
    for (const [id, half] of end.halves) {
      bytes += half.received;
      const sent = peer.halves.get(id)?.toSend;
      if (half.received !== sent || !half.peerEnded || half.closed !== 'end')
        problems.push(`${end.name}: stream ${id} got ${half.received} of ${sent}, ${half.closed}`);
    }
  }
  return { problems, bytes };
};
