/** One end of a yamux session whose frames pass through a defect on their way to and from the correct library behind it. */
import { HEADER_BYTES, TYPE } from '../../../reference-impl/yamux/frame.ts';

/** As on the wire: nothing is checked, so that what is no yamux passes too. */
export type RawFrame = {
  readonly version: number;
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly length: number;
  readonly payload: Buffer;
};

/** What a defect may do besides changing frames. */
export type SessionHands = {
  /** As if the other side had said it. */
  readonly toLibrary: (frame: RawFrame) => void;
  /** As if the library had said it. */
  readonly toPeer: (frame: RawFrame) => void;
  /** The connection ends. */
  readonly kill: () => void;
  /** Whether nothing more is read of the other side for now. */
  readonly hold: (held: boolean) => void;
};

/** What becomes of frames; absent: they pass. */
export type FrameTap = {
  /** Bytes of the other side before they are cut into frames. */
  readonly raw?: (bytes: Buffer) => Buffer;
  /** A frame of the other side: what the library hears instead. */
  readonly heard?: (frame: RawFrame) => readonly RawFrame[];
  /** A frame of the library: what the other side hears instead. */
  readonly said?: (frame: RawFrame) => readonly RawFrame[];
};

export const frameOf = (type: number, flags: number, stream: number, length = 0): RawFrame => ({
  ...{ version: 0, type, flags, stream, length },
  payload: Buffer.alloc(0),
});

const bytesOf = ({ version, type, flags, stream, length, payload }: RawFrame): Buffer => {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length);
  bytes[0] = version;
  bytes[1] = type;
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt32BE(length, 8);
  payload.copy(bytes, HEADER_BYTES);
  return bytes;
};

/** Cuts a stream into frames as they become whole. */
class Splitter {
  #held: Buffer = Buffer.alloc(0);

  take(bytes: Buffer): readonly RawFrame[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const frames: RawFrame[] = [];
    let at = 0;
    while (this.#held.length - at >= HEADER_BYTES) {
      const type = this.#held[at + 1] as number;
      const length = this.#held.readUInt32BE(at + 8);
      const size = HEADER_BYTES + (type === TYPE.data ? length : 0);
      if (this.#held.length - at < size) break;
      frames.push({
        version: this.#held[at] as number,
        ...{ type, length },
        flags: this.#held.readUInt16BE(at + 2),
        stream: this.#held.readUInt32BE(at + 4),
        payload: Buffer.from(this.#held.subarray(at + HEADER_BYTES, at + size)),
      });
      at += size;
    }
    this.#held = this.#held.subarray(at);
    return frames;
  }
}

/** The bytes of both directions, spoiled. */
export class SpoiledSession {
  readonly #tap: FrameTap;
  readonly #hands: SessionHands;
  readonly #in = new Splitter();
  readonly #out = new Splitter();

  constructor(
    spoil: (hands: SessionHands) => FrameTap,
    ends: {
      readonly toLibrary: (bytes: Buffer) => void;
      readonly toPeer: (bytes: Buffer) => void;
    } & Pick<SessionHands, 'kill' | 'hold'>,
  ) {
    this.#hands = {
      toLibrary: (frame) => ends.toLibrary(bytesOf(frame)),
      toPeer: (frame) => ends.toPeer(bytesOf(frame)),
      kill: ends.kill,
      hold: ends.hold,
    };
    this.#tap = spoil(this.#hands);
  }

  /** Bytes of the other side. */
  heard(bytes: Buffer): void {
    for (const frame of this.#in.take(this.#tap.raw?.(bytes) ?? bytes))
      for (const one of this.#tap.heard?.(frame) ?? [frame]) this.#hands.toLibrary(one);
  }

  /** Bytes of the library. */
  said(bytes: Buffer): void {
    for (const frame of this.#out.take(bytes))
      for (const one of this.#tap.said?.(frame) ?? [frame]) this.#hands.toPeer(one);
  }
}
