/** One TCP connection, whichever end: frames, version, and a conduit in them. Source: protocol notes, layers 1 to 4. */
import type { Millis } from '../machine/machine.ts';
import { Conduit, type ConduitEvent, type ConduitOptions, type Heard } from './conduit.ts';
import { FRAME_BYTES_MAX, FRAME_HEADER_BYTES, FrameReader, framed } from './frames.ts';
import { MessageCodec } from './messages.ts';
import { fault } from './wire-faults.ts';

/** What a message may unpack to: whatever fits a frame, and twice that if it packs well. */
const UNPACKED_BYTES_MAX = 2 * FRAME_BYTES_MAX;
/** Handshake messages take 71 to 176 bytes as everybody writes them. */
const HANDSHAKE_FRAME_BYTES_MAX = 4_096;
const VERSION = 0;
const VERSION_BYTES = 4;

/** A codec as links need it: one for all links of a machine. */
export const linkCodec = (): MessageCodec => new MessageCodec(UNPACKED_BYTES_MAX);

export type LinkOptions = Omit<ConduitOptions, 'headroomBytes' | 'sealedBytesMax'>;

export class Link {
  readonly #conduit: Conduit;
  readonly #frames = new FrameReader();
  #versioned = false;

  constructor(options: LinkOptions) {
    this.#conduit = new Conduit({
      ...options,
      headroomBytes: FRAME_HEADER_BYTES,
      sealedBytesMax: FRAME_BYTES_MAX,
    });
  }

  get ready(): boolean {
    return this.#conduit.ready;
  }

  /** What is to be sent first, before anything was heard: our version and hello. */
  open(): Uint8Array {
    const hello = framed(this.#conduit.hello());
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + VERSION_BYTES + hello.length);
    bytes[FRAME_HEADER_BYTES - 1] = VERSION_BYTES;
    bytes.set(hello, FRAME_HEADER_BYTES + VERSION_BYTES);
    return bytes;
  }

  push(bytes: Uint8Array): void {
    this.#frames.push(bytes);
  }

  /**
   * What the next whole frame leads to; `send` is ready for the wire.
   * @returns undefined when there is none
   * @throws WireError when the peer breaks the protocol: the connection is to be closed
   */
  next(now: Millis): ConduitEvent | undefined {
    for (;;) {
      const frame = this.#frames.next(this.#conduit.ready ? FRAME_BYTES_MAX : HANDSHAKE_FRAME_BYTES_MAX);
      if (frame === undefined) return undefined;
      if (!this.#versioned) {
        this.#version(frame);
        continue;
      }
      const event = this.#conduit.receive(now, frame);
      if (event.type === 'send') framed(event.message);
      if (event.type !== 'nothing') return event;
    }
  }

  send(now: Millis, message: Uint8Array): Uint8Array {
    return framed(this.#conduit.send(now, message));
  }

  pass(now: Millis, heard: Heard): Uint8Array {
    return framed(this.#conduit.pass(now, heard));
  }

  rekey(): Uint8Array | undefined {
    const message = this.#conduit.rekey();
    return message === undefined ? undefined : framed(message);
  }

  hold(now: Millis, held: boolean): void {
    this.#conduit.hold(now, held);
  }

  deadline(): Millis | undefined {
    return this.#conduit.deadline();
  }

  expire(now: Millis): readonly Uint8Array[] {
    const out = this.#conduit.expire(now);
    for (const message of out) framed(message);
    return out;
  }

  close(): void {
    this.#conduit.close();
  }

  #version(frame: Uint8Array): void {
    if (frame.length !== VERSION_BYTES)
      throw fault('VERSION_MALFORMED', `${VERSION_BYTES} bytes`, `${frame.length} bytes`, 0);
    const version = new DataView(frame.buffer, frame.byteOffset).getUint32(0);
    if (version !== VERSION) throw fault('VERSION_UNKNOWN', String(VERSION), String(version), 0);
    this.#versioned = true;
  }
}
