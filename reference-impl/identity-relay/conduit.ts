/**
 * A secure channel that is kept alive: what stands on every TCP connection (behind frames and version), and once more end to end
 * inside every tunnel. Source: protocol notes, layers 3 and 4.
 */
import { type Millis, soonest } from '../machine/machine.ts';
import type { MessageCodec } from './messages.ts';
import { type ChannelOptions, SecureChannel } from './secure-channel.ts';
import { fault } from './wire-faults.ts';

export type KeepaliveLimits = {
  /** A keepAlive is sent after so long without a message of ours. */
  readonly keepaliveMillis: Millis;
  /** The peer is dead after so long without one of its messages. */
  readonly silenceMillisMax: Millis;
};

export type ConduitOptions = ChannelOptions & KeepaliveLimits;

/** A message the peer sent. Both are views that hold until the codec reads again. */
export type Heard = {
  readonly type: 'message';
  readonly bytes: Uint8Array;
  /** The message as it was packed, if it can be passed on so; else undefined. */
  readonly packed: Uint8Array | undefined;
};
export type ConduitEvent =
  | Heard
  | { readonly type: 'send'; readonly message: Uint8Array }
  | { readonly type: 'ready'; readonly peer: Uint8Array }
  | { readonly type: 'nothing' };

const NOTHING: ConduitEvent = { type: 'nothing' };

export class Conduit {
  readonly #channel: SecureChannel;
  readonly #codec: MessageCodec;
  readonly #limits: KeepaliveLimits;
  #ready = false;
  /** We do not read at the moment: silence says nothing about the peer. */
  #held = false;
  #heardAt: Millis = 0;
  #saidAt: Millis = 0;

  constructor(options: ConduitOptions) {
    this.#channel = new SecureChannel(options);
    this.#codec = options.codec;
    this.#limits = options;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** What is to be sent first. */
  hello(): Uint8Array {
    return this.#channel.hello();
  }

  /** @throws WireError when the peer breaks the protocol; the conduit is to be closed then */
  receive(now: Millis, message: Uint8Array): ConduitEvent {
    const event = this.#channel.receive(now, message);
    if (event.type === 'user') {
      const ka = this.#codec.readKa(event.bytes);
      this.#heardAt = now;
      if (ka.type === 'keepAlive') return NOTHING;
      return { type: 'message', bytes: ka.bytes, packed: ka.plain ? event.bytes : undefined };
    }
    if (event.type === 'ready') {
      this.#ready = true;
      this.#heardAt = now;
      this.#saidAt = now;
    }
    return event;
  }

  /** @returns what is to be sent @throws WireError MESSAGE_TOO_LONG */
  send(now: Millis, message: Uint8Array): Uint8Array {
    this.#saidAt = now;
    return this.#channel.seal((padding) => this.#codec.packKa(padding, message), message.length);
  }

  /** Passes on what another conduit with the same codec has just heard; without a copy, if it was packed as we would. */
  pass(now: Millis, { bytes, packed }: Heard): Uint8Array {
    if (packed === undefined) return this.send(now, bytes);
    this.#saidAt = now;
    return this.#channel.seal((padding) => this.#codec.packUserAgain(padding, packed), packed.length);
  }

  /** Starts a rekey now. @returns what is to be sent, if none of ours is under way */
  rekey(): Uint8Array | undefined {
    return this.#channel.rekey();
  }

  /** Its owner stops (or goes on) reading: meanwhile the peer cannot be heard, and is not taken for dead. */
  hold(now: Millis, held: boolean): void {
    if (this.#held && !held) this.#heardAt = now;
    this.#held = held;
  }

  deadline(): Millis | undefined {
    if (!this.#ready) return undefined;
    const { keepaliveMillis, silenceMillisMax } = this.#limits;
    return soonest(
      this.#saidAt + keepaliveMillis,
      this.#held ? undefined : this.#heardAt + silenceMillisMax,
      this.#channel.deadline(),
    );
  }

  /** @returns what is to be sent because of the time @throws WireError SILENT */
  expire(now: Millis): readonly Uint8Array[] {
    if (!this.#ready) return [];
    const { keepaliveMillis, silenceMillisMax } = this.#limits;
    if (!this.#held && now >= this.#heardAt + silenceMillisMax)
      throw fault('SILENT', `a message within ${silenceMillisMax} ms`, 'none');
    const out: Uint8Array[] = [];
    const rekeyAt = this.#channel.deadline();
    if (rekeyAt !== undefined && now >= rekeyAt) {
      const rekey = this.#channel.rekey();
      if (rekey !== undefined) out.push(rekey);
    }
    if (now >= this.#saidAt + keepaliveMillis) {
      this.#saidAt = now;
      out.push(this.#channel.seal((padding) => this.#codec.packKa(padding, undefined), 0));
    }
    return out;
  }

  /** Zeroes every key. */
  close(): void {
    this.#ready = false;
    this.#channel.close();
  }
}
