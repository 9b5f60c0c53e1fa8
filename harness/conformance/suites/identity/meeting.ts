/** One handshake, step by step, so that a case can go wrong at any of them. Source: protocol notes, layer 3. */
import type { CaseContext } from '../../case.ts';
import { written } from './capnp.ts';
import { Channel, keysOf, randomBytes } from './channel.ts';
import type { Carrier } from './frames.ts';
import { type Ephemeral, ephemeralOf, type Identity, isSignedBy } from './keys.ts';
import {
  type Exchange,
  exchangeStruct,
  type Hello,
  helloStruct,
  KEY_BYTES,
  NONCE_BYTES,
  readExchange,
  readHello,
} from './messages.ts';

/** What a signature is over. */
const signedBytes = ({ dhPublicKey, randNonce, keySalt }: Omit<Exchange, 'signature'>): Buffer =>
  Buffer.concat([dhPublicKey, randNonce, keySalt]);

export class Meeting {
  readonly carrier: Carrier;
  readonly name: string;
  readonly identity: Identity;
  readonly randNonce: Buffer;
  readonly ephemeral: Ephemeral;
  readonly keySalt: Buffer;
  readonly #it: CaseContext;
  #theirHello: Hello | undefined;
  #theirExchange: Exchange | undefined;

  /** @param like one whose nonce, key and salt are used again, as nobody should */
  constructor(it: CaseContext, name: string, carrier: Carrier, identity: Identity, like?: Meeting) {
    this.#it = it;
    this.name = name;
    this.carrier = carrier;
    this.identity = identity;
    this.randNonce = like?.randNonce ?? randomBytes(it, NONCE_BYTES);
    this.ephemeral = like?.ephemeral ?? ephemeralOf(randomBytes(it, KEY_BYTES));
    this.keySalt = like?.keySalt ?? randomBytes(it, KEY_BYTES);
  }

  /** Our ExchangeRandNonce. */
  hello(changes: Partial<Hello> = {}): Buffer {
    const { randNonce, identity } = this;
    return written(
      helloStruct({ randNonce, srcPublicKey: identity.publicKey, destPublicKey: undefined, ...changes }),
    );
  }

  /** Our ExchangeDh. @param changes what is wrong with it; the signature is over what is changed, unless it is changed itself */
  exchange(changes: Partial<Exchange> = {}): Buffer {
    const said = {
      dhPublicKey: this.ephemeral.publicKey,
      randNonce: this.heardHello.randNonce,
      keySalt: this.keySalt,
      ...changes,
    };
    return written(exchangeStruct({ signature: this.identity.sign(signedBytes(said)), ...said }));
  }

  /** A signature of our ExchangeDh, by whom we like. */
  signature(by: Identity): Buffer {
    const { ephemeral, keySalt } = this;
    const { randNonce } = this.heardHello;
    return by.sign(signedBytes({ dhPublicKey: ephemeral.publicKey, randNonce, keySalt }));
  }

  get heardHello(): Hello {
    return this.#theirHello ?? this.#it.unclear('the case asks for a hello that was not heard');
  }

  get heardExchange(): Exchange {
    return this.#theirExchange ?? this.#it.unclear('the case asks for an exchange that was not heard');
  }

  /** @param expected who must be there */
  async hearHello(expected?: Buffer): Promise<Hello> {
    const hello = readHello(await this.carrier.receive('ExchangeRandNonce, at once'));
    if (expected !== undefined && !hello.srcPublicKey.equals(expected))
      this.#it.broken(
        `on ${this.name}: srcPublicKey ${expected.toString('base64url')}`,
        hello.srcPublicKey.toString('base64url'),
      );
    this.#theirHello = hello;
    return hello;
  }

  /** Their ExchangeDh: with our nonce, and signed by the key of their hello. */
  async hearExchange(): Promise<Exchange> {
    const exchange = readExchange(await this.carrier.receive('ExchangeDh'));
    if (!exchange.randNonce.equals(this.randNonce))
      this.#it.broken(
        `on ${this.name}: ExchangeDh with our randNonce ${this.randNonce.toString('hex')}`,
        exchange.randNonce.toString('hex'),
      );
    const { srcPublicKey } = this.heardHello;
    if (!isSignedBy(srcPublicKey, signedBytes(exchange), exchange.signature))
      this.#it.broken(
        `on ${this.name}: a signature by ${srcPublicKey.toString('base64url')} over dhPublicKey, randNonce and keySalt`,
        exchange.signature.toString('hex'),
      );
    this.#theirExchange = exchange;
    return exchange;
  }

  channel(): Channel {
    const { dhPublicKey, keySalt } = this.heardExchange;
    const keys = keysOf(this, dhPublicKey, keySalt);
    return new Channel(this.#it, this.name, this.carrier, keys, this.heardHello.srcPublicKey);
  }

  /** The channel, once their ExchangeDh is there. */
  async heard(): Promise<Channel> {
    await this.hearExchange();
    return this.channel();
  }

  /** All of it, as it should be. @param expected whom we expect, and name as the one we expect */
  async complete(expected?: Buffer): Promise<Channel> {
    await this.carrier.send(this.hello({ destPublicKey: expected }));
    await this.hearHello(expected);
    await this.carrier.send(this.exchange());
    return this.heard();
  }
}
