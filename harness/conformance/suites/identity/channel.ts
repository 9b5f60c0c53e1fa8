/**
 * A linear secure channel with its keepalive layer: says what a case wants it to say, hears what comes, answers a rekey on the
 * way. No deadline and no answer of its own beyond that. Source: protocol notes, layers 3 and 4.
 */
import type { CaseContext } from '../../case.ts';
import { Broken } from '../../outcome.ts';
import { type Layout, written } from './capnp.ts';
import type { Carrier } from './frames.ts';
import { type Ephemeral, ephemeralOf, seal, sendKey, sharedSecret, unseal } from './keys.ts';
import {
  channelStruct,
  kaMessageStruct,
  keepAliveStruct,
  type Rekey,
  readChannel,
  readKa,
} from './messages.ts';

/** So many random bytes: they follow from the run's seed. */
export const randomBytes = (it: CaseContext, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, () => it.rng.below(256)));

/** One direction under one key. */
type Direction = { readonly key: Buffer; counter: number };
export type ChannelKeys = { readonly sending: Buffer; readonly receiving: Buffer };

type Own = { readonly ephemeral: Ephemeral; readonly keySalt: Buffer };

/** @throws Broken for a key of low order: a target has no business with one */
export const keysOf = (own: Own, dhPublicKey: Buffer, keySalt: Buffer): ChannelKeys => {
  const shared = sharedSecret(own.ephemeral, dhPublicKey);
  if (shared === undefined)
    throw new Broken('a fresh X25519 key', `one of low order: ${dhPublicKey.toString('hex')}`);
  return { sending: sendKey(shared, own.keySalt), receiving: sendKey(shared, keySalt) };
};

/** What one frame meant. */
export type Heard =
  | { readonly type: 'keepAlive' | 'rekey' }
  | { readonly type: 'message'; readonly bytes: Buffer };

export class Channel {
  readonly carrier: Carrier;
  /** The other side's public key. */
  readonly peer: Buffer;
  /** Padding that we add to each message. */
  paddingBytes = 0;
  /** How much padding came with each message so far. */
  readonly paddings: number[] = [];
  /** DH keys and salts that the other side has used in rekeys. */
  readonly rekeys: Rekey[] = [];
  keepAlives = 0;
  readonly #it: CaseContext;
  readonly #name: string;
  #sending: Direction;
  #receiving: Direction;
  /** The receive key before a rekey, until the first frame under the new one. */
  #retired: Direction | undefined;
  /** Our rekey that is not answered yet. */
  #pending: Own | undefined;

  constructor(it: CaseContext, name: string, carrier: Carrier, keys: ChannelKeys, peer: Buffer) {
    this.#it = it;
    this.#name = name;
    this.carrier = carrier;
    this.peer = peer;
    this.#sending = { key: keys.sending, counter: 0 };
    this.#receiving = { key: keys.receiving, counter: 0 };
  }

  /** A message for the other side. */
  say(message: Buffer | string, layout?: Layout): Promise<void> {
    return this.plain(this.message(message, layout));
  }

  /** A message before it is sealed. */
  message(message: Buffer | string, layout?: Layout): Buffer {
    return this.#packed(written(kaMessageStruct(Buffer.from(message)), layout), layout);
  }

  keepAlive(): Promise<void> {
    return this.user(written(keepAliveStruct()));
  }

