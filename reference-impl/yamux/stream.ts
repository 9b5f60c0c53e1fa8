import { YamuxError } from './errors.ts';
import { INITIAL_WINDOW_BYTES, U32_MAX } from './frame.ts';
import type { StreamId } from './vocabulary.ts';

/**
 * One stream's windows, queue and ends. It decides what may be sent, taken and granted; the session writes the frames.
 * Payload that waits is kept as the views that were given, never copied.
 */
export class Stream {
  readonly id: StreamId;
  /** Opened by us: the peer owes an ACK. */
  readonly ours: boolean;
  readonly #windowBytes: number;
  /** Neighbours in the session's ring of streams with something to send; see ready-ring.ts. */
  before: Stream | undefined;
  after: Stream | undefined;
  acknowledged = false;
  /** `end` was asked for: FIN follows the queue. */
  ending = false;
  /** Our FIN has been written. */
  finSent = false;
  /** The peer's FIN, after all its payload. */
  peerEnded = false;

  #queue: Uint8Array[] = [];
  #head = 0;
  #queuedBytes = 0;
  /** What the peer still lets us send. */
  #sendBytes = INITIAL_WINDOW_BYTES;
  /** What we still let the peer send. */
  #receiveBytes: number;
  #deliveredBytes = 0;
  #consumedBytes = 0;
  /** Of the consumed bytes, those that were granted again. */
  #grantedBytes = 0;

  constructor(id: StreamId, ours: boolean, windowBytes: number) {
    this.id = id;
    this.ours = ours;
    this.#windowBytes = windowBytes;
    this.#receiveBytes = windowBytes;
  }

  /** Payload given to `queue` and not yet taken. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether payload waits that the peer's window lets through. */
  get sendable(): boolean {
    return this.#queuedBytes > 0 && this.#sendBytes > 0;
  }

  /** Largest Data frame that may be written now. */
  get sendableBytes(): number {
    return Math.min(this.#queuedBytes, this.#sendBytes);
  }

  /** Credit the peer has and has not used. */
  get receiveBytes(): number {
    return this.#receiveBytes;
  }

  queue(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** Moves `bytes` (at most `sendableBytes`) from the queue into `chunks`, as views, and uses up that much window. */
  take(bytes: number, chunks: Uint8Array[]): void {
    this.#queuedBytes -= bytes;
    this.#sendBytes -= bytes;
    let left = bytes;
    while (left > 0) {
      const chunk = this.#queue[this.#head] as Uint8Array;
      if (chunk.length > left) {
        chunks.push(chunk.subarray(0, left));
        this.#queue[this.#head] = chunk.subarray(left);
        break;
      }
      chunks.push(chunk);
      left -= chunk.length;
      this.#head++;
    }
    if (this.#queuedBytes === 0) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= 256 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Forgets what waits. @returns how much that was */
  drop(): number {
    const bytes = this.#queuedBytes;
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    return bytes;
  }

  /** The peer's window update. @throws YamuxError YAMUX_WINDOW_OVERFLOW when the sum passes 32 bits */
  granted(delta: number, at: number): void {
    const sum = this.#sendBytes + delta;
    if (sum > U32_MAX)
      throw new YamuxError({
        code: 'YAMUX_WINDOW_OVERFLOW',
        fault: 'remote',
        at,
        expected: `a window of at most ${U32_MAX} bytes on stream ${this.id}`,
        got: `${sum} bytes`,
        hint: 'the peer grants more than was consumed; a 32-bit window would wrap and stall',
      });
    this.#sendBytes = sum;
  }

  /** A Data frame of this length begins. @throws YamuxError YAMUX_WINDOW_EXCEEDED when the peer has not that much credit */
  incoming(bytes: number, at: number): void {
    if (bytes > this.#receiveBytes)
      throw new YamuxError({
        code: 'YAMUX_WINDOW_EXCEEDED',
        fault: 'remote',
        at,
        expected: `at most ${this.#receiveBytes} bytes on stream ${this.id}`,
        got: `${bytes} bytes`,
        hint: 'the peer sends without waiting for window updates',
      });
    this.#receiveBytes -= bytes;
  }

  delivered(bytes: number): void {
    this.#deliveredBytes += bytes;
  }

  /**
   * The application took this many bytes.
   * @returns what to grant the peer now: 0, or at least half the window, so that grants stay few and never tiny
   * @throws YamuxError YAMUX_CONSUMED_TOO_MUCH (local) for more than was delivered
   */
  consumed(bytes: number): number {
    if (!(bytes >= 0 && bytes <= this.#deliveredBytes - this.#consumedBytes))
      throw new YamuxError({
        code: 'YAMUX_CONSUMED_TOO_MUCH',
        fault: 'local',
        at: undefined,
        expected: `0 to ${this.#deliveredBytes - this.#consumedBytes} bytes on stream ${this.id}`,
        got: `${bytes} bytes`,
        hint: 'report every delivered byte once',
      });
    this.#consumedBytes += bytes;
    if (this.peerEnded) return 0;
    const grant = this.#consumedBytes - this.#grantedBytes;
    if (grant * 2 < this.#windowBytes) return 0;
    this.#grantedBytes = this.#consumedBytes;
    this.#receiveBytes += grant;
    return grant;
  }
}
