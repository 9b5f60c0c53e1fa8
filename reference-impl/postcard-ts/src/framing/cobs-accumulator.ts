import { PostcardError } from '../postcard-error.ts';
import { zeroAt } from '../wire/memory.ts';
import { badSchema } from '../wire/refusal.ts';
import { decodeCobs } from './cobs.ts';
import type { Splitter } from './splitter.ts';

/** What became of a frame: its body, or why it had to be dropped. Either way the next frame is read as if nothing had been. */
export type CobsEvent =
  | { readonly type: 'frame'; readonly body: Uint8Array }
  | { readonly type: 'bad-frame'; readonly error: PostcardError };

const MAX_DEFAULT = 1024 * 1024;
const FIRST_BYTES = 256;

/**
 * Gathers COBS frames out of chunks, up to `max` bytes each, terminator included. A frame that grows beyond is reported once and
 * skipped up to its 00; the crate's CobsAccumulator takes the rest for a frame of its own, which may decode as a value.
 */
export class CobsAccumulator {
  readonly #max: number;
  #held = new Uint8Array(0);
  #count = 0;
  #skipping = false;

  /** @throws PostcardError BadSchema for an impossible max */
  constructor({ max = MAX_DEFAULT }: { readonly max?: number } = {}) {
    if (!Number.isSafeInteger(max) || max < 1) throw badSchema('max', 'a whole number from 1', String(max));
    this.#max = max;
  }

  /** Bytes of the frame that is open. */
  get pendingBytes(): number {
    return this.#count;
  }

  /** Takes the next bytes. @returns what they complete, in order */
  push(chunk: Uint8Array): readonly CobsEvent[] {
    const events: CobsEvent[] = [];
    let at = 0;
    while (at < chunk.length) {
      const zero = zeroAt(chunk, at);
      const end = zero < 0 ? chunk.length : zero + 1;
      this.#take(chunk.subarray(at, end), zero >= 0, events);
      at = end;
    }
    return events;
  }

  /** Says that no more bytes come. @throws PostcardError FrameTruncated inside a frame */
  end(): void {
    if (this.#count > 0)
      throw new PostcardError({
        kind: 'FrameTruncated',
        path: '',
        offset: undefined,
        expected: 'a 00 at the end of the frame',
        got: `${this.#count} bytes without`,
      });
  }

  #take(part: Uint8Array, ends: boolean, events: CobsEvent[]): void {
    if (!this.#skipping && this.#count + part.length > this.#max) {
      this.#skipping = true;
      this.#count = 0;
      events.push({ type: 'bad-frame', error: this.#overflow() });
    }
    if (this.#skipping) {
      this.#skipping = !ends;
      return;
    }
    if (!ends || this.#count > 0) this.#hold(part);
    if (!ends) return;
    // a frame inside one chunk is decoded where it lies
    const frame = this.#count > 0 ? this.#held.subarray(0, this.#count) : part;
    this.#count = 0;
    try {
      events.push({ type: 'frame', body: decodeCobs(frame) });
    } catch (thrown) {
      if (!(thrown instanceof PostcardError)) throw thrown;
      events.push({ type: 'bad-frame', error: thrown });
    }
  }

  #hold(part: Uint8Array): void {
    const count = this.#count + part.length;
    if (count > this.#held.length) {
      const grown = new Uint8Array(Math.min(this.#max, Math.max(FIRST_BYTES, this.#held.length * 2, count)));
      grown.set(this.#held.subarray(0, this.#count));
      this.#held = grown;
    }
    this.#held.set(part, this.#count);
    this.#count = count;
  }

  #overflow(): PostcardError {
    return new PostcardError({
      kind: 'FrameTooLong',
      path: '',
      offset: undefined,
      expected: `at most ${this.#max} bytes with the terminator`,
      got: 'more before a 00',
    });
  }
}

/** A CobsAccumulator as a Splitter: bad frames go to a callback, or end the stream if there is none. */
export class CobsSplitter implements Splitter {
  readonly #accumulator: CobsAccumulator;
  readonly #onBadFrame: (error: PostcardError) => void;

  constructor(options: { readonly max?: number; readonly onBadFrame?: (error: PostcardError) => void } = {}) {
    this.#accumulator = new CobsAccumulator(options);
    this.#onBadFrame =
      options.onBadFrame ??
      ((error) => {
        throw error;
      });
  }

  /** @throws PostcardError DeserializeBadEncoding, FrameTooLong without onBadFrame */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bodies: Uint8Array[] = [];
    for (const event of this.#accumulator.push(chunk))
      if (event.type === 'frame') bodies.push(event.body);
      else this.#onBadFrame(event.error);
    return bodies;
  }

  end(): void {
    this.#accumulator.end();
  }
}
