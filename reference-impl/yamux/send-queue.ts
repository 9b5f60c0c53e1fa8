import { HEADER_BYTES, INITIAL_WINDOW_BYTES, TYPE } from './frame.ts';
import type { Outbox } from './outbox.ts';
import { ReadyRing } from './ready-ring.ts';
import type { Stream } from './stream.ts';

/** Largest payload of a Data frame we write while several streams have something to send: turns between them stay short. */
export const FRAME_PAYLOAD_BYTES_MAX = 65_536;
/** And while one has: a quarter of the frames, and no peer may be surprised by what its first window allows. */
export const LONE_FRAME_PAYLOAD_BYTES_MAX = INITIAL_WINDOW_BYTES;
/** A turn's last frame is not cut below this when it could go whole on the next `room`. */
const RUNT_BYTES = 1_024;

/** Payload of all streams on its way out: one frame a stream and turn, round and round. Streams without window are not in it. */
export class SendQueue {
  readonly #ready = new ReadyRing();
  #queuedBytes = 0;
  #starved = false;

  /** Payload that waits for window or room. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** No stream could send, whatever the room. */
  get idle(): boolean {
    return this.#ready.empty;
  }

  /** The last room was too small for what could be sent. */
  get starved(): boolean {
    return this.#starved;
  }

  queue(stream: Stream, bytes: Uint8Array): void {
    stream.queue(bytes);
    this.#queuedBytes += bytes.length;
    this.wake(stream);
  }

  /** The stream may have got window. */
  wake(stream: Stream): void {
    if (stream.sendable) this.#ready.add(stream);
  }

  /** Forgets what the stream had to send. */
  drop(stream: Stream): void {
    this.#ready.remove(stream);
    this.#queuedBytes -= stream.drop();
  }

  /**
   * Writes Data frames of `roomBytes` in all, headers counted. At least one byte goes if any can, so the room may be passed
   * by one header.
   * @returns the streams whose queue ran empty, in that order
   */
  write(roomBytes: number, outbox: Outbox): readonly Stream[] {
    const emptied: Stream[] = [];
    let left = roomBytes;
    for (let stream = this.#ready.first; stream !== undefined && left > 0; stream = this.#ready.first) {
      const alone = stream.after === undefined;
      const wanted = Math.min(
        stream.sendableBytes,
        alone ? LONE_FRAME_PAYLOAD_BYTES_MAX : FRAME_PAYLOAD_BYTES_MAX,
      );
      const fitting = Math.max(1, left - HEADER_BYTES);
      if (fitting < wanted && fitting < RUNT_BYTES && left < roomBytes) break;
      const taken = Math.min(wanted, fitting);
      this.#ready.remove(stream);
      stream.take(taken, outbox.frame(TYPE.data, 0, stream.id, taken));
      this.#queuedBytes -= taken;
      left -= HEADER_BYTES + taken;
      if (stream.queuedBytes === 0) emptied.push(stream);
      else this.wake(stream);
    }
    this.#starved = !this.#ready.empty;
    return emptied;
  }
}
