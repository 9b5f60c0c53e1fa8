/** Defects of a node of identity relays, each naming the clause that it breaks. `subjects/identity-node.ts --defect NAME` is one. */
import { Conduit } from '../../../../reference-impl/identity-relay/conduit.ts';
import { identityOf } from '../../../../reference-impl/identity-relay/crypto.ts';
import { MessageCodec } from '../../../../reference-impl/identity-relay/messages.ts';
import type { ConnectOptions } from '../../../../reference-impl/identity-relay/node/library.ts';
import { CHANNEL_DEFECTS, NOTHING } from './channel-defects.ts';
import { spoil } from './spoil.ts';

export type NodeDefect = {
  readonly clause: string;
  readonly says: string;
  /** Spoils what it is made of. */
  readonly spoil?: () => void;
  /** What is said differently to the library. */
  readonly options?: () => Partial<ConnectOptions>;
};

/** By the name that `--defect` takes. */
export const NODE_DEFECTS: Readonly<Record<string, NodeDefect>> = {
  'one-read-one-frame': { clause: 'ID-NODE-1', ...CHANNEL_DEFECTS['one-read-one-frame'] },
  'salt-unsigned': { clause: 'ID-NODE-1', ...CHANNEL_DEFECTS['salt-unsigned'] },
  'key-of-its-own': {
    clause: 'ID-NODE-1',
    says: 'it makes a key when it starts',
    options: () => ({ identity: identityOf(new Uint8Array(32).fill(7)) }),
  },
  'believes-keys': { clause: 'ID-NODE-2', ...CHANNEL_DEFECTS['believes-keys'] },
  'believes-signatures': { clause: 'ID-NODE-2', ...CHANNEL_DEFECTS['believes-signatures'] },
  'believes-nonces': { clause: 'ID-NODE-2', ...CHANNEL_DEFECTS['believes-nonces'] },
  'connects-elsewhere': {
    clause: 'ID-NODE-3',
    says: 'it asks for a key whose words are in another order',
    spoil: () =>
      spoil(
        MessageCodec,
        'writeInitConnection',
        (right) => (self, init) =>
          right(self, init.type === 'listen' ? init : { ...init, publicKey: init.publicKey.toReversed() }),
      ),
  },
  'accepts-one': {
    clause: 'ID-NODE-4',
    says: 'it accepts the first who comes and nobody after',
    options: () => {
      let accepted = 0;
      return { accept: () => ++accepted === 1 };
    },
  },
  'relay-is-believed': {
    clause: 'ID-NODE-5',
    says: 'whoever the relay has put into a tunnel is who was meant',
    spoil: CHANNEL_DEFECTS['believes-keys'].spoil,
  },
  'one-segment': { clause: 'ID-NODE-6', ...CHANNEL_DEFECTS['one-segment'] },
  'padding-refused': { clause: 'ID-NODE-6', ...CHANNEL_DEFECTS['padding-refused'] },
  'rekey-refused': { clause: 'ID-NODE-6', ...CHANNEL_DEFECTS['rekey-refused'] },
  'empty-lost': {
    clause: 'ID-NODE-6',
    says: 'an empty message of a tunnel is taken for a keepAlive',
    spoil: () =>
      spoil(Conduit, 'receive', (right) => (self, now, message) => {
        const event = right(self, now, message);
        return event.type === 'message' && event.bytes.length === 0 ? NOTHING : event;
      }),
  },
  'no-keepalive': {
    clause: 'ID-NODE-7',
    says: 'it sends no keepAlive',
    options: () => ({ limits: { keepaliveMillis: 2 ** 31 - 1 } }),
  },
  'replays-delivered': { clause: 'ID-NODE-8', ...CHANNEL_DEFECTS['replays-delivered'] },
  'undecodable-skipped': { clause: 'ID-NODE-8', ...CHANNEL_DEFECTS['undecodable-skipped'] },
  'short-frame-panics': { clause: 'ID-NODE-8', ...CHANNEL_DEFECTS['short-frame-panics'] },
  'no-frame-limit': { clause: 'ID-NODE-8', ...CHANNEL_DEFECTS['no-frame-limit'] },
};
