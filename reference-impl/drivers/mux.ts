/**
 * Binds one yamux session to the connections a machine sees: StreamId <-> Conn, credit, pause, lingering close, keepalive.
 * Sans-IO and shared by both drivers, so that a stream behaves alike on a socket and in the simulator.
 *
 * How a driver uses it:
 * 1. what happened to the carrier, and what the machine said about the session or one of its streams, goes into `handle`; what
 *    comes back is done to the carrier in order;
 * 2. then `next()` is called until it answers undefined; each input goes to the machine or to the other side of a splice;
 * 3. every `bytes` is answered with `consumed` once that side has taken it: only that grants the peer new credit;
 * 4. while `hasWork`, `room` is fed whenever the carrier can take more; `deadline()` is kept like a machine's.
 */
import {
  type Conn,
  type Millis,
  type NameConn,
  type NetInput,
  NOTHING,
  soonest,
  type Why,
} from '../machine/machine.ts';
import { YamuxError } from '../yamux/errors.ts';
import type { SessionInput, SessionOutput, StreamId } from '../yamux/vocabulary.ts';
import { LINGER_BYTES, LINGER_MILLIS } from './linger.ts';
import { MuxInbox } from './mux-inbox.ts';
import { MuxStream } from './mux-stream.ts';
import type { CarrierOutput, MuxCommand, MuxInput, MuxOptions, MuxSession } from './mux-vocabulary.ts';

/** One per session; dead once the session's `closed` came out of `next()` or it was reset. */
export class MuxBinding {
  readonly #session: MuxSession;
  readonly #carrier: Conn;
  readonly #name: NameConn;
  readonly #byConn = new Map<Conn, MuxStream>();
  readonly #byId = new Map<StreamId, MuxStream>();
  readonly #inbox = new MuxInbox();
  readonly #lingering = new Set<MuxStream>();
  #received: number;
  #sent: number;
  #keepaliveMillis: Millis = 0;
  #heardAt: Millis = 0;
  #sessionFlushes = 0;
  #saidEnded = false;
  #carrierEnded = false;
  /** No new streams: the carrier ends with the last one. */
  #ending = false;
  #finSent = false;
  #over = false;

  constructor(options: MuxOptions) {
    this.#session = options.session;
    this.#carrier = options.carrier;
    this.#name = options.name;
    this.#received = options.received;
    this.#sent = options.sent;
  }

  /** Payload could leave if the carrier had room. */
  get hasWork(): boolean {
    return !this.#over && this.#session.hasWork;
  }

  /** Inputs wait to be taken by `next()`. */
  get pending(): boolean {
    return this.#inbox.pending;
  }

  /** Streams the machine can still hear of. */
  get streams(): number {
    return this.#byConn.size;
  }

  /** Payload sent on a stream that has not left: what a splice holds its source back by. */
  unsentBytes(conn: Conn): number {
    const stream = this.#byConn.get(conn);
    return stream === undefined || stream.over ? 0 : this.#session.queuedOn(stream.id);
  }

  /** Their FIN on a stream was handed out by `next()`. */
  peerEnded(conn: Conn): boolean {
    return this.#byConn.get(conn)?.peerEnded ?? false;
  }

