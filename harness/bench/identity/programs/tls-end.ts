/** One connection to the relay over node:tls. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { connect, type TLSSocket } from 'node:tls';
import type { Joined } from './carrying.ts';
import { PAIR_BYTES, SECRET, TLS_OPTIONS } from './psk.ts';

export const dialTls = async (port: number): Promise<TLSSocket> => {
  const socket = connect({
    ...TLS_OPTIONS,
    host: '127.0.0.1',
    port,
    pskCallback: () => ({ psk: SECRET, identity: 'bench' }),
    checkServerIdentity: () => undefined,
  });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Messages that one end sends before others have their turn. */
const BURST = 16;

class TlsTunnel implements Joined {
  readonly #from: TLSSocket;
  readonly #to: TLSSocket;
  readonly #message: Uint8Array;
  #messages = 0;

  constructor(from: TLSSocket, to: TLSSocket, message: Uint8Array) {
    this.#from = from;
    this.#to = to;
    this.#message = message;
    from.resume();
    to.on('data', (piece) => {
      if (piece.length === 1) to.write(piece);
    });
  }

  prepare(messages: number): void {
    this.#messages = messages;
  }

  async send(): Promise<void> {
    const { promise: all, resolve, reject } = Promise.withResolvers<void>();
    let missing = this.#messages * this.#message.length;
    const count = (piece: Buffer): void => {
      missing -= piece.length;
      if (missing === 0) resolve();
    };
    const lost = (): void => reject(new Error('the relay closed a connection'));
    this.#to.on('data', count).once('close', lost);
    for (let sent = 0; sent < this.#messages; ) {
      let free = true;
      for (let i = 0; i < BURST && free && sent < this.#messages; i++, sent++)
        free = this.#from.write(this.#message);
      if (free) await turn();
      else await Promise.race([once(this.#from, 'drain'), all]);
    }
    await all;
    this.#to.off('data', count).off('close', lost);
  }

  /** TLS has looked at it. */
  check(): void {}

  async roundTrip(): Promise<number> {
    const began = performance.now();
    const heard = once(this.#from, 'data');
    this.#from.write(new Uint8Array(1));
    await heard;
    return performance.now() - began;
  }

  close(): void {
    this.#from.destroy();
    this.#to.destroy();
  }
}

let pairs = 0;

/** So many pairs of connections, each of messages so long. */
export const joinTls = async (
  port: number,
  tunnels: number,
  messageBytes: number,
): Promise<readonly Joined[]> => {
  const message = new Uint8Array(randomBytes(messageBytes));
  const joined: Joined[] = [];
  for (let i = 0; i < tunnels; i++) {
    const name = Buffer.alloc(PAIR_BYTES);
    name.writeUInt32BE(++pairs);
    const from = await dialTls(port);
    from.write(name);
    const to = await dialTls(port);
    const up = once(from, 'data');
    to.write(name);
    await up;
    joined.push(new TlsTunnel(from, to, message));
  }
  return joined;
};
