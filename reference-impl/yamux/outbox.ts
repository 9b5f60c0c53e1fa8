import { type FrameType, HEADER_BYTES, writeHeader } from './frame.ts';
import type { StreamId } from './vocabulary.ts';

/** Control frames that leave without asking between two `room` inputs. After that they wait for room. */
export const CONTROL_AT_ONCE_FRAMES = 4_096;
/** Control frames that may wait for room. Past this the peer makes us answer and does not read: the session fails. */
export const CONTROL_HELD_FRAMES_MAX = 16_384;

const SLAB_BYTES = HEADER_BYTES * 340;

/** What this turn sends: headers and views in order, for one gathered write. Keeps control frames within bounds. */
export class Outbox {
  #chunks: Uint8Array[] = [];
  #held: Uint8Array[] = [];
  #sinceRoom = 0;
  // Headers share buffers: Node would otherwise give every 12 bytes an ArrayBuffer of their own when they are written.
  #slab = new Uint8Array(SLAB_BYTES);
  #slabAt = 0;

  /** Control frames wait for a `room` input. */
  get holding(): boolean {
    return this.#held.length > 0;
  }

  get heldFrames(): number {
    return this.#held.length;
  }

  get overfull(): boolean {
    return this.#held.length > CONTROL_HELD_FRAMES_MAX;
  }

  control(type: FrameType, flags: number, stream: StreamId, length: number): void {
    const header = this.#header(type, flags, stream, length);
    if (this.#sinceRoom < CONTROL_AT_ONCE_FRAMES) {
      this.#sinceRoom++;
      this.#chunks.push(header);
    } else this.#held.push(header);
  }

  /** Begins a Data frame: its payload is to be pushed to the list returned. */
  frame(type: FrameType, flags: number, stream: StreamId, length: number): Uint8Array[] {
    this.#chunks.push(this.#header(type, flags, stream, length));
    return this.#chunks;
  }

  /** The carrier takes bytes again: what was held goes first. */
  release(): void {
    this.#sinceRoom = 0;
    if (this.#held.length === 0) return;
    this.#chunks = this.#chunks.concat(this.#held);
    this.#held = [];
  }

  /** Takes what this turn sends; undefined: nothing. */
  take(): readonly Uint8Array[] | undefined {
    if (this.#chunks.length === 0) return undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  #header(type: FrameType, flags: number, stream: StreamId, length: number): Uint8Array {
    if (this.#slabAt === SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#slabAt = 0;
    }
    const at = this.#slabAt;
    this.#slabAt += HEADER_BYTES;
    writeHeader(this.#slab, at, type, flags, stream, length);
    return this.#slab.subarray(at, this.#slabAt);
  }
}