  handle(now: Millis, input: MuxInput): readonly CarrierOutput[] {
    if (this.#over && input.type !== 'output') return NOTHING;
    const outputs: CarrierOutput[] = [];
    switch (input.type) {
      case 'bytes':
        this.#received += input.bytes.length;
        this.#heardAt = now;
        this.#pass(now, input, outputs);
        break;
      case 'ended':
        this.#carrierEnded = true;
        this.#sayEnded();
        // a FIN between streams is an orderly end, whatever the session thinks of one in their midst
        if (this.#byId.size > 0) this.#pass(now, input, outputs);
        break;
      case 'closed':
        this.#finish(input.why, 'reset');
        return outputs;
      case 'room':
        this.#pass(now, input, outputs);
        this.#answerSessionFlush();
        break;
      case 'deadline':
        this.#expire(now, outputs);
        break;
      case 'output':
        this.#obey(now, input.output, outputs);
        break;
      case 'cut': {
        const stream = this.#byConn.get(input.conn);
        if (stream !== undefined) this.#abandon(now, stream, input.why, outputs);
        break;
      }
      case 'consumed': {
        const stream = this.#byConn.get(input.conn);
        if (stream !== undefined && !stream.over)
          this.#pass(now, { type: 'consumed', stream: stream.id, bytes: input.bytes }, outputs);
        break;
      }
    }
    this.#endCarrierIfDone(outputs);
    return outputs;
  }

  deadline(): Millis | undefined {
    if (this.#over) return undefined;
    let due = this.#session.deadline();
    if (this.#keepaliveMillis > 0) due = soonest(due, this.#heardAt + this.#keepaliveMillis);
    // all linger equally long, so the first is the first due
    for (const stream of this.#lingering) return soonest(due, stream.lingerDue);
    return due;
  }

  /** The next input about the session or a stream of it, in order for each connection. */
  next(): NetInput | undefined {
    const input = this.#inbox.next();
    if (input?.type === 'closed') this.#byConn.delete(input.conn);
    return input;
  }

  #obey(now: Millis, output: MuxCommand, outputs: CarrierOutput[]): void {
    if (output.conn === this.#carrier) {
      if (!this.#over) this.#obeyForSession(now, output, outputs);
      return;
    }
    if (output.type === 'open') {
      this.#open(now, output.conn, outputs);
      return;
    }
    const stream = this.#byConn.get(output.conn);
    if (stream === undefined) return;
    switch (output.type) {
      case 'pause':
        if (!stream.lingering && !stream.cut) stream.pause();
        return;
      case 'resume':
        this.#inbox.resume(stream);
        return;
      case 'reset':
        this.#byConn.delete(stream.conn);
        this.#reset(now, stream, outputs);
        return;
      case 'flush':
        if (stream.over) return;
        if (this.#session.queuedOn(stream.id) === 0) this.#inbox.answerFlush(stream);
        else stream.flushes++;
        return;
      case 'send':
        if (stream.over || stream.ended) return;
        stream.sent += output.bytes.length;
        this.#pass(now, { type: 'send', stream: stream.id, bytes: output.bytes }, outputs);
        return;
      case 'end':
        stream.ended = true;
        if (!stream.over) this.#pass(now, { type: 'end', stream: stream.id }, outputs);
        return;
      case 'close':
        this.#linger(now, stream, outputs);
        return;
      case 'keepalive':
        return;
    }
  }

  #obeyForSession(now: Millis, output: MuxCommand, outputs: CarrierOutput[]): void {
    switch (output.type) {
      case 'end':
        this.#ending = true;
        this.#pass(now, { type: 'goAway', code: 'normal' }, outputs);
        return;
      case 'close':
        this.#pass(now, { type: 'goAway', code: 'normal' }, outputs);
        for (const id of this.#byId.keys()) this.#pass(now, { type: 'reset', stream: id }, outputs);
        this.#finish('end', 'reset');
        outputs.push({ type: 'close' });
        return;
      case 'reset':
        this.#finish(undefined, 'reset');
        outputs.push({ type: 'reset' });
        return;
      case 'keepalive':
        this.#keepaliveMillis = output.idleMillis;
        this.#heardAt = now;
        return;
      case 'flush':
        this.#sessionFlushes++;
        this.#answerSessionFlush();
        return;
      // bytes of a session are its streams' business, and its carrier is paused by the driver
      case 'open':
      case 'send':
      case 'pause':
      case 'resume':
        return;
    }
  }

  #open(now: Millis, conn: Conn, outputs: CarrierOutput[]): void {
    const id = this.#over || this.#saidEnded || this.#ending ? undefined : this.#nextStream();
    const stream = new MuxStream(conn, id ?? 0, true);
    this.#byConn.set(conn, stream);
    if (id === undefined) {
      this.#conclude(stream, 'refused');
      return;
    }
    this.#byId.set(id, stream);
    this.#pass(now, { type: 'open', stream: id }, outputs);
  }

  /** @returns undefined when there can be none: too many live, or either end is going away */
  #nextStream(): StreamId | undefined {
    try {
      return this.#session.nextStream();
    } catch (error) {
      if (error instanceof YamuxError) return undefined;
      throw error;
    }
  }

  #linger(now: Millis, stream: MuxStream, outputs: CarrierOutput[]): void {
    if (stream.over || stream.lingering) return;
    stream.lingering = true;
    stream.ended = true;
    stream.lingerDue = now + LINGER_MILLIS;
    this.#lingering.add(stream);
    stream.paused = false;
    const held = stream.drop();
    if (held > 0) this.#pass(now, { type: 'consumed', stream: stream.id, bytes: held }, outputs);
    this.#pass(now, { type: 'end', stream: stream.id }, outputs);
  }

  #reset(now: Millis, stream: MuxStream, outputs: CarrierOutput[]): void {
    this.#lingering.delete(stream);
    stream.drop();
    if (stream.over) return;
    stream.over = true;
    this.#byId.delete(stream.id);
    this.#pass(now, { type: 'reset', stream: stream.id }, outputs);
  }

  /** Reset with a `closed`: for a peer that does not end after our `close` (`end`), or a splice that broke. */
  #abandon(now: Millis, stream: MuxStream, why: Why, outputs: CarrierOutput[]): void {
    if (stream.over) return;
    this.#reset(now, stream, outputs);
    stream.over = false;
    stream.resume();
    this.#conclude(stream, why);
  }

  #expire(now: Millis, outputs: CarrierOutput[]): void {
    for (const stream of this.#lingering) {
      if (stream.lingerDue !== undefined && stream.lingerDue <= now)
        this.#abandon(now, stream, 'end', outputs);
    }
    if (this.#keepaliveMillis > 0 && this.#heardAt + this.#keepaliveMillis <= now) {
      this.#heardAt = now;
      this.#pass(now, { type: 'ping' }, outputs);
    }
    if (!this.#over) this.#pass(now, { type: 'deadline' }, outputs);
  }

  /** Feeds the session and turns what it says into inputs; its transmits go to the carrier. */
  #pass(now: Millis, input: SessionInput, outputs: CarrierOutput[]): void {
    for (const output of this.#session.handle(now, input)) this.#absorb(now, output, outputs);
  }

  #absorb(now: Millis, output: SessionOutput, outputs: CarrierOutput[]): void {
    switch (output.type) {
      case 'transmit':
        // after our FIN there is nothing to say it on
        if (this.#finSent) return;
        for (const chunk of output.chunks) this.#sent += chunk.length;
        outputs.push(output);
        return;
      case 'stream': {
        const stream = new MuxStream(this.#name(), output.stream, false);
        this.#byConn.set(stream.conn, stream);
        this.#byId.set(stream.id, stream);
        this.#inbox.push(stream, { type: 'stream', conn: stream.conn, session: this.#carrier });
        return;
      }
      case 'goAway':
        this.#sayEnded();
        return;
      case 'failed':
        this.#finish('failed', 'failed');
        outputs.push({ type: 'close' });
        return;
      case 'pong':
        return;
      case 'acknowledged':
      case 'data':
      case 'ended':
      case 'closed':
      case 'drained': {
        const stream = this.#byId.get(output.stream);
        if (stream !== undefined) this.#absorbFor(now, stream, output, outputs);
        return;
      }
    }
  }

  #absorbFor(
    now: Millis,
    stream: MuxStream,
    output: Extract<
      SessionOutput,
      { readonly type: 'acknowledged' | 'data' | 'ended' | 'closed' | 'drained' }
    >,
    outputs: CarrierOutput[],
  ): void {
    switch (output.type) {
      case 'acknowledged':
        stream.unanswered = false;
        return;
      case 'data':
        stream.unanswered = false;
        stream.received += output.bytes.length;
        if (!stream.lingering) {
          this.#inbox.push(stream, { type: 'bytes', conn: stream.conn, bytes: output.bytes });
        } else if (stream.received > LINGER_BYTES) {
          this.#abandon(now, stream, 'end', outputs);
        } else {
          this.#pass(now, { type: 'consumed', stream: stream.id, bytes: output.bytes.length }, outputs);
        }
        return;
      case 'ended':
        if (!stream.lingering) this.#inbox.push(stream, { type: 'ended', conn: stream.conn });
        return;
      case 'drained':
        for (; stream.flushes > 0; stream.flushes--) this.#inbox.answerFlush(stream);
        return;
      case 'closed':
        this.#conclude(stream, output.why === 'reset' && stream.unanswered ? 'refused' : output.why);
        return;
    }
  }

  #answerSessionFlush(): void {
    if (this.#session.queuedBytes > 0) return;
    for (; this.#sessionFlushes > 0; this.#sessionFlushes--)
      this.#inbox.pushOwn({ type: 'flushed', conn: this.#carrier });
  }

  /** The last input of a stream. One that did not end in order drops what a paused reader has not taken, as TCP does. */
  #conclude(stream: MuxStream, why: Why): void {
    if (stream.over) return;
    stream.over = true;
    this.#byId.delete(stream.id);
    this.#lingering.delete(stream);
    if (why !== 'end') stream.cutOff();
    const { conn, received, sent } = stream;
    this.#inbox.push(stream, { type: 'closed', conn, why, received, sent });
  }

  /** @param why of the session; undefined: our own reset, of which nothing is heard */
  #finish(why: Why | undefined, streamsWhy: Why): void {
    if (this.#over) return;
    this.#over = true;
    for (const stream of [...this.#byId.values()]) this.#conclude(stream, streamsWhy);
    const [received, sent] = [this.#received, this.#sent];
    if (why !== undefined) this.#inbox.pushOwn({ type: 'closed', conn: this.#carrier, why, received, sent });
  }

  #sayEnded(): void {
    if (this.#saidEnded || this.#over) return;
    this.#saidEnded = true;
    this.#inbox.pushOwn({ type: 'ended', conn: this.#carrier });
  }

  /** After GoAway of ours, or the carrier's FIN, the last stream takes the carrier with it. */
  #endCarrierIfDone(outputs: CarrierOutput[]): void {
    if (this.#over || this.#finSent || this.#byId.size > 0) return;
    if (!this.#ending && !this.#carrierEnded) return;
    this.#finSent = true;
    outputs.push({ type: 'end' });
  }
}
