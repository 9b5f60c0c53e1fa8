/** What an end of a secure channel can do wrong, relay and node alike: frames, handshake, seals, rekeys, layouts. */
import crypto from 'node:crypto';
import { unpack } from '../../../../reference-impl/identity-relay/capnp/packing.ts';
import { MessageReader } from '../../../../reference-impl/identity-relay/capnp/reader.ts';
import { Scratch } from '../../../../reference-impl/identity-relay/capnp/scratch.ts';
import { Conduit, type ConduitEvent } from '../../../../reference-impl/identity-relay/conduit.ts';
import { FRAME_HEADER_BYTES, FrameReader } from '../../../../reference-impl/identity-relay/frames.ts';
import { Handshake, OwnExchange } from '../../../../reference-impl/identity-relay/handshake.ts';
import { Link, linkCodec } from '../../../../reference-impl/identity-relay/link.ts';
import { type KaMessage, MessageCodec } from '../../../../reference-impl/identity-relay/messages.ts';
import { systemChance } from '../../../../reference-impl/identity-relay/node/system-chance.ts';
import {
  OpeningKey,
  OpeningKeys,
  SealingKey,
} from '../../../../reference-impl/identity-relay/sealed-keys.ts';
import { SecureChannel } from '../../../../reference-impl/identity-relay/secure-channel.ts';
import { type FaultCode, fault } from '../../../../reference-impl/identity-relay/wire-faults.ts';
import { WireError } from '../../../../reference-impl/machine/wire-error.ts';
import { panic, spoil, spoilCrypto } from './spoil.ts';

/** Spoils the process it is called in, once. */
export type ChannelDefect = { readonly says: string; readonly spoil: () => void };

/** What of a message its receiver does nothing about. */
export const NOTHING: ConduitEvent = { type: 'nothing' };
const KEEP_ALIVE: KaMessage = { type: 'keepAlive' };
const COUNTER_BYTES = 12;
const NONCE_BYTES = 16;
const KEY_BYTES = 32;
const SEALED_BYTES_MIN = 28;
const UNSIGNED_BYTES = 48;
const LIMIT_BYTES = 65_536;

const isFault = (error: unknown, ...codes: readonly FaultCode[]): boolean =>
  error instanceof WireError && codes.includes(error.code as FaultCode);

/** Where each whole frame of a read ends, which begins with one. */
const frameEnds = (bytes: Uint8Array): readonly number[] => {
  const ends: number[] = [];
  for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length; ) {
    at += FRAME_HEADER_BYTES + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at));
    if (at <= bytes.length) ends.push(at);
  }
  return ends;
};

/** What ends a connection by one of these faults is passed over instead. */
const skipping = (...codes: readonly FaultCode[]): void =>
  spoil(Conduit, 'receive', (right) => (self, now, message) => {
    try {
      return right(self, now, message);
    } catch (error) {
      if (isFault(error, ...codes)) return NOTHING;
      throw error;
    }
  });

/** Comparisons of so many bytes always hold while the first or second message of a handshake is looked at. */
const believing = (message: 1 | 2, bytes: number): void => {
  const { timingSafeEqual } = crypto;
  const seen = new WeakMap<Handshake, number>();
  let lax = false;
  spoilCrypto({
    timingSafeEqual: (a, b) => (lax && a.byteLength === bytes) || timingSafeEqual(a, b),
  });
  spoil(Handshake, 'receive', (right) => (self, received) => {
    const nth = (seen.get(self) ?? 0) + 1;
    seen.set(self, nth);
    lax = nth === message;
    try {
      return right(self, received);
    } finally {
      lax = false;
    }
  });
};

const FRAMES = {
  'one-read-one-frame': {
    says: 'what a read has of an unfinished frame is forgotten',
    spoil: () =>
      spoil(
        FrameReader,
        'push',
        (right) => (self, bytes) => right(self, bytes.subarray(0, frameEnds(bytes).at(-1) ?? 0)),
      ),
  },
  'rest-of-read-lost': {
    says: 'what follows a frame in its read is forgotten',
    spoil: () =>
      spoil(FrameReader, 'push', (right) => (self, bytes) => {
        const end = self.heldBytes === 0 ? frameEnds(bytes)[0] : undefined;
        right(self, bytes.subarray(0, end));
      }),
  },
  'no-frame-limit': {
    says: 'a frame of any length is waited for',
    spoil: () => spoil(FrameReader, 'next', (right) => (self) => right(self, Number.MAX_SAFE_INTEGER)),
  },
  'half-a-mebibyte': {
    says: 'frames above 512 KiB are refused',
    spoil: () =>
      spoil(FrameReader, 'next', (right) => (self, bytesMax) => right(self, Math.min(bytesMax, 524_288))),
  },
  'strangers-panic': {
    says: 'a length that is none ends the process',
    spoil: () =>
      spoil(FrameReader, 'next', (right) => (self, bytesMax) => {
        try {
          return right(self, bytesMax);
        } catch {
          return panic('capacity overflow');
        }
      }),
  },
  'version-1': {
    says: 'it says that it speaks version 1',
    spoil: () =>
      spoil(Link, 'open', (right) => (self) => {
        const bytes = right(self);
        bytes[FRAME_HEADER_BYTES + 3] = 1;
        return bytes;
      }),
  },
  'any-version': {
    says: 'the first frame is not looked at',
    spoil: () => {
      const versioned = new WeakSet<FrameReader>();
      spoil(FrameReader, 'next', (right) => (self, bytesMax) => {
        const frame = right(self, bytesMax);
        if (frame === undefined || versioned.has(self)) return frame;
        versioned.add(self);
        return new Uint8Array(4);
      });
    },
  },
} as const satisfies Readonly<Record<string, ChannelDefect>>;

