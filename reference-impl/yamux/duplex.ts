/** yamux for users of Node streams. The only file here that knows Node: a driver for one session. */
import { EventEmitter } from 'node:events';
import { performance } from 'node:perf_hooks';
import { Duplex } from 'node:stream';
import type { Millis } from '../machine/machine.ts';
import type { YamuxOptions } from './options.ts';
import { carrierCut, openAfterGoAway, streamReset } from './refusals.ts';
import { type SessionCounts, YamuxSession } from './session.ts';
import type { SessionInput, SessionOutput, StreamId } from './vocabulary.ts';

/** Bytes that may wait in the carrier's own buffer. Large enough that one gathered write keeps a fast link busy. */
const CARRIER_ROOM_BYTES = 524_288;
/** How long the carrier of a broken session may take to carry its last frames to a peer that may not read. */
const LINGER_MILLIS = 1_000;

export type MuxEvents = {
  /** The peer opened a stream. Without a listener it is reset. */
  stream: [stream: YamuxStream];
  /** The peer takes no more streams (code normal: open ones go on). */
  goAway: [];
  /** The session broke; every stream has been destroyed with the same error. Not emitted when nobody listens. */
  error: [error: Error];
  /** The carrier is closed; nothing follows. */
  close: [];
};

/** What the streams need of their mux. */
type Owner = { input(input: SessionInput): void };

/**
 * One stream: an ordinary Duplex with half-close. Reading grants the peer credit, so an unread stream stops its sender;
 * a write calls back when the carrier has taken it. `destroy` resets the stream; a reset by the peer destroys it with
 * YamuxError YAMUX_STREAM_RESET, a broken session with that session's error.
 */
export class YamuxStream extends Duplex {
  readonly id: StreamId;
  readonly #owner: Owner;
  #pushedBytes = 0;
  #consumedBytes = 0;
  #written: ((error?: Error) => void) | undefined;
  #closed = false;

  constructor(owner: Owner, id: StreamId) {
    super({ allowHalfOpen: true });
    this.#owner = owner;
    this.id = id;
  }

  /** Called by the mux. */
  accept(output: SessionOutput, failure: Error | undefined): void {
    switch (output.type) {
      case 'data':
        if (this.destroyed) break;
        this.#pushedBytes += output.bytes.length;
        this.push(output.bytes);
        this.#reportConsumed();
        break;
      case 'ended':
        this.push(null);
        break;
      case 'drained':
        this.#callBack();
        break;
      case 'closed':
        this.#closed = true;
        if (output.why !== 'end') this.destroy(failure ?? streamReset(this.id));
        break;
    }
  }

  override read(size?: number): Buffer | string | null {
    const chunk: Buffer | string | null = super.read(size);
    this.#reportConsumed();
    return chunk;
  }

  override _read(): void {
    // Data is pushed as it comes; the window bounds it.
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    if (chunk.length === 0) {
      done();
      return;
    }
    this.#written = done;
    this.#owner.input({ type: 'send', stream: this.id, bytes: chunk });
  }

  override _writev(items: readonly { readonly chunk: Uint8Array }[], done: (error?: Error) => void): void {
    const chunks = items.map((item) => item.chunk).filter((chunk) => chunk.length > 0);
    if (chunks.length === 0) {
      done();
      return;
    }
    this.#written = done;
    for (const bytes of chunks) this.#owner.input({ type: 'send', stream: this.id, bytes });
  }

  override _final(done: () => void): void {
    this.#owner.input({ type: 'end', stream: this.id });
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#closed) this.#owner.input({ type: 'reset', stream: this.id });
    this.#closed = true;
    done(error);
    this.#callBack(error ?? streamReset(this.id));
  }

  #callBack(error?: Error): void {
    const written = this.#written;
    this.#written = undefined;
    written?.(error);
  }

  #reportConsumed(): void {
    const bytes = this.#pushedBytes - this.readableLength - this.#consumedBytes;
    if (bytes <= 0) return;
    this.#consumedBytes += bytes;
    if (!this.#closed) this.#owner.input({ type: 'consumed', stream: this.id, bytes });
  }
}

