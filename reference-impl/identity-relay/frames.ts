/** Frames on TCP: a length as u64, big-endian, then that many bytes. A length over the limit is refused before anything is held for it. */
import { fault } from './wire-faults.ts';

export const FRAME_HEADER_BYTES = 8;
/** 1 MiB; Offset has stopped to enforce it. */
export const FRAME_BYTES_MAX = 2 ** 20;

/** Writes the header of a frame whose payload stands behind `FRAME_HEADER_BYTES` of headroom. @returns the same bytes */
export const framed = (bytes: Uint8Array): Uint8Array => {
  const length = bytes.length - FRAME_HEADER_BYTES;
  // a frame is far below 2^32 bytes; by hand, since a DataView a frame costs more than its header
  for (let i = 0; i < 4; i++) bytes[i] = 0;
  for (let i = 4; i < FRAME_HEADER_BYTES; i++) bytes[i] = length >>> (8 * (7 - i));
  return bytes;
};

/** Frames of up to 64 KiB of user data come in pieces of what a socket reads, so their memory is worth keeping. */
const SPARE_BYTES = 131_072;
const SPARES_MAX = 16;

/**
 * Memory in which pieces were put together, for whoever puts some together next: fresh memory of this size costs more than to
 * unseal what stands in it.
 */
const spares: Uint8Array[] = [];

const memoryFor = (bytes: number): Uint8Array => {
  if (bytes < SPARE_BYTES / 4) return new Uint8Array(Math.max(64, bytes * 2));
  if (bytes <= SPARE_BYTES) return spares.pop() ?? new Uint8Array(SPARE_BYTES);
  return new Uint8Array(bytes * 2);
};

const giveBack = (memory: Uint8Array | undefined): void => {
  if (memory?.length === SPARE_BYTES && spares.length < SPARES_MAX) spares.push(memory);
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
    const both = held.length + bytes.length;
    const own = this.#own;
    const to =
      own !== undefined && this.#used + bytes.length <= own.length ? own : this.#makeRoom(own, held, both);
    to.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#held = to.subarray(this.#used - both, this.#used);
  }

  /** Puts what is held to the beginning of memory that has room for more. */
  #makeRoom(own: Uint8Array | undefined, held: Uint8Array, bytes: number): Uint8Array {
    this.#used = held.length;
    if (own !== undefined && bytes <= own.length) {
      own.set(held);
      return own;
    }
    const memory = memoryFor(bytes);
    memory.set(held);
    giveBack(own);
    this.#own = memory;
    return memory;
  }

  /** Bytes that wait for the rest of their frame. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  /**
   * The next whole frame: a view that holds until `push` of any reader.
   * @returns undefined while it is incomplete
   * @throws WireError FRAME_TOO_LONG
   */
  next(bytesMax: number): Uint8Array | undefined {
    const held = this.#held;
    if (held === undefined || held.length < FRAME_HEADER_BYTES) return undefined;
    let length = 0;
    for (let i = 0; i < FRAME_HEADER_BYTES; i++) length = length * 256 + (held[i] as number);
    if (length > bytesMax)
      throw fault('FRAME_TOO_LONG', `a frame of at most ${bytesMax} bytes`, `${length} bytes`, 0);
    const end = FRAME_HEADER_BYTES + length;
    if (held.length < end) return undefined;
    if (held.length === end) {
      this.#held = undefined;
      giveBack(this.#own);
      this.#own = undefined;
    } else this.#held = held.subarray(end);
    return held.subarray(FRAME_HEADER_BYTES, end);
  }
}
