/** The first two messages each way: who is there, and the keys of the channel. Both sides do the same. Source: protocol notes, layer 3. */
import type { Chance } from './chance.ts';
import {
  type Ephemeral,
  ephemeralOf,
  type Identity,
  isSignedBy,
  isSmallOrder,
  sameBytes,
  sealingKey,
  sharedSecret,
} from './crypto.ts';
import { type ExchangeDh, KEY_BYTES, type MessageCodec, RAND_NONCE_BYTES } from './messages.ts';
import { textOf } from './public-key.ts';
import { OpeningKey, SealingKey } from './sealed-keys.ts';
import { fault } from './wire-faults.ts';

export type HandshakeOptions = {
  readonly identity: Identity;
  /** Who must be there; undefined: anybody. */
  readonly expected: Uint8Array | undefined;
  readonly chance: Chance;
  readonly codec: MessageCodec;
};

export type ChannelKeys = { readonly sealing: SealingKey; readonly opening: OpeningKey };

/** What one of the peer's two messages leads to. */
export type HandshakeStep =
  | { readonly type: 'reply'; readonly message: Uint8Array }
  | { readonly type: 'done'; readonly keys: ChannelKeys; readonly peer: Uint8Array };

/** Half an exchange: our part of it, until the other side's part is here. */
export class OwnExchange {
  readonly ephemeral: Ephemeral;
  readonly keySalt: Uint8Array;

  constructor(chance: Chance) {
    this.ephemeral = ephemeralOf(chance.dhSecret());
    this.keySalt = chance.keySalt();
  }

  /** @throws WireError DH_WEAK */
  keysWith(dhPublicKey: Uint8Array, keySalt: Uint8Array): ChannelKeys {
    const shared = sharedSecret(this.ephemeral, dhPublicKey);
    if (shared === undefined || sameBytes(dhPublicKey, this.ephemeral.publicKey)) {
      shared?.fill(0);
      throw fault('DH_WEAK', 'an X25519 key of the other side', textOf(dhPublicKey));
    }
    const sealing = new SealingKey(sealingKey(shared, this.keySalt));
    const opening = new OpeningKey(sealingKey(shared, keySalt));
    shared.fill(0);
    return { sealing, opening };
  }
}

const signed = (dhPublicKey: Uint8Array, randNonce: Uint8Array, keySalt: Uint8Array): Uint8Array => {
  const message = new Uint8Array(2 * KEY_BYTES + RAND_NONCE_BYTES);
  message.set(dhPublicKey);
  message.set(randNonce, KEY_BYTES);
  message.set(keySalt, KEY_BYTES + RAND_NONCE_BYTES);
  return message;
};

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #randNonce: Uint8Array;
  #peer: Uint8Array | undefined;
  #own: OwnExchange | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#randNonce = options.chance.randNonce();
  }

  /** Our ExchangeRandNonce, to be sent before anything was heard. */
  hello(): Uint8Array {
    const { identity, expected, codec } = this.#options;
    return codec.writeExchangeRandNonce({
      randNonce: this.#randNonce,
      srcPublicKey: identity.publicKey,
      optDestPublicKey: expected,
    });
  }

  /** Takes the peer's ExchangeRandNonce, then its ExchangeDh. @throws WireError when it breaks the protocol or is somebody else */
  receive(message: Uint8Array): HandshakeStep {
    const { codec } = this.#options;
    if (this.#peer === undefined || this.#own === undefined)
      return { type: 'reply', message: this.#meet(message) };
    const { dhPublicKey, keySalt } = this.#checked(codec.readExchangeDh(message), this.#peer);
    return { type: 'done', keys: this.#own.keysWith(dhPublicKey, keySalt), peer: this.#peer };
  }

  #meet(message: Uint8Array): Uint8Array {
    const { identity, expected, chance, codec } = this.#options;
    const { randNonce, srcPublicKey } = codec.readExchangeRandNonce(message);
    if (expected !== undefined && !sameBytes(expected, srcPublicKey))
      throw fault('PEER_UNEXPECTED', textOf(expected), textOf(srcPublicKey));
    if (isSmallOrder(srcPublicKey)) throw fault('PEER_WEAK', 'a key of full order', textOf(srcPublicKey));
    // our own messages sent back to us would pass every other check
    if (sameBytes(randNonce, this.#randNonce))
      throw fault('NONCE_MISMATCH', 'a randNonce of the other side', 'our own, sent back');
    this.#peer = srcPublicKey;
    this.#own = new OwnExchange(chance);
    const { publicKey: dhPublicKey } = this.#own.ephemeral;
    const { keySalt } = this.#own;
    const signature = identity.sign(signed(dhPublicKey, randNonce, keySalt));
    return codec.writeExchangeDh({ dhPublicKey, randNonce, keySalt, signature });
  }

  #checked(dh: ExchangeDh, peer: Uint8Array): ExchangeDh {
    if (!sameBytes(dh.randNonce, this.#randNonce))
      throw fault('NONCE_MISMATCH', 'the randNonce we sent', 'another');
    if (!isSignedBy(peer, signed(dh.dhPublicKey, dh.randNonce, dh.keySalt), dh.signature))
      throw fault('SIGNATURE', `a signature by ${textOf(peer)}`, 'another');
    return dh;
  }
}
