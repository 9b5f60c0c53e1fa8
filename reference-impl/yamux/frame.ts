import { YamuxError } from './errors.ts';
import type { GoAwayCode, StreamId } from './vocabulary.ts';

/** Bytes of every yamux header. Source: hashicorp/yamux spec.md, "Framing". */
export const HEADER_BYTES = 12;
/** What each direction of a stream may carry before the first window update. Source: spec.md, "Flow Control". */
export const INITIAL_WINDOW_BYTES = 262_144;
/** Largest value of an id, a length, a window delta. */
export const U32_MAX = 0xffff_ffff;

/** Frame types. The header's `length` means, in this order: payload bytes, window delta, opaque value, GoAway code. */
export const TYPE = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
export type FrameType = (typeof TYPE)[keyof typeof TYPE];

/** Flag bits; several may be set on one Data or WindowUpdate frame, other bits are ignored. Ping uses syn (ask) and ack (answer). */
export const FLAG = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

/** GoAway codes on the wire. Source: spec.md, "Go Away". */
export const GO_AWAY = { normal: 0, 'protocol error': 1, 'internal error': 2 } as const satisfies Record<
  GoAwayCode,
  number
>;

/** The GoAway code a number stands for; `unknown` for numbers that the specification does not name. */
export const goAwayCode = (value: number): GoAwayCode | 'unknown' => {
  for (const code of ['normal', 'protocol error', 'internal error'] as const)
    if (GO_AWAY[code] === value) return code;
  return 'unknown';
};

/** A decoded header. Version is always 0; `flags` may hold bits that no specification names. */
export type FrameHeader = {
  readonly type: FrameType;
  readonly flags: number;
  /** 0: the session itself (Ping, GoAway). */
  readonly stream: StreamId;
  /** Unsigned 32 bits; its meaning depends on the type, see {@link TYPE}. Only Data is followed by that many bytes. */
  readonly length: number;
};

/** Writes a 12-byte header into `target` at `at`. Numbers are taken as unsigned big-endian; nothing is checked. */
export const writeHeader = (
  target: Uint8Array,
  at: number,
  type: FrameType,
  flags: number,
  stream: StreamId,
  length: number,
): void => {
  target[at] = 0;
  target[at + 1] = type;
  target[at + 2] = flags >>> 8;
  target[at + 3] = flags;
  target[at + 4] = stream >>> 24;
  target[at + 5] = stream >>> 16;
  target[at + 6] = stream >>> 8;
  target[at + 7] = stream;
  target[at + 8] = length >>> 24;
  target[at + 9] = length >>> 16;
  target[at + 10] = length >>> 8;
  target[at + 11] = length;
};

/** One whole frame as bytes of its own: header, then `payload` if given. For tests and suites; the session writes headers only. */
export const encodeFrame = (header: FrameHeader, payload?: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(HEADER_BYTES + (payload?.length ?? 0));
  writeHeader(bytes, 0, header.type, header.flags, header.stream, header.length);
  if (payload !== undefined) bytes.set(payload, HEADER_BYTES);
  return bytes;
};

const u32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;

/**
 * Reads a 12-byte header.
 * @param at index of its first byte; all 12 must be there
 * @param offset where that byte stood in the whole stream, for the error
 * @throws YamuxError YAMUX_VERSION | YAMUX_TYPE
 */
export const decodeHeader = (bytes: Uint8Array, at: number, offset: number): FrameHeader => {
  const version = bytes[at] as number;
  if (version !== 0)
    throw new YamuxError({
      code: 'YAMUX_VERSION',
      fault: 'remote',
      at: offset,
      expected: 'version 0',
      got: `version ${version}`,
      hint: 'the peer does not speak yamux, or bytes were lost or added before this frame',
    });
  const type = bytes[at + 1] as number;
  if (type > TYPE.goAway)
    throw new YamuxError({
      code: 'YAMUX_TYPE',
      fault: 'remote',
      at: offset + 1,
      expected: 'type 0 to 3',
      got: `type ${type}`,
      hint: 'bytes were lost or added before this frame, or the peer uses an extension',
    });
  return {
    type: type as FrameType,
    flags: ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number),
    stream: u32(bytes, at + 4),
    length: u32(bytes, at + 8),
  };
};

