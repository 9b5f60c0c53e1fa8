/** One connection to an identity relay by the link's own code, without a node around it: what it costs is the relay's protocol alone. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Identity, identityOf } from '../../../../reference-impl/identity-relay/crypto.ts';
import { Link, linkCodec } from '../../../../reference-impl/identity-relay/link.ts';
import type { InitConnection } from '../../../../reference-impl/identity-relay/messages.ts';
import { systemChance } from '../../../../reference-impl/identity-relay/node/system-chance.ts';

const codec = linkCodec();
const chance = systemChance();
/** Turns are shorter than any of these but the keepalive, and nobody waits for that. */
const TIMES = { keepaliveMillis: 1e9, silenceMillisMax: 1e9, rekeyMillis: 1e9 } as const;

export type At = { readonly port: number; readonly relayKey: Uint8Array };

/** A node that nobody knows. */
export const newIdentity = (): Identity => identityOf(new Uint8Array(randomBytes(32)));

/** The key in an IncomingConnection. */
export const connectorOf = (bytes: Uint8Array): Uint8Array => codec.readPeer(bytes);

export class SealedEnd {
  readonly ready: Promise<void>;
  /** Resolves with why when the connection is gone. */
  readonly closed: Promise<Error>;
  onMessage: (bytes: Uint8Array) => void = () => {};
  /** Takes what comes as it is, to be given to `hear` later. */
  onBytes: ((bytes: Uint8Array) => void) | undefined;
  readonly #socket: Socket;
  readonly #link: Link;
  readonly #init: InitConnection;
  readonly #readied = Promise.withResolvers<void>();

  constructor({ port, relayKey }: At, identity: Identity, init: InitConnection) {
    this.#init = init;
    this.#link = new Link({ ...TIMES, identity, expected: relayKey, chance, codec });
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.ready = this.#readied.promise;
    this.ready.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.#socket.on('error', resolve);
      this.#socket.on('close', () => resolve(new Error('the relay closed a connection')));
    });
    void this.closed.then((why) => this.#readied.reject(why));
    this.#socket.on('connect', () => this.#socket.write(this.#link.open()));
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.onBytes === undefined) this.hear(bytes);
      else this.onBytes(bytes);
    });
  }

  /** A message as it goes on the wire: each is to be written once, in the order in which they were sealed. */
  sealed(message: Uint8Array): Uint8Array {
    return this.#link.send(0, message);
  }

  /** Resolves when there is room for more, rejects when the connection is gone first. */
  async write(frames: Uint8Array): Promise<void> {
    if (this.offer(frames)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lost = (): void => reject(new Error('the relay closed a connection'));
    this.#socket.once('drain', resolve).once('close', lost);
    await promise;
    this.#socket.off('close', lost);
  }

  /** @returns false: it is held back */
  offer(frames: Uint8Array): boolean {
    return this.#socket.write(frames);
  }

  /** Takes bytes apart as they come from the relay. */
  hear(bytes: Uint8Array): void {
    this.#link.push(bytes);
    for (let event = this.#link.next(0); event !== undefined; event = this.#link.next(0)) {
      if (event.type === 'send') this.#socket.write(event.message);
      else if (event.type === 'message') this.onMessage(event.bytes);
      else if (event.type === 'ready') {
        this.#socket.write(this.sealed(codec.writeInitConnection(this.#init)));
        this.#readied.resolve();
      }
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}