  /** Any bytes as the content of a ChannelMessage. */
  user(bytes: Buffer, layout?: Layout): Promise<void> {
    return this.plain(this.#packed(bytes, layout));
  }

  /** Any bytes as a sealed frame, in turn. */
  plain(bytes: Buffer): Promise<void> {
    return this.carrier.send(this.sealed(bytes));
  }

  /** The frame that would be sent next: its counter is spent. @param skip leaves so many counters out */
  sealed(bytes: Buffer, skip = 0): Buffer {
    this.#sending.counter += skip;
    return seal(this.#sending.key, this.#sending.counter++, bytes);
  }

  /** Our rekey; what we say goes on under the old key until the answer is heard. */
  rekey(): Promise<void> {
    const own = this.#fresh();
    this.#pending = own;
    return this.#sayRekey(own);
  }

  /** The next message; keepAlives are counted and rekeys answered on the way. @throws Broken when none comes */
  async hear(what: string, millis?: number): Promise<Buffer> {
    for (;;) {
      const heard = await this.next(what, millis);
      if (heard.type === 'message') return heard.bytes;
    }
  }

  /** The next message, which is exactly this. */
  async expect(message: Buffer | string, what: string, millis?: number): Promise<void> {
    const wanted = Buffer.from(message);
    const got = await this.hear(what, millis);
    if (got.equals(wanted)) return;
    const shown = (bytes: Buffer): string => `${bytes.length} bytes ${bytes.subarray(0, 24).toString('hex')}`;
    this.#it.broken(`on ${this.#name}: ${what}: ${shown(wanted)}`, shown(got));
  }

  /** The answer to our rekey, and nothing else: everything after it is under new keys. */
  async answered(): Promise<void> {
    for (;;) {
      const { type } = await this.next('the answer to our rekey');
      if (type === 'rekey') return;
      if (type === 'message') this.#it.broken(`on ${this.#name}: a rekey in answer to ours`, 'a message');
    }
  }

  /** The next frame, whatever it means. */
  async next(what: string, millis?: number): Promise<Heard> {
    const content = readChannel(this.#opened(await this.carrier.receive(what, millis), what));
    this.paddings.push(content.padding);
    if (content.type === 'rekey') {
      await this.#rekeyed(content.rekey);
      return { type: 'rekey' };
    }
    const bytes = readKa(content.bytes);
    if (bytes !== undefined) return { type: 'message', bytes };
    this.keepAlives++;
    return { type: 'keepAlive' };
  }

  #opened(frame: Buffer, what: string): Buffer {
    const fresh = unseal(this.#receiving.key, this.#receiving.counter, frame);
    if (fresh !== undefined) {
      this.#receiving.counter++;
      this.#retired = undefined;
      return fresh;
    }
    const old = this.#retired && unseal(this.#retired.key, this.#retired.counter, frame);
    if (old === undefined || this.#retired === undefined)
      return this.#it.broken(
        `on ${this.#name}: ${what}: a frame sealed as number ${this.#receiving.counter}: 12 bytes counter, little-endian, text, 16 bytes tag`,
        `${frame.length} bytes that are not: ${frame.subarray(0, 32).toString('hex')}`,
      );
    this.#retired.counter++;
    return old;
  }

  /** Their rekey is the answer to ours; or the first, then it is answered under the old key. */
  async #rekeyed(theirs: Rekey): Promise<void> {
    this.rekeys.push(theirs);
    const own = this.#pending ?? this.#fresh();
    const keys = keysOf(own, theirs.dhPublicKey, theirs.keySalt);
    const answer = this.#pending === undefined ? this.#sayRekey(own) : undefined;
    this.#pending = undefined;
    this.#retired = this.#receiving;
    this.#sending = { key: keys.sending, counter: 0 };
    this.#receiving = { key: keys.receiving, counter: 0 };
    await answer;
  }

  #fresh(): Own {
    return { ephemeral: ephemeralOf(randomBytes(this.#it, 32)), keySalt: randomBytes(this.#it, 32) };
  }

  #sayRekey({ ephemeral, keySalt }: Own): Promise<void> {
    const rekey = { dhPublicKey: ephemeral.publicKey, keySalt };
    return this.plain(this.#packed(rekey));
  }

  #packed(content: Buffer | Rekey, layout?: Layout): Buffer {
    return written(channelStruct(randomBytes(this.#it, this.paddingBytes), content), layout);
  }
}

/** A tunnel's messages as the carrier of the channel inside it. */
export const insideOf = (outer: Channel): Carrier => ({
  send: (message) => outer.say(message),
  receive: (what, millis) => outer.hear(what, millis),
});