/** What a {@link FrameReader} finds next. A Data frame is a header and then payload pieces that add up to its length. */
export type FramePiece =
  /** `at`: offset of the header's first byte in the stream. */
  | { readonly type: 'header'; readonly header: FrameHeader; readonly at: number }
  /** A view into the chunk that was pushed, never empty. `last`: the frame ends with it. */
  | { readonly type: 'payload'; readonly bytes: Uint8Array; readonly last: boolean };

/**
 * Frames out of chunks cut anywhere. Holds at most 11 bytes of a header: payload is handed on piece by piece as views, so
 * a frame that announces 4 GiB costs nothing. Push a chunk, then call `next` until it says undefined.
 */
export class FrameReader {
  readonly #split = new Uint8Array(HEADER_BYTES);
  #splitBytes = 0;
  #chunk: Uint8Array | undefined;
  #at = 0;
  #payloadLeft = 0;
  #offset = 0;

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Between the first byte of a frame and its last: the carrier must not end here. */
  get midFrame(): boolean {
    return this.#splitBytes > 0 || this.#payloadLeft > 0;
  }

  /** @throws YamuxError YAMUX_CHUNK_UNREAD (local) when `next` has not yet read the chunk before to its end */
  push(chunk: Uint8Array): void {
    if (this.#chunk !== undefined)
      throw new YamuxError({
        code: 'YAMUX_CHUNK_UNREAD',
        fault: 'local',
        at: this.#offset,
        expected: 'the last chunk read to its end',
        got: `${this.#chunk.length - this.#at} bytes left`,
        hint: 'call next() until it returns undefined',
      });
    if (chunk.length === 0) return;
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next header or piece of payload; undefined: the chunk is used up.
   * @throws YamuxError YAMUX_VERSION | YAMUX_TYPE; nothing after that can be trusted, so the reader is then of no more use
   */
  next(): FramePiece | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    return this.#payloadLeft > 0 ? this.#nextPayload(chunk) : this.#nextHeader(chunk);
  }

  #nextPayload(chunk: Uint8Array): FramePiece {
    const end = Math.min(chunk.length, this.#at + this.#payloadLeft);
    const bytes = this.#at === 0 && end === chunk.length ? chunk : chunk.subarray(this.#at, end);
    this.#payloadLeft -= bytes.length;
    this.#advance(chunk, bytes.length);
    return { type: 'payload', bytes, last: this.#payloadLeft === 0 };
  }

  #nextHeader(chunk: Uint8Array): FramePiece | undefined {
    let header: FrameHeader;
    if (this.#splitBytes === 0 && chunk.length - this.#at >= HEADER_BYTES) {
      header = decodeHeader(chunk, this.#at, this.#offset);
      this.#advance(chunk, HEADER_BYTES);
    } else {
      const taken = Math.min(HEADER_BYTES - this.#splitBytes, chunk.length - this.#at);
      this.#split.set(chunk.subarray(this.#at, this.#at + taken), this.#splitBytes);
      this.#splitBytes += taken;
      this.#advance(chunk, taken);
      if (this.#splitBytes < HEADER_BYTES) return undefined;
      this.#splitBytes = 0;
      header = decodeHeader(this.#split, 0, this.#offset - HEADER_BYTES);
    }
    if (header.type === TYPE.data) this.#payloadLeft = header.length;
    return { type: 'header', header, at: this.#offset - HEADER_BYTES };
  }

  #advance(chunk: Uint8Array, bytes: number): void {
    this.#at += bytes;
    this.#offset += bytes;
    if (this.#at === chunk.length) this.#chunk = undefined;
  }
}
