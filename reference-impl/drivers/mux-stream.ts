import type { Conn, Millis, NetInput } from '../machine/machine.ts';
import type { StreamId } from '../yamux/vocabulary.ts';
import { Fifo } from './fifo.ts';

/** What came while paused is gathered in pieces of this size. */
const HELD_BYTES = 16 * 1024;

/** One stream of a `MuxBinding`: its counts, and the inputs that wait for the machine. */
export class MuxStream {
  readonly conn: Conn;
  readonly id: StreamId;
  /** Ours and not yet acknowledged: its reset means refused. */
  unanswered: boolean;
  paused = false;
  /** After `close`: what comes is dropped. */
  lingering = false;
  lingerDue: Millis | undefined;
  received = 0;
  sent = 0;
  /** We have said `end`: what is sent after it is dropped. */
  ended = false;
  /** Their FIN was handed out. */
  peerEnded = false;
  /** Flushes to answer once nothing is queued. */
  flushes = 0;
  /** Flushes to answer now. */
  answers = 0;
  over = false;
  /** It ended, but not in order: pausing does not hold back its `closed`. */
  cut = false;
  /** Inputs not yet taken, oldest first. */
  readonly inbox = new Fifo<NetInput>();
  /** So many of the first in the inbox live in memory of their own. */
  #owned = 0;
  /** What came while paused, behind the inbox: own memory, so that many small frames cost no more than their bytes. */
  #held: Uint8Array | undefined;
  #heldBytes = 0;

  constructor(conn: Conn, id: StreamId, unanswered: boolean) {
    this.conn = conn;
    this.id = id;
    this.unanswered = unanswered;
  }

  /** The next input; undefined: none, or paused. */
  take(): NetInput | undefined {
    if (this.answers > 0) {
      this.answers--;
      return { type: 'flushed', conn: this.conn };
    }
    if (this.paused) return undefined;
    if (this.#owned > 0) this.#owned--;
    return this.inbox.shift();
  }

  put(input: NetInput): void {
    if (this.paused && input.type === 'bytes') {
      this.#hold(input.bytes);
    } else {
      this.#seal();
      this.inbox.push(input);
    }
  }

  /** What waits may live in the carrier's buffer, so it is copied. */
  pause(): void {
    if (this.paused) return;
    this.paused = true;
    const waiting = this.inbox.length;
    if (this.#owned === waiting) return;
    for (let i = 0; i < waiting; i++) {
      const input = this.inbox.shift() as NetInput;
      const ours = i < this.#owned || input.type !== 'bytes';
      this.inbox.push(ours ? input : { ...input, bytes: input.bytes.slice() });
    }
    this.#owned = waiting;
  }

  resume(): void {
    this.#seal();
    this.paused = false;
  }

  /** What a paused reader has not taken is lost, as with TCP's RST. */
  cutOff(): void {
    this.cut = true;
    if (this.paused) this.drop();
    this.paused = false;
  }

  /** Forgets what waits. @returns payload bytes dropped */
  drop(): number {
    this.#seal();
    this.answers = 0;
    let dropped = 0;
    for (let input = this.inbox.shift(); input !== undefined; input = this.inbox.shift()) {
      if (input.type === 'bytes') dropped += input.bytes.length;
    }
    this.#owned = 0;
    return dropped;
  }

  #hold(bytes: Uint8Array): void {
    if (this.#held === undefined || this.#heldBytes + bytes.length > this.#held.length) {
      this.#seal();
      this.#held = new Uint8Array(Math.max(HELD_BYTES, bytes.length));
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
  }

  #seal(): void {
    if (this.#held === undefined) return;
    this.inbox.push({ type: 'bytes', conn: this.conn, bytes: this.#held.subarray(0, this.#heldBytes) });
    if (this.#owned === this.inbox.length - 1) this.#owned++;
    this.#held = undefined;
    this.#heldBytes = 0;
  }
}
