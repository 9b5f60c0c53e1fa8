/** Frames on TCP: a length as u64, big-endian, then that many bytes. A length over the limit is refused before anything is held for it. */
import { fault } from './wire-faults.ts';

export const FRAME_HEADER_BYTES = 8;
/** 1 MiB; Offset has stopped to enforce it. */
export const FRAME_BYTES_MAX = 2 ** 20;

const WORD = 2 ** 32;

/** Writes the header of a frame whose payload stands behind `FRAME_HEADER_BYTES` of headroom. @returns the same bytes */
export const framed = (bytes: Uint8Array): Uint8Array => {
  const length = bytes.length - FRAME_HEADER_BYTES;
  bytes.fill(0, 0, 4);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, length);
  return bytes;
};

/** Frames out of a byte stream, whatever its pieces. What it holds is what has come of one frame, never what was announced. */
export class FrameReader {
  #held: Uint8Array | undefined;
  /** Our own memory, if `#held` is a view of it, and how much of it is used. */
  #own: Uint8Array | undefined;
  #used = 0;

  push(bytes: Uint8Array): void {
    const held = this.#held;
    if (held === undefined) {
      this.#held = bytes;
      return;
    }
    const own = this.#own;
    if (own !== undefined && this.#used + bytes.length <= own.length) {
      own.set(bytes, this.#used);
      this.#used += bytes.length;
      this.#held = own.subarray(this.#used - bytes.length - held.length, this.#used);
      return;
    }
    const both = held.length + bytes.length;
    const grown = new Uint8Array(Math.max(64, both * 2));
    grown.set(held);
    grown.set(bytes, held.length);
    this.#own = grown;
    this.#used = both;
    this.#held = grown.subarray(0, both);
  }

  /** Bytes that wait for the rest of their frame. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  /**
   * The next whole frame: a view that holds until `push`.
   * @returns undefined while it is incomplete
   * @throws WireError FRAME_TOO_LONG
   */
  next(bytesMax: number): Uint8Array | undefined {
    const held = this.#held;
    if (held === undefined || held.length < FRAME_HEADER_BYTES) return undefined;
    const view = new DataView(held.buffer, held.byteOffset);
    const length = view.getUint32(0) * WORD + view.getUint32(4);
    if (length > bytesMax)
      throw fault('FRAME_TOO_LONG', `a frame of at most ${bytesMax} bytes`, `${length} bytes`, 0);
    const end = FRAME_HEADER_BYTES + length;
    if (held.length < end) return undefined;
    if (held.length === end) {
      this.#held = undefined;
      this.#own = undefined;
    } else this.#held = held.subarray(end);
    return held.subarray(FRAME_HEADER_BYTES, end);
  }
}
