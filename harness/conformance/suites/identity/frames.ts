/** Frames on one TCP connection: a length as u64, big-endian, then so many bytes. Source: protocol notes, layers 1 and 2. */
import { Broken } from '../../outcome.ts';
import type { WireEnd } from '../../wire/wire-end.ts';

export const FRAME_HEADER_BYTES = 8;
/** The protocol's limit; some relays send and take longer ones, so what we read may be longer. */
export const FRAME_BYTES_MAX = 1_048_576;
const READ_BYTES_MAX = 48 * 1_048_576;

/** Version 0, as the first frame each way. */
export const VERSION = Buffer.alloc(4);

export const frameHeader = (length: number | bigint): Buffer => {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeBigUInt64BE(BigInt(length));
  return header;
};

export const framed = (payload: Buffer): Buffer => Buffer.concat([frameHeader(payload.length), payload]);

/** Where a secure channel's messages travel: as frames on TCP, or as the messages of a tunnel. */
export interface Carrier {
  send(message: Buffer): Promise<void>;
  /** The next whole message. @throws Broken when none comes */
  receive(what: string, millis?: number): Promise<Buffer>;
}

export class Frames implements Carrier {
  readonly wire: WireEnd;

  constructor(wire: WireEnd) {
    this.wire = wire;
  }

  send(message: Buffer): Promise<void> {
    return this.wire.send(framed(message));
  }

  async receive(what: string, millis?: number): Promise<Buffer> {
    const header = await this.wire.take(FRAME_HEADER_BYTES, `${what}: the length of a frame`, millis);
    const length = header.readBigUInt64BE();
    if (length > READ_BYTES_MAX)
      throw new Broken(`on ${this.wire.name}: ${what}, a frame that can be held`, `one of ${length} bytes`);
    return this.wire.take(Number(length), `${what}: a frame of ${length} bytes`, millis);
  }

  async versions(): Promise<void> {
    await this.send(VERSION);
    await this.hearVersion();
  }

  async hearVersion(): Promise<void> {
    const version = await this.receive('the version, first of all');
    if (!version.equals(VERSION))
      throw new Broken(`on ${this.wire.name}: version 0 as 4 bytes (00000000)`, version.toString('hex'));
  }
}
