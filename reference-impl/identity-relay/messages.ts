/** The eight messages of the protocol, read and written. Field numbers and sizes: protocol notes, "Cap'n Proto schema facts". */
import { FIRST_SEGMENT_WORDS, MessageBuilder, type PointerAt } from './capnp/builder.ts';
import { MessageReader, type StructAt } from './capnp/reader.ts';
import { Scratch } from './capnp/scratch.ts';
import { fault } from './wire-faults.ts';

/** Bytes of a public key, of an X25519 key and of a key salt. */
export const KEY_BYTES = 32;
export const RAND_NONCE_BYTES = 16;
export const SIGNATURE_BYTES = 64;

export type ExchangeRandNonce = {
  readonly randNonce: Uint8Array;
  readonly srcPublicKey: Uint8Array;
  /** Whom the sender expects; undefined: anybody. */
  readonly optDestPublicKey: Uint8Array | undefined;
};
export type ExchangeDh = {
  readonly dhPublicKey: Uint8Array;
  /** The one the other side sent. */
  readonly randNonce: Uint8Array;
  readonly keySalt: Uint8Array;
  readonly signature: Uint8Array;
};
export type Rekey = { readonly dhPublicKey: Uint8Array; readonly keySalt: Uint8Array };
/** What a ChannelMessage holds beside its padding. `bytes` is a view that holds until the codec reads again. */
export type ChannelContent =
  | { readonly type: 'rekey'; readonly rekey: Rekey }
  | { readonly type: 'user'; readonly bytes: Uint8Array };
/** `bytes`: a view that holds until the codec reads again. `plain`: packed as our own writer would lay it out. */
export type KaMessage =
  | { readonly type: 'keepAlive' }
  | { readonly type: 'message'; readonly bytes: Uint8Array; readonly plain: boolean };
export type InitConnection =
  | { readonly type: 'listen' }
  | { readonly type: 'accept' | 'connect'; readonly publicKey: Uint8Array };

const KEY_WORDS = KEY_BYTES / 8;
const NONCE_WORDS = RAND_NONCE_BYTES / 8;
const SIGNATURE_WORDS = SIGNATURE_BYTES / 8;
/** Root pointer, tag and pointer of a KaMessage. */
const KA_WORDS = 3;
/** What our writer puts in front of a KaMessage's data: table and those three, or, if a first segment is too short, a landing pad as well. */
const kaHeadBytes = (dataWords: number): number =>
  8 * (KA_WORDS + (KA_WORDS + dataWords <= FIRST_SEGMENT_WORDS ? 1 : 3));

/**
 * Reads and writes packed messages with memory that is used again, so one is shared by all connections of a machine. Whatever it
 * returns as a view holds until it is asked the same again.
 */
export class MessageCodec {
  readonly #outer: MessageReader;
  readonly #inner: MessageReader;
  readonly #builder = new MessageBuilder();
  readonly #payload = new Scratch();
  readonly #packedInner = new Scratch();
  readonly #packed = new Scratch();

  /** @param unpackedBytesMax what a message may unpack to, at every layer */
  constructor(unpackedBytesMax: number) {
    this.#outer = new MessageReader({ unpackedBytesMax });
    this.#inner = new MessageReader({ unpackedBytesMax });
  }

  /** @throws WireError of a malformed message, as all `read…` do */
  readExchangeRandNonce(packed: Uint8Array): ExchangeRandNonce {
    const reader = this.#outer;
    const root = reader.load(packed);
    const randNonce = reader.byteString(root, 0, NONCE_WORDS);
    const srcPublicKey = reader.byteString(root, 1, KEY_WORDS);
    const tag = reader.tag(root);
    if (tag > 1) throw unknownTag('ExchangeRandNonce.optDestPublicKey', tag);
    const optDestPublicKey = tag === 1 ? reader.byteString(root, 2, KEY_WORDS) : undefined;
    return { randNonce, srcPublicKey, optDestPublicKey };
  }

  /** @returns fresh memory, as all `write…` of handshake and relay messages do */
  writeExchangeRandNonce(message: ExchangeRandNonce): Uint8Array {
    const to = this.#builder;
    const root = to.begin(1, 3);
    to.byteString(to.pointer(root, 0), message.randNonce);
    to.byteString(to.pointer(root, 1), message.srcPublicKey);
    if (message.optDestPublicKey !== undefined) {
      to.tag(root, 1);
      to.byteString(to.pointer(root, 2), message.optDestPublicKey);
    }
    return this.#written();
  }

  readExchangeDh(packed: Uint8Array): ExchangeDh {
    const reader = this.#outer;
    const root = reader.load(packed);
    return {
      dhPublicKey: reader.byteString(root, 0, KEY_WORDS),
      randNonce: reader.byteString(root, 1, NONCE_WORDS),
      keySalt: reader.byteString(root, 2, KEY_WORDS),
      signature: reader.byteString(root, 3, SIGNATURE_WORDS),
    };
  }

  writeExchangeDh(message: ExchangeDh): Uint8Array {
    const to = this.#builder;
    const root = to.begin(0, 4);
    to.byteString(to.pointer(root, 0), message.dhPublicKey);
    to.byteString(to.pointer(root, 1), message.randNonce);
    to.byteString(to.pointer(root, 2), message.keySalt);
    to.byteString(to.pointer(root, 3), message.signature);
    return this.#written();
  }

