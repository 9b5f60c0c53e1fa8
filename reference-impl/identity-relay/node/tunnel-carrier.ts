import { Duplex } from 'node:stream';
import { ConnectError, type Tunnel } from './library.ts';

/** Bytes that go as one message: large enough that sealing costs little by byte, small enough that a keystroke does not wait long. */
const MESSAGE_BYTES = 131_072;

type Done = (error?: Error | null) => void;

/** A tunnel as a stream of bytes: cut into messages anew, held back both ways, closed as a whole (a tunnel has no half-close). */
export class TunnelCarrier extends Duplex {
  readonly #tunnel: Tunnel;
  #paused = false;
  /** A write that waits until the tunnel has room. */
  #waiting: Done | undefined;

  /** @param tunnel its own from now on; nobody else listens to its messages */
  constructor(tunnel: Tunnel) {
    super();
    this.#tunnel = tunnel;
    tunnel.on('message', (bytes) => {
      if (this.destroyed || this.push(bytes)) return;
      this.#paused = true;
      tunnel.pause();
    });
    tunnel.on('drain', () => this.#goOn());
    tunnel.on('close', (why) =>
      this.destroy(why === 'left' || why === 'ended' ? undefined : new ConnectError(tunnel.peer, why)),
    );
  }

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#tunnel.resume();
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#send([bytes], done);
  }

  override _writev(items: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    this.#send(
      items.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.#tunnel.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#tunnel.end();
    done(error);
    this.#goOn(error);
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    if (this.destroyed) {
      done();
      return;
    }
    const all = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks);
    let more = true;
    for (let at = 0; at < all.length; at += MESSAGE_BYTES)
      more = this.#tunnel.send(all.subarray(at, at + MESSAGE_BYTES));
    if (more) done();
    else this.#waiting = done;
  }

  #goOn(error?: Error | null): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(error);
  }
}