const HANDSHAKE = {
  'sha-512-cut': {
    says: 'keys are made by SHA-512 cut to 256 bits, which is not SHA-512/256',
    spoil: () => {
      const { hkdfSync } = crypto;
      spoilCrypto({
        hkdfSync: (_, secret, salt, info, length) => hkdfSync('sha512', secret, salt, info, length),
      });
    },
  },
  'believes-signatures': {
    says: 'the signature is read and not checked',
    spoil: () => spoilCrypto({ verify: (() => true) as unknown as typeof crypto.verify }),
  },
  'believes-nonces': {
    says: 'the nonce that was signed is not compared with its own',
    spoil: () => believing(2, NONCE_BYTES),
  },
  'believes-keys': {
    says: 'the key that it is shown is not compared with the one it expects',
    spoil: () => believing(1, KEY_BYTES),
  },
  'salt-unsigned': {
    says: 'its signature is over key and nonce only',
    spoil: () => {
      const { sign } = crypto;
      const cut = (_: unknown, message: Buffer, key: Parameters<typeof sign>[2]): Buffer =>
        sign(null, message.subarray(0, UNSIGNED_BYTES), key);
      spoilCrypto({ sign: cut as typeof sign });
    },
  },
} as const satisfies Readonly<Record<string, ChannelDefect>>;

const SEALS = {
  'big-endian-counter': {
    says: 'the counter in front of a frame is big-endian',
    spoil: () =>
      spoil(SealingKey, 'seal', (right) => (self, plaintext, headroomBytes) => {
        const sealed = right(self, plaintext, headroomBytes);
        sealed.subarray(headroomBytes, headroomBytes + COUNTER_BYTES).reverse();
        return sealed;
      }),
  },
  'replays-delivered': {
    says: 'a frame that comes again is delivered again',
    spoil: () => {
      const last = new WeakMap<
        OpeningKeys,
        { readonly sealed: Uint8Array; readonly plaintext: Uint8Array }
      >();
      spoil(OpeningKeys, 'open', (right) => (self, sealed) => {
        const before = last.get(self);
        if (before !== undefined && Buffer.compare(before.sealed, sealed) === 0)
          return before.plaintext.slice();
        const plaintext = right(self, sealed);
        last.set(self, { sealed: sealed.slice(), plaintext: plaintext.slice() });
        return plaintext;
      });
    },
  },
  'out-of-turn-skipped': {
    says: 'a frame with another counter is passed over, and the channel goes on',
    spoil: () => skipping('COUNTER'),
  },
  'gaps-accepted': {
    says: 'a frame is taken whatever is missing before it',
    spoil: () => {
      let came = 0;
      spoil(OpeningKeys, 'open', (right) => (self, sealed) => {
        came = sealed.length < 6 ? 0 : Buffer.from(sealed).readUIntLE(0, 6);
        return right(self, sealed);
      });
      const { get } = Object.getOwnPropertyDescriptor(OpeningKey.prototype, 'expected') ?? {};
      Object.defineProperty(OpeningKey.prototype, 'expected', {
        get: function (this: OpeningKey): number {
          return Math.max(get?.call(this), came);
        },
      });
    },
  },
  'short-frame-panics': {
    says: 'a frame too short to be sealed ends the process',
    spoil: () =>
      spoil(
        OpeningKeys,
        'open',
        (right) => (self, sealed) =>
          sealed.length < SEALED_BYTES_MIN ? panic('slice index out of range') : right(self, sealed),
      ),
  },
  'padding-refused': {
    says: 'sealed frames above 64 KiB are refused',
    spoil: () =>
      spoil(Conduit, 'receive', (right) => (self, now, message) => {
        if (message.length > LIMIT_BYTES)
          throw fault('FRAME_TOO_LONG', `${LIMIT_BYTES} bytes`, String(message.length));
        return right(self, now, message);
      }),
  },
  'only-messages-count': {
    says: 'a keepAlive does not show that somebody is there',
    spoil: () => {
      const quiet = new Error('a keepAlive');
      spoil(MessageCodec, 'readKa', (right) => (self, packed) => {
        const ka = right(self, packed);
        if (ka.type === 'keepAlive') throw quiet;
        return ka;
      });
      spoil(Conduit, 'receive', (right) => (self, now, message) => {
        try {
          return right(self, now, message);
        } catch (error) {
          if (error === quiet) return NOTHING;
          throw error;
        }
      });
    },
  },
} as const satisfies Readonly<Record<string, ChannelDefect>>;

