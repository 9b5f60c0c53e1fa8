import { WireError } from '../machine/wire-error.ts';
import { BODY_BYTES_MAX } from './messages.ts';

const HEAD_BYTES = 4;
/** The least that is allocated for a frame in pieces; beyond it never more than twice what has come. */
const HOLD_BYTES_MIN = 1_024;

/**
 * Cuts a stream into bodies, one at a time so that a reader can stop between two. A body inside one chunk is a view of it; one
 * in pieces is gathered in memory that grows with what has come, whatever its length claims.
 */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  /** Read from the first chunk. */
  #at = 0;
  #queued = 0;
  #headBytes = 0;
  #headValue = 0;
  /** Length of the open frame; -1 while its head is not complete. */
  #length = -1;
  #held: Uint8Array | undefined;
  #have = 0;

  /** Bytes that were pushed and are in no body yet. */
  get heldBytes(): number {
    return this.#queued + this.#have + (this.#length < 0 ? this.#headBytes : HEAD_BYTES);
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
  }

  /**
   * @returns the next body; undefined when its end has not come
   * @throws WireError FRAME_TOO_LONG: the stream has no meaning from here on
   */
  next(): Uint8Array | undefined {
    for (;;) {
      if (this.#length < 0 && !this.#readHead()) return undefined;
      if (this.#length === 0) return this.#done(new Uint8Array(0));
      const chunk = this.#chunks[0];
      if (chunk === undefined) return undefined;
      const need = this.#length - this.#have;
      const there = chunk.length - this.#at;
      if (this.#have === 0 && there >= need) {
        const body = chunk.subarray(this.#at, this.#at + need);
        this.#take(chunk, need);
        return this.#done(body);
      }
      const count = there < need ? there : need;
      this.#hold(chunk, count);
      this.#take(chunk, count);
      if (this.#have === this.#length)
        return this.#done((this.#held as Uint8Array).subarray(0, this.#length));
    }
  }

  #readHead(): boolean {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      this.#headValue = this.#headValue * 256 + (chunk[this.#at] as number);
      this.#take(chunk, 1);
      if (++this.#headBytes < HEAD_BYTES) continue;
      const length = this.#headValue;
      this.#headBytes = 0;
      this.#headValue = 0;
      if (length > BODY_BYTES_MAX)
        throw new WireError({
          code: 'FRAME_TOO_LONG',
          fault: 'remote',
          at: undefined,
          expected: `a body of at most ${BODY_BYTES_MAX} bytes`,
          got: `one of ${length}`,
          hint: 'whether the peer speaks this protocol at all',
        });
      this.#length = length;
      return true;
    }
    return false;
  }

  #take(chunk: Uint8Array, count: number): void {
    this.#at += count;
    this.#queued -= count;
    if (this.#at < chunk.length) return;
    this.#chunks.shift();
    this.#at = 0;
  }

  #hold(chunk: Uint8Array, count: number): void {
    const after = this.#have + count;
    if (this.#held === undefined || this.#held.length < after) {
      const grown = new Uint8Array(Math.min(this.#length, Math.max(2 * after, HOLD_BYTES_MIN)));
      if (this.#held !== undefined) grown.set(this.#held.subarray(0, this.#have));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(this.#at, this.#at + count), this.#have);
    this.#have = after;
  }

  #done(body: Uint8Array): Uint8Array {
    this.#length = -1;
    this.#have = 0;
    this.#held = undefined;
    return body;
  }
}
