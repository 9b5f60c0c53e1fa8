import { FRAME_HEADER_BYTES } from '../../../../reference-impl/identity-relay/frames.ts';

/** Counts frames by their headers alone: to open them on the clock would hold back the relay that is measured. */
export class FrameCount {
  #whole = 0;
  /** Bytes of the header that were read, and the length they say so far. */
  #header = 0;
  #length = 0;
  /** Bytes of the frame that have not come yet. */
  #left = 0;

  /** @returns whole frames so far */
  push(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const there = Math.min(this.#left, bytes.length - at);
        this.#left -= there;
        at += there;
        if (this.#left === 0) this.#whole++;
        continue;
      }
      this.#length = this.#length * 256 + (bytes[at++] as number);
      if (++this.#header < FRAME_HEADER_BYTES) continue;
      this.#left = this.#length;
      this.#header = 0;
      this.#length = 0;
      if (this.#left === 0) this.#whole++;
    }
    return this.#whole;
  }
}