const REKEYS = {
  'rekey-refused': {
    says: 'a rekey ends the connection',
    spoil: () =>
      spoil(MessageCodec, 'readChannel', (right) => (self, packed) => {
        const content = right(self, packed);
        if (content.type === 'rekey') throw fault('UNION_TAG', 'user data', 'a rekey');
        return content;
      }),
  },
  'answer-under-new-key': {
    says: 'the answer to a rekey is sealed with the new key',
    spoil: () => {
      let renewed: SealingKey | undefined;
      spoil(OwnExchange, 'keysWith', (right) => (self, dhPublicKey, keySalt) => {
        const keys = right(self, dhPublicKey, keySalt);
        renewed = keys.sealing;
        return keys;
      });
      spoil(SealingKey, 'seal', (right) => (self, plaintext, headroomBytes) => {
        const key = renewed ?? self;
        renewed = undefined;
        return right(key, plaintext, headroomBytes);
      });
    },
  },
  'counts-from-1-again': {
    says: 'the first frame under a renewed key has the counter 1',
    spoil: () => {
      let shaking = false;
      spoil(Handshake, 'receive', (right) => (self, message) => {
        shaking = true;
        try {
          return right(self, message);
        } finally {
          shaking = false;
        }
      });
      spoil(OwnExchange, 'keysWith', (right) => (self, dhPublicKey, keySalt) => {
        const keys = right(self, dhPublicKey, keySalt);
        if (!shaking) keys.sealing.seal(new Uint8Array(0), 0);
        return keys;
      });
    },
  },
  'own-rekey-forgotten': {
    says: 'a rekey that crosses its own is answered as if there were none of its own',
    spoil: () => {
      const said = new WeakSet<SecureChannel>();
      const [chance, codec] = [systemChance(), linkCodec()];
      // once a channel: it would be due for ever, since nobody knows of it
      spoil(SecureChannel, 'deadline', (right) => (self) => (said.has(self) ? undefined : right(self)));
      spoil(SecureChannel, 'rekey', () => (self) => {
        said.add(self);
        const { ephemeral, keySalt } = new OwnExchange(chance);
        const rekey = { dhPublicKey: ephemeral.publicKey, keySalt };
        return self.seal((padding) => codec.packRekey(padding, rekey), 0);
      });
    },
  },
} as const satisfies Readonly<Record<string, ChannelDefect>>;

const LAYOUTS = {
  'one-segment': {
    says: 'messages of several segments are refused',
    spoil: () =>
      spoil(MessageReader, 'load', (right) => (self, packed) => {
        const root = right(self, packed);
        if (self.scratch.view.getUint32(0, true) > 0) throw fault('SEGMENTS', 'one segment', 'more');
        return root;
      }),
  },
  'structs-as-known': {
    says: 'a struct that is longer than it knows is refused',
    spoil: () =>
      spoil(MessageReader, 'load', (right) => (self, packed) => {
        const root = right(self, packed);
        if (root.dataWords > 1) throw fault('POINTER', 'at most one word', `${root.dataWords} words`);
        return root;
      }),
  },
  'undecodable-skipped': {
    says: 'what cannot be decoded is passed over',
    spoil: () => skipping('SEGMENTS', 'POINTER', 'PACKED_TRUNCATED'),
  },
  'unknown-is-keepalive': {
    says: 'a kind of message that it does not know is taken for a keepAlive',
    spoil: () =>
      spoil(MessageCodec, 'readKa', (right) => (self, packed) => {
        try {
          return right(self, packed);
        } catch (error) {
          if (isFault(error, 'UNION_TAG')) return KEEP_ALIVE;
          throw error;
        }
      }),
  },
  'undecodable-panics': {
    says: 'what cannot be decoded ends the process',
    spoil: () =>
      spoil(MessageReader, 'load', (right) => (self, packed) => {
        try {
          return right(self, packed);
        } catch {
          return panic('malformed message');
        }
      }),
  },
  'unpacks-first': {
    says: 'a message is unpacked before its limit is looked at',
    spoil: () => {
      const all = new Scratch();
      spoil(MessageReader, 'load', (right) => (self, packed) => {
        unpack(packed, all, Number.MAX_SAFE_INTEGER);
        return right(self, packed);
      });
    },
  },
} as const satisfies Readonly<Record<string, ChannelDefect>>;

export const CHANNEL_DEFECTS = { ...FRAMES, ...HANDSHAKE, ...SEALS, ...REKEYS, ...LAYOUTS } as const;
