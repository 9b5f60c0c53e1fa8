/** One yamux session played by hand: frames out as a case says them, frames in as they come. */
import {
  encodeFrame,
  FLAG,
  type FrameHeader,
  HEADER_BYTES,
  TYPE,
} from '../../../../reference-impl/yamux/frame.ts';
import type { CaseContext } from '../../case.ts';
import type { WireEnd } from '../../wire/wire-end.ts';

export type Frame = FrameHeader & { readonly payload: Buffer };

const DATA_BYTES_MAX = 16 * 1_048_576;

export const isData =
  (id: number) =>
  ({ stream, type }: Frame): boolean =>
    stream === id && type === TYPE.data;
export const isEnd =
  (id: number) =>
  ({ stream, flags }: Frame): boolean =>
    stream === id && (flags & (FLAG.fin | FLAG.rst)) !== 0;
export const isReset =
  (id: number) =>
  ({ stream, flags }: Frame): boolean =>
    stream === id && (flags & FLAG.rst) !== 0;

export class LiteralSession {
  readonly carrier: WireEnd;
  readonly #it: CaseContext;
  #opened: number;

  /** @param role ours: which parity our streams have */
  constructor(it: CaseContext, carrier: WireEnd, role: 'client' | 'server') {
    this.#it = it;
    this.carrier = carrier;
    this.#opened = role === 'client' ? -1 : 0;
  }

  send(
    type: FrameHeader['type'],
    flags: number,
    stream: number,
    payload: Buffer | number = 0,
  ): Promise<void> {
    return this.carrier.send(LiteralSession.frame(type, flags, stream, payload));
  }

  /** One frame as bytes: a Buffer is payload, a number is the header's length field. */
  static frame(
    type: FrameHeader['type'],
    flags: number,
    stream: number,
    payload: Buffer | number = 0,
  ): Uint8Array {
    const length = typeof payload === 'number' ? payload : payload.length;
    return encodeFrame({ type, flags, stream, length }, typeof payload === 'number' ? undefined : payload);
  }

  /** The id our next stream would have; taken. */
  nextId(): number {
    this.#opened += 2;
    return this.#opened;
  }

  /** Opens a stream with SYN on a WindowUpdate. @returns its id */
  async open(): Promise<number> {
    const id = this.nextId();
    await this.send(TYPE.windowUpdate, FLAG.syn, id, 0);
    return id;
  }

  /** The next frame, whatever it is. */
  async next(what: string, millis?: number): Promise<Frame> {
    const head = await this.carrier.take(HEADER_BYTES, `${what}: a frame header`, millis);
    const [version, type] = [head[0] as number, head[1] as number];
    if (version !== 0 || type > TYPE.goAway)
      this.#it.broken('a yamux frame: version 0, type 0 to 3', head.toString('hex'));
    const length = head.readUInt32BE(8);
    const header = {
      type: type as FrameHeader['type'],
      flags: head.readUInt16BE(2),
      stream: head.readUInt32BE(4),
      length,
    };
    if (type !== TYPE.data) return { ...header, payload: Buffer.alloc(0) };
    if (length > DATA_BYTES_MAX) this.#it.broken('a Data frame within any window', `${length} bytes`);
    return { ...header, payload: await this.carrier.take(length, `${what}: the payload`, millis) };
  }

  /** Frames until one is as wanted; pings are answered on the way. */
  async until(what: string, wanted: (frame: Frame) => boolean, millis?: number): Promise<Frame> {
    for (;;) {
      const frame = await this.next(what, millis);
      if (wanted(frame)) return frame;
      if (frame.type === TYPE.ping && frame.flags === FLAG.syn)
        await this.send(TYPE.ping, FLAG.ack, 0, frame.length);
      if (frame.type === TYPE.goAway) this.#it.broken(what, `GoAway with code ${frame.length}`);
    }
  }

  /** The stream the other side opens next, acknowledged. @returns its id and what came with the SYN */
  async accept(what = 'a stream'): Promise<{ readonly id: number; readonly early: Buffer }> {
    const frame = await this.until(what, ({ flags, type }) => (flags & FLAG.syn) !== 0 && type !== TYPE.ping);
    await this.send(TYPE.windowUpdate, FLAG.ack, frame.stream, 0);
    return { id: frame.stream, early: frame.payload };
  }

  /** Payload of one stream until `count` bytes are there; its window is granted again as it is taken. */
  async data(id: number, count: number, had: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const parts = [had];
    let length = had.length;
    while (length < count) {
      const frame = await this.until(
        `${count} bytes on stream ${id}`,
        (frame) => isData(id)(frame) || isEnd(id)(frame),
      );
      parts.push(frame.payload);
      length += frame.payload.length;
      if (frame.payload.length > 0) await this.send(TYPE.windowUpdate, 0, id, frame.payload.length);
      if (isEnd(id)(frame) && length < count)
        this.#it.broken(`${count} bytes on stream ${id}`, `its end after ${length}`);
    }
    return Buffer.concat(parts);
  }

  /** Everything up to the end of the stream. */
  async rest(id: number, what: string): Promise<{ readonly bytes: Buffer; readonly how: 'fin' | 'rst' }> {
    const parts: Buffer[] = [];
    for (;;) {
      const frame = await this.until(what, (frame) => isData(id)(frame) || isEnd(id)(frame));
      parts.push(frame.payload);
      if (isEnd(id)(frame)) return { bytes: Buffer.concat(parts), how: isReset(id)(frame) ? 'rst' : 'fin' };
      if (frame.payload.length > 0) await this.send(TYPE.windowUpdate, 0, id, frame.payload.length);
    }
  }

  /** A ping of ours and its answer: the session lives, and has read everything before. */
  async ping(value = 0x5eed): Promise<void> {
    await this.send(TYPE.ping, FLAG.syn, 0, value);
    await this.until(
      'the answer to a ping',
      ({ type, flags, length }) => type === TYPE.ping && flags === FLAG.ack && length === value,
    );
  }
}
