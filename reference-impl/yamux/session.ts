import { type Machine, type Millis, NOTHING } from '../machine/machine.ts';
import { YamuxError } from './errors.ts';
import {
  FLAG,
  type FrameHeader,
  FrameReader,
  GO_AWAY,
  goAwayCode,
  INITIAL_WINDOW_BYTES,
  TYPE,
} from './frame.ts';
import { Keepalive } from './keepalive.ts';
import { type Settings, settings, type YamuxOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import * as refusal from './refusals.ts';
import { SendQueue } from './send-queue.ts';
import { Stream } from './stream.ts';
import { StreamIds } from './stream-ids.ts';
import type { GoAwayCode, SessionInput, SessionOutput, StreamId } from './vocabulary.ts';

/** What a session met and got over without telling its user. Whole numbers that only grow. */
export type SessionCounts = {
  /** Frames for streams that were reset, closed or never opened, and payload after the peer's FIN. */
  readonly lateFrames: number;
  readonly lateBytes: number;
  /** Streams answered with RST: more than streamsMax, or after our GoAway. */
  readonly refusedStreams: number;
  /** Ping answers that nobody asked for. */
  readonly strangePongs: number;
};

/**
 * One end of a yamux session, without its carrier: bytes and wishes in, bytes and events out.
 *
 * For drivers: after every `handle`, if `hasWork` and the carrier can take bytes, give `room`. Chunks in `transmit` are the
 * views that were given to `send`: leave them alone until the carrier has written them. Inputs about a stream that is gone
 * are ignored. Nothing a peer sends makes `handle` throw; wrong use does (YamuxError with fault `local`).
 * The keepalive's clock starts with `startMillis`, or else with the first input.
 *
 * Source: hashicorp/yamux spec.md; what is sent where it leaves room is said in README.md.
 */
export class YamuxSession implements Machine<SessionInput, SessionOutput> {
  readonly #settings: Settings;
  readonly #streams = new Map<StreamId, Stream>();
  readonly #ids: StreamIds;
  readonly #sending = new SendQueue();
  readonly #outbox = new Outbox();
  readonly #reader = new FrameReader();
  readonly #keepalive: Keepalive;
  readonly #counts = { lateFrames: 0, lateBytes: 0, refusedStreams: 0, strangePongs: 0 };
  #events: SessionOutput[] = [];
  /** Whose Data frame is under way; undefined: its payload is dropped. */
  #receiving: Stream | undefined;
  #finAfterPayload = false;
  #peerGoneAway = false;
  #goneAway = false;
  #over = false;

  /** @throws YamuxError YAMUX_OPTION (local) */
  constructor(options: YamuxOptions) {
    this.#settings = settings(options);
    this.#ids = new StreamIds(options.role);
    this.#keepalive = new Keepalive(this.#settings.keepaliveMillis, this.#settings.pongMillis);
    if (options.startMillis !== undefined) this.#keepalive.start(options.startMillis);
  }

  /** Payload given to `send` that waits for the peer's window or for room, over all streams. */
  get queuedBytes(): number {
    return this.#sending.queuedBytes;
  }

  /** Payload of one stream that waits; 0 when there is no such stream. */
  queuedOn(stream: StreamId): number {
    return this.#streams.get(stream)?.queuedBytes ?? 0;
  }

  /** A `room` input would transmit something. */
  get hasWork(): boolean {
    return !this.#over && (!this.#sending.idle || this.#outbox.holding);
  }

  /** Live streams, both ends' together. */
  get streams(): number {
    return this.#streams.size;
  }

  /** The session has failed, or its carrier has ended: every input is ignored. */
  get over(): boolean {
    return this.#over;
  }

  get counts(): SessionCounts {
    return { ...this.#counts };
  }

  /**
   * The id for the next `open`; each call gives another one.
   * @throws YamuxError (local) YAMUX_OPEN_AFTER_GO_AWAY when either end sent GoAway or the session is over;
   *   YAMUX_STREAMS_EXHAUSTED when streamsMax streams live or the ids are used up
   */
  nextStream(): StreamId {
    if (this.#over) throw refusal.openAfterGoAway('the end of the session');
    if (this.#peerGoneAway) throw refusal.openAfterGoAway("the peer's GoAway");
    if (this.#goneAway) throw refusal.openAfterGoAway('our GoAway');
    const taken = this.#streams.size + this.#ids.promised;
    if (taken >= this.#settings.streamsMax) throw refusal.noMoreStreams(`${taken} live streams`);
    const id = this.#ids.next((used) => this.#streams.has(used));
    if (id === undefined) throw refusal.noMoreStreams('all 32-bit ids used');
    return id;
  }

  deadline(): Millis | undefined {
    return this.#over ? undefined : this.#keepalive.due();
  }

  handle(now: Millis, input: SessionInput): readonly SessionOutput[] {
    if (this.#over)
      return input.type === 'open' ? [{ type: 'closed', stream: input.stream, why: 'failed' }] : NOTHING;
    this.#keepalive.start(now);
    this.#perform(now, input);
    if (!this.#over && this.#outbox.overfull) this.#fail(refusal.controlBacklog(this.#outbox.heldFrames));
    return this.#answer();
  }

  #perform(now: Millis, input: SessionInput): void {
    switch (input.type) {
      case 'bytes':
        this.#keepalive.heard(now);
        this.#receive(now, input.bytes);
        break;
      case 'ended':
        this.#carrierEnded();
        break;
      case 'deadline':
        this.#wake(now);
        break;
      case 'open':
        this.#open(input.stream);
        break;
      case 'send':
        this.#send(input.stream, input.bytes);
        break;
      case 'end':
        this.#end(input.stream);
        break;
      case 'reset':
        this.#reset(input.stream);
        break;
      case 'consumed':
        this.#consumed(input.stream, input.bytes);
        break;
      case 'ping':
        this.#ping(now);
        break;
      case 'goAway':
        this.#goAway(input.code);
        break;
      case 'room':
        this.#room(now, input.bytes);
        break;
      default:
        input satisfies never;
    }
  }

  /** Transmits come first: whoever acts on an event at once must find them already on their way. */
  #answer(): readonly SessionOutput[] {
    const chunks = this.#outbox.take();
    if (chunks === undefined && this.#events.length === 0) return NOTHING;
    const events = this.#events;
    this.#events = [];
    if (chunks === undefined) return events;
    const transmit: SessionOutput = { type: 'transmit', chunks };
    return events.length === 0 ? [transmit] : [transmit, ...events];
  }

  // ---- from the peer

  #receive(now: Millis, bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes);
      for (let piece = this.#reader.next(); piece !== undefined; piece = this.#reader.next()) {
        if (piece.type === 'payload') this.#payload(piece.bytes, piece.last);
        else this.#frame(now, piece.header, piece.at);
        if (this.#over) return;
        if (this.#outbox.overfull) throw refusal.controlBacklog(this.#outbox.heldFrames);
      }
    } catch (error) {
      if (!(error instanceof YamuxError) || error.fault === 'local') throw error;
      this.#fail(error, 'protocol error');
    }
  }

  #frame(now: Millis, header: FrameHeader, at: number): void {
    if (header.type === TYPE.ping) this.#pinged(now, header);
    else if (header.type === TYPE.goAway) this.#peerGoAway(header.length);
    else this.#streamFrame(header, at);
  }

  #streamFrame(header: FrameHeader, at: number): void {
    const { type, flags, stream: id, length } = header;
    this.#receiving = undefined;
    if (id === 0) throw refusal.streamZero(at);
    let stream = this.#streams.get(id);
    if (flags & FLAG.syn) {
      if (stream !== undefined || this.#ids.isPromised(id)) throw refusal.streamReopened(id, at);
      if (!(flags & FLAG.rst)) stream = this.#accept(id);
    }
    if (stream === undefined) {
      if (!(flags & FLAG.syn)) this.#counts.lateFrames++;
      return;
    }
    if (flags & FLAG.ack && stream.ours && !stream.acknowledged) {
      stream.acknowledged = true;
      this.#events.push({ type: 'acknowledged', stream: id });
    }
    if (flags & FLAG.rst) {
      this.#forget(stream, 'reset');
      return;
    }
    if (type === TYPE.windowUpdate) {
      stream.granted(length, at);
      this.#sending.wake(stream);
    } else if (length > 0) {
      if (stream.peerEnded) this.#counts.lateFrames++;
      else {
        stream.incoming(length, at);
        this.#receiving = stream;
        this.#finAfterPayload = (flags & FLAG.fin) !== 0;
      }
      return;
    }
    if (flags & FLAG.fin) this.#peerEnd(stream);
  }

  /** @returns undefined when the stream was refused */
  #accept(id: StreamId): Stream | undefined {
    if (this.#goneAway || this.#streams.size >= this.#settings.streamsMax) {
      this.#counts.refusedStreams++;
      this.#outbox.control(TYPE.windowUpdate, FLAG.rst, id, 0);
      return undefined;
    }
    const stream = new Stream(id, false, this.#settings.windowBytes);
    this.#streams.set(id, stream);
    this.#outbox.control(TYPE.windowUpdate, FLAG.ack, id, this.#settings.windowBytes - INITIAL_WINDOW_BYTES);
    this.#events.push({ type: 'stream', stream: id });
    return stream;
  }

  #payload(bytes: Uint8Array, last: boolean): void {
    const stream = this.#receiving;
    if (stream === undefined) {
      this.#counts.lateBytes += bytes.length;
      return;
    }
    stream.delivered(bytes.length);
    this.#events.push({ type: 'data', stream: stream.id, bytes });
    if (!last) return;
    this.#receiving = undefined;
    if (this.#finAfterPayload) this.#peerEnd(stream);
  }

  #peerEnd(stream: Stream): void {
    if (stream.peerEnded) return;
    stream.peerEnded = true;
    this.#events.push({ type: 'ended', stream: stream.id });
    if (stream.finSent) this.#forget(stream, 'end');
  }

  #pinged(now: Millis, header: FrameHeader): void {
    if (header.flags & FLAG.syn) this.#outbox.control(TYPE.ping, FLAG.ack, 0, header.length);
    if ((header.flags & (FLAG.syn | FLAG.ack)) !== FLAG.ack) return;
    const rttMillis = this.#keepalive.answered(now, header.length);
    if (rttMillis === undefined) this.#counts.strangePongs++;
    else this.#events.push({ type: 'pong', rttMillis });
  }

  #peerGoAway(value: number): void {
    const code = goAwayCode(value);
    this.#peerGoneAway = true;
    this.#events.push({ type: 'goAway', code });
    if (code !== 'normal') this.#fail(refusal.peerWentAway(code, value));
  }

  #carrierEnded(): void {
    const cut = this.#streams.size;
    const midFrame = this.#reader.midFrame;
    for (const stream of this.#streams.values()) this.#forget(stream, 'reset');
    if (cut > 0 || midFrame)
      this.#events.push({ type: 'failed', error: refusal.carrierCut(this.#reader.offset, cut, midFrame) });
    this.#over = true;
  }

  // ---- from our side

  #open(id: StreamId): void {
    if (!this.#ids.open(id)) throw refusal.strangeId(id);
    // GoAway came between nextStream and open: the peer must not see this SYN.
    if (this.#peerGoneAway || this.#goneAway) {
      this.#events.push({ type: 'closed', stream: id, why: 'reset' });
      return;
    }
    this.#streams.set(id, new Stream(id, true, this.#settings.windowBytes));
    this.#outbox.control(TYPE.windowUpdate, FLAG.syn, id, this.#settings.windowBytes - INITIAL_WINDOW_BYTES);
  }

  #send(id: StreamId, bytes: Uint8Array): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || bytes.length === 0) return;
    if (stream.ending) throw refusal.sendAfterEnd(id);
    if (stream.queuedBytes + bytes.length > this.#settings.queuedBytesMax) {
      this.#outbox.control(TYPE.windowUpdate, FLAG.rst, id, 0);
      this.#forget(stream, 'failed');
      return;
    }
    this.#sending.queue(stream, bytes);
  }

  #end(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.ending) return;
    stream.ending = true;
    if (stream.queuedBytes === 0) this.#fin(stream);
  }

  #fin(stream: Stream): void {
    // A frame of its own: some peers lose payload that shares a frame with FIN.
    this.#outbox.control(TYPE.windowUpdate, FLAG.fin, stream.id, 0);
    stream.finSent = true;
    if (stream.peerEnded) this.#forget(stream, 'end');
  }

  #reset(id: StreamId): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#outbox.control(TYPE.windowUpdate, FLAG.rst, id, 0);
    this.#forget(stream, undefined);
  }

  #consumed(id: StreamId, bytes: number): void {
    const grant = this.#streams.get(id)?.consumed(bytes) ?? 0;
    if (grant > 0) this.#outbox.control(TYPE.windowUpdate, 0, id, grant);
  }

  #ping(now: Millis): void {
    const value = this.#keepalive.ping(now);
    if (value !== undefined) this.#outbox.control(TYPE.ping, FLAG.syn, 0, value);
  }

  #wake(now: Millis): void {
    const due = this.#keepalive.due();
    if (due === undefined || now < due) return;
    if (this.#keepalive.waiting) this.#fail(refusal.keepaliveTimeout(this.#keepalive.silentMillis(now)));
    else this.#ping(now);
  }

  #goAway(code: GoAwayCode): void {
    if (code !== 'normal') this.#fail(refusal.wentAway(code), code);
    else if (!this.#goneAway) {
      this.#goneAway = true;
      this.#outbox.control(TYPE.goAway, 0, 0, GO_AWAY.normal);
    }
  }

  #room(now: Millis, bytes: number): void {
    if (!(bytes > 0)) return;
    // A full carrier that drains is read by somebody: on a slow uplink our ping waits behind payload.
    if (this.#sending.starved) this.#keepalive.heard(now);
    this.#outbox.release();
    for (const stream of this.#sending.write(bytes, this.#outbox)) {
      this.#events.push({ type: 'drained', stream: stream.id });
      if (stream.ending) this.#fin(stream);
    }
  }

  // ---- ends

  /** @param why undefined: our own reset, of which nothing is said */
  #forget(stream: Stream, why: 'end' | 'reset' | 'failed' | undefined): void {
    this.#streams.delete(stream.id);
    this.#sending.drop(stream);
    if (this.#receiving === stream) this.#receiving = undefined;
    if (why !== undefined) this.#events.push({ type: 'closed', stream: stream.id, why });
  }

  /** @param say the GoAway to send with it */
  #fail(error: YamuxError, say?: GoAwayCode): void {
    this.#outbox.release();
    if (say !== undefined) this.#outbox.control(TYPE.goAway, 0, 0, GO_AWAY[say]);
    for (const stream of this.#streams.values()) this.#forget(stream, 'failed');
    this.#events.push({ type: 'failed', error });
    this.#over = true;
  }
}