/** A yamux session over a carrier that it owns from now on. See {@link MuxEvents}. */
export class YamuxMux extends EventEmitter<MuxEvents> {
  readonly #carrier: Duplex;
  readonly #session: YamuxSession;
  readonly #streams = new Map<StreamId, YamuxStream>();
  readonly #owner: Owner = { input: (input) => this.#input(input) };
  #inputs: SessionInput[] = [];
  #busy = false;
  #closing: 'no' | 'waiting' | 'done' = 'no';
  #failureTold = false;
  #failure: Error | undefined;
  #pings: { readonly done: (rttMillis: Millis) => void; readonly failed: (error: Error) => void }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAt: Millis | undefined;

  constructor(carrier: Duplex, options: YamuxOptions) {
    super();
    this.#carrier = carrier;
    // A stream's own buffer and its high-water mark bound what waits; the session keeps only views of it.
    this.#session = new YamuxSession({
      queuedBytesMax: Number.POSITIVE_INFINITY,
      startMillis: performance.now(),
      ...options,
    });
    carrier.on('data', (bytes: Uint8Array) => this.#input({ type: 'bytes', bytes }));
    carrier.on('end', () => this.#input({ type: 'ended' }));
    carrier.on('error', (error) => {
      this.#failure ??= error;
    });
    carrier.on('close', () => this.#carrierClosed());
    this.#arm();
  }

  /** Live streams, both ends' together. */
  get streams(): number {
    return this.#session.streams;
  }

  /** See {@link SessionCounts}. */
  get counts(): SessionCounts {
    return this.#session.counts;
  }

  /** A stream to the peer; usable at once. @throws YamuxError YAMUX_OPEN_AFTER_GO_AWAY | YAMUX_STREAMS_EXHAUSTED (local) */
  openStream(): YamuxStream {
    if (this.#closing !== 'no') throw openAfterGoAway('close()');
    const id = this.#session.nextStream();
    const stream = this.#add(id);
    this.#input({ type: 'open', stream: id });
    return stream;
  }

  /** The round trip in milliseconds. Rejects when the session ends first. Pings asked for while one is under way share its answer. */
  ping(): Promise<Millis> {
    return new Promise((done, failed) => {
      if (this.#session.over) {
        failed(this.#failure ?? carrierCut(undefined, 0, false));
        return;
      }
      this.#pings.push({ done, failed });
      this.#input({ type: 'ping' });
    });
  }

  /** Refuses new streams, lets open ones finish, then says GoAway(normal) and ends the carrier. */
  close(): void {
    if (this.#closing === 'no') this.#closing = 'waiting';
    this.#closeWhenDone();
  }

  /** Ends everything at once; streams are destroyed. */
  destroy(error?: Error): void {
    this.#failure ??= error;
    this.#carrier.destroy(error);
  }

  #add(id: StreamId): YamuxStream {
    const stream = new YamuxStream(this.#owner, id);
    this.#streams.set(id, stream);
    stream.on('close', () => {
      if (this.#streams.get(id) === stream) this.#streams.delete(id);
    });
    return stream;
  }

  /** Outputs are performed to the end before the next input: what a listener does meanwhile waits its turn here. */
  #input(input: SessionInput): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#inputs.length > 0) {
        const inputs = this.#inputs;
        this.#inputs = [];
        for (const next of inputs) this.#perform(this.#session.handle(performance.now(), next));
        const room = CARRIER_ROOM_BYTES - this.#carrier.writableLength;
        if (this.#inputs.length === 0 && this.#session.hasWork && room > 0 && this.#carrier.writable)
          this.#inputs.push({ type: 'room', bytes: room });
      }
    } finally {
      this.#busy = false;
    }
    this.#arm();
    this.#closeWhenDone();
  }

  #perform(outputs: readonly SessionOutput[]): void {
    const failed = outputs.find((output) => output.type === 'failed');
    if (failed !== undefined) this.#failure ??= failed.error;
    for (const output of outputs) {
      switch (output.type) {
        case 'transmit':
          this.#transmit(output.chunks);
          break;
        case 'stream':
          this.#announce(output.stream);
          break;
        case 'pong':
          for (const ping of this.#pings.splice(0)) ping.done(output.rttMillis);
          break;
        case 'goAway':
          this.emit('goAway');
          break;
        case 'failed':
          this.#fail();
          break;
        case 'data':
        case 'ended':
        case 'drained':
        case 'closed':
          this.#streams.get(output.stream)?.accept(output, this.#sessionFailure(output));
          if (output.type === 'closed') this.#streams.delete(output.stream);
          break;
        case 'acknowledged':
          break;
        default:
          output satisfies never;
      }
    }
  }

  #sessionFailure(output: SessionOutput): Error | undefined {
    return output.type === 'closed' && (output.why === 'failed' || this.#session.over)
      ? this.#failure
      : undefined;
  }

  #transmit(chunks: readonly Uint8Array[]): void {
    if (!this.#carrier.writable) return;
    this.#carrier.cork();
    const last = chunks.length - 1;
    for (let i = 0; i < last; i++) this.#carrier.write(chunks[i]);
    // `drain` comes only after a refusal; the callback comes always.
    this.#carrier.write(chunks[last], () => this.#carrierTook());
    this.#carrier.uncork();
  }

  #carrierTook(): void {
    const room = CARRIER_ROOM_BYTES - this.#carrier.writableLength;
    if (this.#session.hasWork && room > 0) this.#input({ type: 'room', bytes: room });
  }

  #announce(id: StreamId): void {
    if (this.#closing !== 'no' || this.listenerCount('stream') === 0)
      this.#inputs.push({ type: 'reset', stream: id });
    else this.emit('stream', this.#add(id));
  }

  #fail(): void {
    this.#carrier.end();
    const linger = setTimeout(() => this.#carrier.destroy(), LINGER_MILLIS);
    this.#carrier.once('close', () => clearTimeout(linger));
    this.#tellFailure();
  }

  #tellFailure(): void {
    const error = this.#failure ?? carrierCut(undefined, 0, false);
    for (const ping of this.#pings.splice(0)) ping.failed(error);
    if (this.#failure === undefined || this.#failureTold) return;
    this.#failureTold = true;
    if (this.listenerCount('error') > 0) this.emit('error', error);
  }

  #closeWhenDone(): void {
    if (this.#busy || this.#carrier.writableEnded) return;
    if (this.#session.over) this.#carrier.end();
    else if (this.#closing === 'waiting' && this.#session.streams === 0) {
      this.#closing = 'done';
      this.#input({ type: 'goAway', code: 'normal' });
      this.#carrier.end();
    }
  }

  #carrierClosed(): void {
    clearTimeout(this.#timer);
    this.#input({ type: 'ended' });
    for (const stream of this.#streams.values()) stream.destroy(this.#failure);
    this.#tellFailure();
    this.emit('close');
  }

  #arm(): void {
    const due = this.#session.deadline();
    if (due === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = due;
    if (due === undefined) return;
    const wait = Math.max(0, Math.ceil(due - performance.now()));
    this.#timer = setTimeout(() => {
      this.#timerAt = undefined;
      this.#input({ type: 'deadline' });
    }, wait);
    this.#timer.unref();
  }
}

/**
 * Speaks yamux over a carrier: any Duplex that keeps bytes and their order, in which nothing has been written half.
 * Bytes already read from it must be put back (`unshift`) first.
 * @throws YamuxError YAMUX_OPTION (local)
 */
export const yamuxOver = (carrier: Duplex, options: YamuxOptions): YamuxMux => new YamuxMux(carrier, options);