  /** The content of a ChannelMessage. */
  readChannel(packed: Uint8Array): ChannelContent {
    const reader = this.#outer;
    const root = reader.load(packed);
    const content = reader.struct(root, 1);
    const tag = reader.tag(content);
    if (tag === 1) return { type: 'user', bytes: reader.data(content, 0) };
    if (tag > 1) throw unknownTag('ChannelContent', tag);
    return { type: 'rekey', rekey: this.#rekey(reader.struct(content, 0)) };
  }

  /** A ChannelMessage of user data. @returns a view, as the other two `pack…` that follow */
  packUser(padding: Uint8Array, bytes: Uint8Array): Uint8Array {
    this.#payload.ensure(bytes.length);
    this.#payload.bytes.set(bytes);
    return this.#packUserFrom(padding, this.#payload, 0, bytes.length);
  }

  /** The user data of the last `readChannel` once more, with other padding and without a copy. */
  packUserAgain(padding: Uint8Array, bytes: Uint8Array): Uint8Array {
    // to find zeros in 64 KiB and pack around them took half as long as to seal them
    const packed = this.#outer.packedAsLast(bytes);
    if (packed === undefined)
      return this.#packUserFrom(padding, this.#outer.scratch, bytes.byteOffset, bytes.length);
    this.#builder.borrowPacked(this.#beginUser(padding), packed, bytes.length);
    return this.#packedView();
  }

  packRekey(padding: Uint8Array, rekey: Rekey): Uint8Array {
    const to = this.#builder;
    const root = to.begin(0, 2);
    to.data(to.pointer(root, 0), padding);
    const content = to.struct(to.pointer(root, 1), 1, 1);
    const inner = to.struct(to.pointer(content, 0), 0, 2);
    to.byteString(to.pointer(inner, 0), rekey.dhPublicKey);
    to.byteString(to.pointer(inner, 1), rekey.keySalt);
    return this.#packedView();
  }

  readKa(packed: Uint8Array): KaMessage {
    const reader = this.#inner;
    const root = reader.load(packed);
    const tag = reader.tag(root);
    if (tag === 0) return { type: 'keepAlive' };
    if (tag > 1) throw unknownTag('KaMessage', tag);
    const bytes = reader.data(root, 0);
    const words = (bytes.length + 7) >>> 3;
    const head = kaHeadBytes(words);
    const plain = bytes.byteOffset === head && reader.unpackedBytes === head + words * 8;
    return { type: 'message', bytes, plain };
  }

  /** A ChannelMessage around a KaMessage: what a message, or undefined for a keepAlive, becomes before it is sealed. */
  packKa(padding: Uint8Array, message: Uint8Array | undefined): Uint8Array {
    const to = this.#builder;
    const root = to.begin(1, 1);
    if (message !== undefined) {
      this.#payload.ensure(message.length);
      this.#payload.bytes.set(message);
      to.tag(root, 1);
      to.borrow(to.pointer(root, 0), this.#payload, 0, message.length);
    }
    const end = to.pack(this.#packedInner, 0);
    return this.#packUserFrom(padding, this.#packedInner, 0, end);
  }

  readInitConnection(packed: Uint8Array): InitConnection {
    const reader = this.#outer;
    const root = reader.load(packed);
    const tag = reader.tag(root);
    if (tag === 0) return { type: 'listen' };
    if (tag > 2) throw unknownTag('InitConnection', tag);
    return { type: tag === 1 ? 'accept' : 'connect', publicKey: reader.byteString(root, 0, KEY_WORDS) };
  }

  writeInitConnection(message: InitConnection): Uint8Array {
    const to = this.#builder;
    const root = to.begin(1, 1);
    if (message.type !== 'listen') {
      to.tag(root, message.type === 'accept' ? 1 : 2);
      to.byteString(to.pointer(root, 0), message.publicKey);
    }
    return this.#written();
  }

  /** The key in an IncomingConnection or a RejectConnection: both are a struct around one. */
  readPeer(packed: Uint8Array): Uint8Array {
    return this.#outer.byteString(this.#outer.load(packed), 0, KEY_WORDS);
  }

  writePeer(publicKey: Uint8Array): Uint8Array {
    const to = this.#builder;
    to.byteString(to.pointer(to.begin(0, 1), 0), publicKey);
    return this.#written();
  }

  #rekey(at: StructAt): Rekey {
    const reader = this.#outer;
    return {
      dhPublicKey: reader.byteString(at, 0, KEY_WORDS),
      keySalt: reader.byteString(at, 1, KEY_WORDS),
    };
  }

  #packUserFrom(padding: Uint8Array, source: Scratch, from: number, length: number): Uint8Array {
    this.#builder.borrow(this.#beginUser(padding), source, from, length);
    return this.#packedView();
  }

  /** A ChannelMessage up to its user data. @returns where that is to be pointed at */
  #beginUser(padding: Uint8Array): PointerAt {
    const to = this.#builder;
    const root = to.begin(0, 2);
    to.data(to.pointer(root, 0), padding);
    const content = to.struct(to.pointer(root, 1), 1, 1);
    to.tag(content, 1);
    return to.pointer(content, 0);
  }

  #packedView(): Uint8Array {
    const end = this.#builder.pack(this.#packed, 0);
    return this.#packed.bytes.subarray(0, end);
  }

  #written(): Uint8Array {
    return this.#packedView().slice();
  }
}

const unknownTag = (union: string, tag: number) =>
  fault('UNION_TAG', `a member of ${union}`, `tag ${tag}`, 0);
