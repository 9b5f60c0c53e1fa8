/** A channel both of whose ends know each other: handshake, sealed messages, rekey in all three forms. Source: protocol notes, layer 3. */
import type { Millis } from '../machine/machine.ts';
import { NO_PADDING } from './chance.ts';
import { NONCE_BYTES, TAG_BYTES } from './crypto.ts';
import { Handshake, type HandshakeOptions, OwnExchange } from './handshake.ts';
import type { Rekey } from './messages.ts';
import { OpeningKeys, type SealingKey } from './sealed-keys.ts';
import { fault } from './wire-faults.ts';

export type ChannelOptions = HandshakeOptions & {
  /** Our own rekey comes so long after the last one. */
  readonly rekeyMillis: Millis;
  /** Free bytes in front of everything that is to be sent, for a length. */
  readonly headroomBytes: number;
  /** A sealed message may not be longer. */
  readonly sealedBytesMax: number;
};

/** What a message of the peer leads to. `bytes`: a view that holds until the codec reads again. */
export type ChannelEvent =
  | { readonly type: 'send'; readonly message: Uint8Array }
  | { readonly type: 'ready'; readonly peer: Uint8Array }
  | { readonly type: 'user'; readonly bytes: Uint8Array }
  | { readonly type: 'nothing' };

const NOTHING: ChannelEvent = { type: 'nothing' };
/** Rekeys a peer may start at once, and how long it takes until it may start one more: each costs us as much as half a handshake. */
const REKEYS_MAX = 16;
const REKEY_EVERY_MILLIS = 1_000;
/** Above this a message goes without padding, so that whatever came in one frame leaves in one. */
const ROOM_FOR_PADDING_BYTES = 2_048;

/** A message before it is sealed: the codec lays it around the padding. */
export type Packed = (padding: Uint8Array) => Uint8Array;

export class SecureChannel {
  readonly #options: ChannelOptions;
  #handshake: Handshake | undefined;
  #sealing: SealingKey | undefined;
  #opening: OpeningKeys | undefined;
  /** Our rekey that was not answered yet. */
  #rekeying: OwnExchange | undefined;
  #rekeyAt: Millis | undefined;
  #rekeysLeft = REKEYS_MAX;
  #rekeyedAt: Millis = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#handshake = new Handshake(options);
  }

  /** Our first message. */
  hello(): Uint8Array {
    if (this.#handshake === undefined) throw new Error('hello: the handshake is over');
    return this.#withHeadroom(this.#handshake.hello());
  }

  /** When our rekey is due; undefined before the handshake is done, and while one of ours is under way. */
  deadline(): Millis | undefined {
    return this.#rekeyAt;
  }

  /** @throws WireError when the peer breaks the protocol; the channel is to be closed then */
  receive(now: Millis, message: Uint8Array): ChannelEvent {
    if (this.#opening === undefined) return this.#shake(now, message);
    const retiring = this.#opening.changing;
    const content = this.#options.codec.readChannel(this.#opening.open(message));
    if (content.type === 'user') return content;
    if (retiring && this.#opening.changing)
      throw fault('REKEY_REPEATED', 'one rekey under each key', 'another under a retired one');
    return this.#rekeyed(now, content.rekey);
  }

  /** Starts a rekey, whether one is due or not. @returns undefined while one of ours is under way */
  rekey(): Uint8Array | undefined {
    if (this.#rekeying !== undefined || this.#sealing === undefined) return undefined;
    this.#rekeyAt = undefined;
    this.#rekeying = new OwnExchange(this.#options.chance);
    return this.#sealRekey(this.#rekeying);
  }

  /** Seals what the codec packs around the padding of this message. @throws WireError MESSAGE_TOO_LONG | COUNTER_SPENT */
  seal(packed: Packed, length: number): Uint8Array {
    if (this.#sealing === undefined) throw new Error('seal: no key yet');
    const { chance, headroomBytes, sealedBytesMax } = this.#options;
    const tight = length > sealedBytesMax - ROOM_FOR_PADDING_BYTES - (length >>> 3);
    const plaintext = packed(tight ? NO_PADDING : chance.padding());
    const bytes = NONCE_BYTES + plaintext.length + TAG_BYTES;
    if (bytes > sealedBytesMax)
      throw fault('MESSAGE_TOO_LONG', `at most ${sealedBytesMax} sealed bytes`, String(bytes));
    return this.#sealing.seal(plaintext, headroomBytes);
  }

  /** Forgets every key; nothing works after it. */
  close(): void {
    this.#handshake = undefined;
    this.#rekeying = undefined;
    this.#rekeyAt = undefined;
    this.#sealing?.forget();
    this.#opening?.forget();
    this.#sealing = undefined;
  }

  #shake(now: Millis, message: Uint8Array): ChannelEvent {
    const step = this.#handshake?.receive(message);
    if (step === undefined) throw new Error('receive: the channel is closed');
    if (step.type === 'reply') return { type: 'send', message: this.#withHeadroom(step.message) };
    this.#handshake = undefined;
    this.#sealing = step.keys.sealing;
    this.#opening = new OpeningKeys(step.keys.opening);
    this.#rekeyAt = now + this.#options.rekeyMillis;
    return { type: 'ready', peer: step.peer };
  }

  #rekeyed(now: Millis, theirs: Rekey): ChannelEvent {
    const own = this.#rekeying ?? new OwnExchange(this.#options.chance);
    const answer = this.#rekeying === undefined;
    if (answer) this.#allowRekey(now);
    const { sealing, opening } = own.keysWith(theirs.dhPublicKey, theirs.keySalt);
    // the answer still goes under the old key
    const message = answer ? this.#sealRekey(own) : undefined;
    this.#sealing?.forget();
    this.#sealing = sealing;
    this.#opening?.renew(opening);
    this.#rekeying = undefined;
    this.#rekeyAt = now + this.#options.rekeyMillis;
    return message === undefined ? NOTHING : { type: 'send', message };
  }

  #allowRekey(now: Millis): void {
    const earned = Math.floor((now - this.#rekeyedAt) / REKEY_EVERY_MILLIS);
    this.#rekeysLeft = Math.min(REKEYS_MAX, this.#rekeysLeft + earned) - 1;
    this.#rekeyedAt += earned * REKEY_EVERY_MILLIS;
    if (this.#rekeysLeft < 0)
      throw fault('REKEY_TOO_OFTEN', `at most ${REKEYS_MAX} at once, and one a second`, 'more');
  }

  #sealRekey(own: OwnExchange): Uint8Array {
    const rekey: Rekey = { dhPublicKey: own.ephemeral.publicKey, keySalt: own.keySalt };
    return this.seal((padding) => this.#options.codec.packRekey(padding, rekey), 0);
  }

  #withHeadroom(message: Uint8Array): Uint8Array {
    const { headroomBytes } = this.#options;
    const bytes = new Uint8Array(headroomBytes + message.length);
    bytes.set(message, headroomBytes);
    return bytes;
  }
}
