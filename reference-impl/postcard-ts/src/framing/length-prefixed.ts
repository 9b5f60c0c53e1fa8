import { PostcardError } from '../postcard-error.ts';
import { allocatePart } from '../wire/memory.ts';
import { badSchema } from '../wire/refusal.ts';
import { type Prefix, prefixCapacity, prefixLength, U32_BE, writePrefix } from './prefix.ts';
import type { Splitter } from './splitter.ts';

export type LengthPrefixedOptions = Partial<Prefix> & {
  /** The longest body accepted, in bytes; 16 MiB by default. Nothing is allocated for a frame before its bytes are there. */
  readonly max?: number;
};

const MAX_DEFAULT = 16 * 1024 * 1024;
/** A u64 varint has at most ten bytes. */
const VARINT_BYTES_MAX = 10;

const truncated = (expected: string, got: string): PostcardError =>
  new PostcardError({ kind: 'FrameTruncated', path: '', offset: undefined, expected, got });

/** Splits frames that begin with their length. Linear in the bytes: parts are gathered once, when a frame is complete. */
export class LengthPrefixed implements Splitter {
  readonly #prefix: Prefix;
  readonly #max: number;
  /** Bytes of the prefix so far, and the length they say. */
  #headBytes = 0;
  #headValue = 0;
  #parts: Uint8Array[] = [];
  #have = 0;
  /** Length of the open frame; -1 while its prefix is not complete. */
  #length = -1;

  /** @throws PostcardError BadSchema for an unknown prefix or an impossible max */
  constructor({ bytes = U32_BE.bytes, endian = 'be', max = MAX_DEFAULT }: LengthPrefixedOptions = {}) {
    this.#prefix = { bytes, endian };
    prefixCapacity(this.#prefix);
    if (!Number.isSafeInteger(max) || max < 0) throw badSchema('max', 'a whole number from 0', String(max));
    this.#max = max;
  }

  /** Bytes of the frame that is open, its prefix included. */
  get pendingBytes(): number {
    if (this.#length < 0) return this.#headBytes;
    return prefixLength(this.#prefix, this.#length) + this.#have;
  }

  /** @throws PostcardError FrameTooLong, DeserializeBadVarint: from then on the stream has no meaning */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length || this.#length === 0) {
      if (this.#length < 0) {
        if (this.#headBytes === 0) at = this.#wholeFrames(chunk, at, frames);
        if (at >= chunk.length) break;
        at = this.#readHead(chunk, at);
        continue;
      }
      const need = this.#length - this.#have;
      if (chunk.length - at < need) {
        this.#parts.push(at === 0 ? chunk : chunk.subarray(at));
        this.#have += chunk.length - at;
        break;
      }
      const last = chunk.subarray(at, at + need);
      frames.push(this.#have === 0 ? last : this.#gather(last));
      at += need;
      this.#length = -1;
      this.#have = 0;
    }
    return frames;
  }

  end(): void {
    if (this.#length >= 0) throw truncated(`a frame of ${this.#length} bytes`, `${this.#have} of them`);
    if (this.#headBytes > 0) throw truncated('a length', `${this.#headBytes} bytes of it`);
  }

  /** Takes the frames that lie inside a chunk as a whole. @returns where the first that does not begins */
  #wholeFrames(chunk: Uint8Array, from: number, frames: Uint8Array[]): number {
    const { bytes, endian } = this.#prefix;
    if (bytes === 'varint') return from;
    const little = endian === 'le';
    const n = chunk.length;
    const max = this.#max;
    let at = from;
    while (n - at >= bytes) {
      const length = fixedAt(chunk, at, bytes, little);
      const start = at + bytes;
      // what is too long is refused where frames that lie across chunks are
      if (length > n - start || length > max) break;
      frames.push(chunk.subarray(start, start + length));
      at = start + length;
    }
    return at;
  }

  #gather(last: Uint8Array): Uint8Array {
    const frame = allocatePart(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      frame.set(part, at);
      at += part.length;
    }
    frame.set(last, at);
    this.#parts = [];
    return frame;
  }

  #readHead(chunk: Uint8Array, from: number): number {
    const { bytes, endian } = this.#prefix;
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at++] as number;
      const index = this.#headBytes++;
      if (bytes === 'varint') {
        if (index === VARINT_BYTES_MAX - 1 && byte > 1) throw overlong(byte);
        this.#headValue += (byte & 127) * 128 ** index;
        if (byte > 127) continue;
      } else {
        this.#headValue =
          endian === 'le' ? this.#headValue + byte * 256 ** index : this.#headValue * 256 + byte;
        if (index + 1 < bytes) continue;
      }
      this.#accept(this.#headValue);
      return at;
    }
    return at;
  }

  #accept(length: number): void {
    if (length > this.#max)
      throw new PostcardError({
        kind: 'FrameTooLong',
        path: '',
        offset: undefined,
        expected: `at most ${this.#max} bytes`,
        got: `a frame of ${length} bytes`,
      });
    this.#length = length;
    this.#headBytes = 0;
    this.#headValue = 0;
  }
}

const overlong = (byte: number): PostcardError =>
  new PostcardError({
    kind: 'DeserializeBadVarint',
    path: '',
    offset: undefined,
    expected: 'a length within a u64',
    got: `${byte.toString(16)} as the tenth byte`,
  });

const fixedAt = (bytes: Uint8Array, at: number, count: number, little: boolean): number => {
  let length = 0;
  for (let i = 0; i < count; i++)
    length = length * 256 + (bytes[little ? at + count - 1 - i : at + i] as number);
  return length;
};

/**
 * Puts a body behind its length.
 * @throws PostcardError FrameTooLong if the prefix cannot say it
 */
export const lengthPrefixed = (body: Uint8Array, prefix: Prefix = U32_BE): Uint8Array => {
  const capacity = prefixCapacity(prefix);
  if (body.length > capacity)
    throw new PostcardError({
      kind: 'FrameTooLong',
      path: '',
      offset: undefined,
      expected: `at most ${capacity} bytes`,
      got: `${body.length} bytes`,
    });
  const head = prefixLength(prefix, body.length);
  const frame = new Uint8Array(head + body.length);
  writePrefix(frame, 0, prefix, body.length);
  frame.set(body, head);
  return frame;
};
