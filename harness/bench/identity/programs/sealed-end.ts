/** One connection to an identity relay by the link's own code, without a node around it: what it costs is the relay's protocol alone. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { type Identity, identityOf } from '../../../../reference-impl/identity-relay/crypto.ts';
import { Link, linkCodec } from '../../../../reference-impl/identity-relay/link.ts';
import type { InitConnection } from '../../../../reference-impl/identity-relay/messages.ts';
import { systemChance } from '../../../../reference-impl/identity-relay/node/system-chance.ts';
import type { Carrying, Joined } from './carrying.ts';

const codec = linkCodec();
const chance = systemChance();
/** Turns are shorter than any of these but the keepalive, and nobody waits for that. */
const TIMES = { keepaliveMillis: 1e9, silenceMillisMax: 1e9, rekeyMillis: 1e9 } as const;

export type At = { readonly port: number; readonly relayKey: Uint8Array };

/** A node that nobody knows. */
export const newIdentity = (): Identity => identityOf(new Uint8Array(randomBytes(32)));

export class SealedEnd implements Carrying {
  readonly ready: Promise<void>;
  onMessage: (bytes: Uint8Array) => void = () => {};
  readonly #socket: Socket;
  readonly #link: Link;
  readonly #message: Uint8Array;

  /** @param message what `send` sends */
  constructor(
    { port, relayKey }: At,
    identity: Identity,
    init: InitConnection,
    message: Uint8Array = new Uint8Array(0),
  ) {
    this.#message = message;
    this.#link = new Link({ ...TIMES, identity, expected: relayKey, chance, codec });
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    promise.catch(() => {});
    this.#socket.on('error', reject);
    this.#socket.on('close', () => reject(new Error('the relay closed a connection')));
    this.#socket.on('connect', () => this.#socket.write(this.#link.open()));
    this.#socket.on('data', (bytes: Buffer) => {
      this.#link.push(bytes);
      for (let event = this.#link.next(0); event !== undefined; event = this.#link.next(0)) {
        if (event.type === 'send') this.#socket.write(event.message);
        else if (event.type === 'message') this.onMessage(event.bytes);
        else if (event.type === 'ready') {
          this.#socket.write(this.#link.send(0, codec.writeInitConnection(init)));
          resolve();
        }
      }
    });
  }

  send(bytes: Uint8Array = this.#message): boolean {
    return this.#socket.write(this.#link.send(0, bytes));
  }

  room(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('drain', resolve));
  }

  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The key in an IncomingConnection. */
const connectorOf = (bytes: Uint8Array): Uint8Array => codec.readPeer(bytes);

/** So many tunnels to one listening node, each between keys of its own. */
export const joinSealed = async (
  at: At,
  tunnels: number,
  messageBytes: number,
): Promise<{ readonly joined: readonly Joined[]; readonly listener: SealedEnd }> => {
  const message = new Uint8Array(randomBytes(messageBytes));
  const identity = newIdentity();
  const listener = new SealedEnd(at, identity, { type: 'listen' });
  await listener.ready;
  const coming: ((key: Uint8Array) => void)[] = [];
  listener.onMessage = (bytes) => coming.shift()?.(connectorOf(bytes));
  const joined: Joined[] = [];
  for (let i = 0; i < tunnels; i++) {
    const called = new Promise<Uint8Array>((resolve) => coming.push(resolve));
    const from = new SealedEnd(
      at,
      newIdentity(),
      { type: 'connect', publicKey: identity.publicKey },
      message,
    );
    await from.ready;
    const to = new SealedEnd(at, identity, { type: 'accept', publicKey: await called }, message);
    await to.ready;
    joined.push(await counted(from, to));
  }
  return { joined, listener };
};

const counted = async (from: SealedEnd, to: SealedEnd): Promise<Joined> => {
  let bytes = 0;
  let heard = Promise.withResolvers<void>();
  from.onMessage = () => heard.resolve();
  to.send(new Uint8Array(1));
  await heard.promise;
  to.onMessage = (message) => {
    bytes += message.length;
    if (message.length === 1) to.send(message);
  };
  const roundTrip = async (): Promise<number> => {
    heard = Promise.withResolvers<void>();
    const began = performance.now();
    from.send(new Uint8Array(1));
    await heard.promise;
    return performance.now() - began;
  };
  return { from, to, counted: () => bytes, roundTrip };
};
