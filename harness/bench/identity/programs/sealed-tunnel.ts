/** Two sealed ends that a relay has joined. Everything is sealed before the clock starts and opened after it has stopped. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Joined } from './carrying.ts';
import { FrameCount } from './frame-count.ts';
import { type At, connectorOf, newIdentity, SealedEnd } from './sealed-end.ts';

/** Frames are handed to the socket in pieces of about this. */
const WRITE_BYTES = 65_536;

export class SealedTunnel implements Joined {
  readonly from: SealedEnd;
  readonly to: SealedEnd;
  readonly #message: Uint8Array;
  #ready: Uint8Array[] = [];
  #messages = 0;
  #came: Uint8Array[] = [];

  constructor(from: SealedEnd, to: SealedEnd, message: Uint8Array) {
    this.from = from;
    this.to = to;
    this.#message = message;
    this.#echo();
  }

  prepare(messages: number): void {
    let frames: Uint8Array[] = [];
    let bytes = 0;
    for (let i = 0; i < messages; i++) {
      const frame = this.from.sealed(this.#message);
      frames.push(frame);
      bytes += frame.length;
      if (bytes < WRITE_BYTES && i < messages - 1) continue;
      this.#ready.push(Buffer.concat(frames));
      frames = [];
      bytes = 0;
    }
    this.#messages = messages;
  }

  async send(): Promise<void> {
    const { promise: all, resolve, reject } = Promise.withResolvers<void>();
    const count = new FrameCount();
    this.to.closed.then(reject);
    this.to.onBytes = (bytes) => {
      this.#came.push(bytes);
      if (count.push(bytes) === this.#messages) resolve();
    };
    for (const piece of this.#ready.splice(0)) await this.from.write(piece);
    await all;
    this.to.onBytes = undefined;
  }

  check(): void {
    let right = 0;
    this.to.onMessage = (bytes) => {
      if (Buffer.compare(bytes, this.#message) === 0) right++;
    };
    for (const bytes of this.#came.splice(0)) this.to.hear(bytes);
    this.#echo();
    if (right !== this.#messages)
      throw new Error(`${right} of ${this.#messages} messages came as they were sent`);
  }

  async roundTrip(): Promise<number> {
    const heard = new Promise<void>((resolve) => {
      this.from.onMessage = () => resolve();
    });
    const began = performance.now();
    await this.from.write(this.from.sealed(new Uint8Array(1)));
    await heard;
    return performance.now() - began;
  }

  close(): void {
    this.from.close();
    this.to.close();
  }

  #echo(): void {
    this.to.onMessage = (bytes) => void this.to.write(this.to.sealed(bytes));
  }
}

/** So many tunnels to one listening node, each between keys of its own. */
export const joinSealed = async (
  at: At,
  tunnels: number,
  messageBytes: number,
): Promise<{ readonly joined: readonly SealedTunnel[]; readonly listener: SealedEnd }> => {
  const message = new Uint8Array(randomBytes(messageBytes));
  const identity = newIdentity();
  const listener = new SealedEnd(at, identity, { type: 'listen' });
  await listener.ready;
  const coming: ((key: Uint8Array) => void)[] = [];
  listener.onMessage = (bytes) => coming.shift()?.(connectorOf(bytes));
  const joined: SealedTunnel[] = [];
  for (let i = 0; i < tunnels; i++) {
    const called = new Promise<Uint8Array>((resolve) => coming.push(resolve));
    const from = new SealedEnd(at, newIdentity(), { type: 'connect', publicKey: identity.publicKey });
    await from.ready;
    const to = new SealedEnd(at, identity, { type: 'accept', publicKey: await called });
    await to.ready;
    const tunnel = new SealedTunnel(from, to, message);
    await tunnel.roundTrip();
    joined.push(tunnel);
  }
  return { joined, listener };
};
