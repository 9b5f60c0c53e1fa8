/** Defects of an identity relay, each naming the clause that it breaks. `strelay.ts --defect NAME` is one as a program. */
import { openSync } from 'node:fs';
import { chanceFrom } from '../../../../reference-impl/identity-relay/chance.ts';
import { identityOf } from '../../../../reference-impl/identity-relay/crypto.ts';
import type { Link } from '../../../../reference-impl/identity-relay/link.ts';
import { type KaMessage, MessageCodec } from '../../../../reference-impl/identity-relay/messages.ts';
import type { RelayLimits } from '../../../../reference-impl/identity-relay/relay/limits.ts';
import { Peer } from '../../../../reference-impl/identity-relay/relay/peer.ts';
import { Reception } from '../../../../reference-impl/identity-relay/relay/reception.ts';
import type { RelayConfig } from '../../../../reference-impl/identity-relay/relay/relay-machine.ts';
import type { RelayReport } from '../../../../reference-impl/identity-relay/relay/relay-report.ts';
import { Rendezvous } from '../../../../reference-impl/identity-relay/relay/rendezvous.ts';
import { fault } from '../../../../reference-impl/identity-relay/wire-faults.ts';
import type { NetMachine, NetOutput } from '../../../../reference-impl/machine/machine.ts';
import { CHANNEL_DEFECTS } from './channel-defects.ts';
import { spoil } from './spoil.ts';

type Machine = NetMachine<RelayReport>;

export type RelayDefect = {
  readonly clause: string;
  readonly says: string;
  /** Spoils what it is made of. */
  readonly spoil?: () => void;
  readonly config?: (config: RelayConfig) => RelayConfig;
  readonly limits?: Partial<RelayLimits>;
  /** Spoils what it says. */
  readonly wrap?: (machine: Machine) => Machine;
};

const EMPTY: KaMessage = { type: 'message', bytes: new Uint8Array(0), plain: false };
const PIECE_BYTES = 4_096;
const NEVER_MILLIS = 2 ** 31 - 1;

/** The same machine, whose outputs are what `change` makes of each. */
const saying =
  (change: (output: NetOutput<RelayReport>) => readonly NetOutput<RelayReport>[]) =>
  (machine: Machine): Machine => ({
    handle: (now, input) => machine.handle(now, input).flatMap(change),
    deadline: () => machine.deadline(),
  });

/** Who listens, by key; asked for before a process begins. */
const listeners = (): ReadonlyMap<string, Peer> => {
  const found = new Map<string, Peer>();
  spoil(Rendezvous, 'listen', (right) => (self, now, peer, out) => {
    found.set(peer.key, peer);
    right(self, now, peer, out);
  });
  return found;
};

/** Handshakes one after the other, each until its InitConnection is there. */
const oneAfterTheOther = (): void => {
  const desks = new Map<Peer, Reception>();
  spoil(Reception, 'leave', (right) => (self, peer) => {
    if (peer.state === 'shaking' && peer.link.ready) desks.set(peer, self);
    else right(self, peer);
  });
  spoil(Peer, 'become', (right) => (self, now, state) => {
    if (state !== 'opening') desks.get(self)?.leave(self);
    right(self, now, state);
  });
};

const oldestAccepted = (): void => {
  const listening = listeners();
  spoil(Rendezvous, 'accept', (right) => (self, now, peer, from, out) => {
    const [oldest = from] = listening.get(peer.key)?.halves.keys() ?? [];
    right(self, now, peer, oldest, out);
  });
};

const toldItsOwnKey = (): void => {
  const listening = listeners();
  spoil(Rendezvous, 'connect', (right) => (self, now, peer, to, out) => {
    const { publicKey } = peer;
    peer.publicKey = listening.get(to)?.publicKey ?? publicKey;
    right(self, now, peer, to, out);
    peer.publicKey = publicKey;
  });
};

const waitsForNobody = (): void => {
  const listening = listeners();
  spoil(Rendezvous, 'connect', (right) => (self, now, peer, to, out) => {
    if (listening.has(to)) right(self, now, peer, to, out);
    else peer.become(now, 'half');
  });
};

/** In the place of a listener that has left stands one that hears nothing. */
const keyStaysTaken = (): void => {
  const deaf = { send: () => new Uint8Array(0) } as unknown as Link;
  spoil(Rendezvous, 'leave', (right) => (self, now, peer, out) => {
    const { state, address, key } = peer;
    right(self, now, peer, out);
    if (state === 'listening')
      self.listen(now, Object.assign(new Peer(0, address, deaf, 1, now), { key }), []);
  });
};

/** Messages go to the newest tunnel of the same two keys. */
const tunnelsByKey = (): void => {
  type Way = { readonly keys: string; readonly of: 'connector' | 'acceptor' };
  const ways = new WeakMap<Peer, Way>();
  const newest = new Map<string, Peer>();
  spoil(Rendezvous, 'accept', (right) => (self, now, acceptor, from, out) => {
    right(self, now, acceptor, from, out);
    const connector = acceptor.partner;
    if (connector === undefined) return;
    for (const [of, peer] of Object.entries({ connector, acceptor }) as [Way['of'], Peer][]) {
      ways.set(peer, { keys: `${from} ${acceptor.key}`, of });
      newest.set(`${of} ${from} ${acceptor.key}`, peer);
    }
  });
  spoil(Rendezvous, 'forward', (right) => (self, now, peer, heard, out) => {
    const way = ways.get(peer);
    const instead = way && newest.get(`${way.of} ${way.keys}`);
    right(self, now, instead?.partner === undefined ? peer : instead, heard, out);
  });
};

const tunnelsNeedTheirListener = (): void => {
  const acceptors = new Map<string, Peer[]>();
  spoil(Rendezvous, 'accept', (right) => (self, now, peer, from, out) => {
    right(self, now, peer, from, out);
    acceptors.set(peer.key, [...(acceptors.get(peer.key) ?? []), peer]);
  });
  spoil(Rendezvous, 'leave', (right) => (self, now, peer, out) => {
    const ended = peer.state === 'listening' ? (acceptors.get(peer.key) ?? []) : [];
    for (const acceptor of ended.filter(({ state }) => state === 'tunnel')) {
      right(self, now, acceptor, out);
      acceptor.become(now, 'closing');
      out.push({ type: 'close', conn: acceptor.conn });
    }
    right(self, now, peer, out);
  });
};

const CHANNEL: Readonly<Record<string, RelayDefect>> = {
  'one-read-one-frame': { clause: 'ID-FRAME-1', ...CHANNEL_DEFECTS['one-read-one-frame'] },
  'rest-of-read-lost': { clause: 'ID-FRAME-1', ...CHANNEL_DEFECTS['rest-of-read-lost'] },
  'no-frame-limit': { clause: 'ID-FRAME-2', ...CHANNEL_DEFECTS['no-frame-limit'] },
  'version-1': { clause: 'ID-VERSION-1', ...CHANNEL_DEFECTS['version-1'] },
  'any-version': { clause: 'ID-VERSION-2', ...CHANNEL_DEFECTS['any-version'] },
  'sha-512-cut': { clause: 'ID-SHAKE-1', ...CHANNEL_DEFECTS['sha-512-cut'] },
  'salt-unsigned': { clause: 'ID-SHAKE-1', ...CHANNEL_DEFECTS['salt-unsigned'] },
  'key-of-its-own': {
    clause: 'ID-SHAKE-2',
    says: 'it makes a key when it starts',
    config: (config) => ({ ...config, identity: identityOf(new Uint8Array(32).fill(7)) }),
  },
  'believes-signatures': { clause: 'ID-SHAKE-3', ...CHANNEL_DEFECTS['believes-signatures'] },
  'believes-nonces': { clause: 'ID-SHAKE-4', ...CHANNEL_DEFECTS['believes-nonces'] },
  'seeded-chance': {
    clause: 'ID-SHAKE-5',
    says: 'what should be random is the same on every connection',
    config: (config) => ({
      ...config,
      chance: () => {
        let drawn = 0;
        return chanceFrom((length) => new Uint8Array(length).fill(++drawn));
      },
    }),
  },
  'big-endian-counter': { clause: 'ID-SEAL-1', ...CHANNEL_DEFECTS['big-endian-counter'] },
  'replays-delivered': { clause: 'ID-SEAL-2', ...CHANNEL_DEFECTS['replays-delivered'] },
  'out-of-turn-skipped': { clause: 'ID-SEAL-2', ...CHANNEL_DEFECTS['out-of-turn-skipped'] },
  'gaps-accepted': { clause: 'ID-SEAL-2', ...CHANNEL_DEFECTS['gaps-accepted'] },
  'short-frame-panics': { clause: 'ID-SEAL-3', ...CHANNEL_DEFECTS['short-frame-panics'] },
  'padding-refused': { clause: 'ID-SEAL-5', ...CHANNEL_DEFECTS['padding-refused'] },
  'rekey-refused': { clause: 'ID-REKEY-1', ...CHANNEL_DEFECTS['rekey-refused'] },
  'answer-under-new-key': { clause: 'ID-REKEY-1', ...CHANNEL_DEFECTS['answer-under-new-key'] },
  'counts-from-1-again': { clause: 'ID-REKEY-1', ...CHANNEL_DEFECTS['counts-from-1-again'] },
  'own-rekey-forgotten': { clause: 'ID-REKEY-2', ...CHANNEL_DEFECTS['own-rekey-forgotten'] },
  'one-segment': { clause: 'ID-CAPNP-1', ...CHANNEL_DEFECTS['one-segment'] },
  'structs-as-known': { clause: 'ID-CAPNP-1', ...CHANNEL_DEFECTS['structs-as-known'] },
  'undecodable-skipped': { clause: 'ID-CAPNP-2', ...CHANNEL_DEFECTS['undecodable-skipped'] },
  'unknown-is-keepalive': { clause: 'ID-CAPNP-2', ...CHANNEL_DEFECTS['unknown-is-keepalive'] },
  'undecodable-panics': { clause: 'ID-CAPNP-2', ...CHANNEL_DEFECTS['undecodable-panics'] },
  'unpacks-first': { clause: 'ID-CAPNP-3', ...CHANNEL_DEFECTS['unpacks-first'] },
  'no-keepalive': {
    clause: 'ID-LIVE-1',
    says: 'it sends no keepAlive',
    limits: { keepaliveMillis: NEVER_MILLIS },
  },
  'silence-forgiven': {
    clause: 'ID-LIVE-2',
    says: 'a node that says nothing is kept for ever',
    limits: { silenceMillisMax: NEVER_MILLIS },
  },
  'gone-after-20': {
    clause: 'ID-LIVE-2',
    says: 'a node that says nothing for 20 s is closed',
    limits: { silenceMillisMax: 20_000 },
  },
  'only-messages-count': { clause: 'ID-LIVE-3', ...CHANNEL_DEFECTS['only-messages-count'] },
};

const MEETING: Readonly<Record<string, RelayDefect>> = {
  'told-its-own-key': {
    clause: 'ID-MEET-1',
    says: 'a listener is told its own key instead of who connects',
    spoil: toldItsOwnKey,
  },
  'oldest-accepted': {
    clause: 'ID-MEET-2',
    says: 'an accept takes who waits longest, whoever it names',
    spoil: oldestAccepted,
  },
  'waits-for-nobody': {
    clause: 'ID-MEET-3',
    says: 'who connects to nobody waits',
    spoil: waitsForNobody,
  },
  'reject-ignored': {
    clause: 'ID-MEET-4',
    says: 'a rejected connector goes on waiting',
    spoil: () => spoil(Rendezvous, 'reject', () => () => undefined),
  },
  'reject-ends-listener': {
    clause: 'ID-MEET-4',
    says: 'a reject of somebody who does not wait ends the listener',
    spoil: () =>
      spoil(Rendezvous, 'reject', (right) => (self, now, listener, from, out) => {
        if (!listener.halves.has(from)) throw fault('UNION_TAG', 'somebody who waits', from);
        right(self, now, listener, from, out);
      }),
  },
  'key-stays-taken': {
    clause: 'ID-MEET-6',
    says: 'a listener that has left is not forgotten',
    spoil: keyStaysTaken,
  },
  'one-after-the-other': {
    clause: 'ID-CROWD-1',
    says: 'the InitConnection of one connection is awaited before the next may shake hands',
    limits: { handshakesMax: 1 },
    spoil: oneAfterTheOther,
  },
  'mute-may-stay': {
    clause: 'ID-CROWD-2',
    says: 'a connection that says nothing keeps its place among the handshakes',
    limits: { handshakeMillisMax: NEVER_MILLIS, roomAfterMillis: NEVER_MILLIS },
  },
  'strangers-panic': { clause: 'ID-CROWD-3', ...CHANNEL_DEFECTS['strangers-panic'] },
  'descriptors-kept': {
    clause: 'AUDIT-FD-1',
    says: 'each connection leaves a descriptor behind',
    wrap: (machine) => ({
      handle: (now, input) => {
        if (input.type === 'accepted') openSync('/dev/null', 'r');
        return machine.handle(now, input);
      },
      deadline: () => machine.deadline(),
    }),
  },
};

const TUNNELS: Readonly<Record<string, RelayDefect>> = {
  'empty-lost': {
    clause: 'ID-TUN-1',
    says: 'an empty message is not passed on',
    spoil: () =>
      spoil(Rendezvous, 'forward', (right) => (self, now, peer, heard, out) => {
        if (heard.bytes.length > 0) right(self, now, peer, heard, out);
      }),
  },
  'cut-in-pieces': {
    clause: 'ID-TUN-1',
    says: 'a message above 4 KiB is passed on as two',
    spoil: () =>
      spoil(Rendezvous, 'forward', (right) => (self, now, peer, heard, out) => {
        const { bytes } = heard;
        if (bytes.length <= PIECE_BYTES) return right(self, now, peer, heard, out);
        for (const piece of [bytes.slice(0, PIECE_BYTES), bytes.slice(PIECE_BYTES)])
          right(self, now, peer, { type: 'message', bytes: piece, packed: undefined }, out);
      }),
  },
  'early-lost': {
    clause: 'ID-TUN-2',
    says: 'what was said before the accept is dropped',
    spoil: () => spoil(Rendezvous, 'early', () => () => undefined),
  },
  'keepalive-passed-on': {
    clause: 'ID-TUN-3',
    says: 'a keepAlive is passed on as an empty message',
    spoil: () =>
      spoil(MessageCodec, 'readKa', (right) => (self, packed) => {
        const ka = right(self, packed);
        return ka.type === 'message' ? ka : EMPTY;
      }),
  },
  'end-kept': {
    clause: 'ID-TUN-4',
    says: 'the other end of a tunnel stays open when one has left',
    spoil: () =>
      spoil(Rendezvous, 'leave', (right) => (self, now, peer, out) => {
        if (peer.state !== 'tunnel') right(self, now, peer, out);
        else if (peer.partner !== undefined) peer.partner.partner = undefined;
      }),
  },
  'last-lost': {
    clause: 'ID-TUN-4',
    says: 'what waits for one end of a tunnel is dropped when the other has left',
    wrap: saying((output) => [output.type === 'end' ? { type: 'reset', conn: output.conn } : output]),
  },
  'tunnels-by-key': {
    clause: 'ID-TUN-5',
    says: 'tunnels are told apart by the keys of their ends',
    spoil: tunnelsByKey,
  },
  'half-a-mebibyte': { clause: 'ID-TUN-6', ...CHANNEL_DEFECTS['half-a-mebibyte'] },
  'never-held-back': {
    clause: 'ID-TUN-7',
    says: 'it reads on whatever waits to be sent',
    wrap: saying((output) => (output.type === 'pause' ? [] : [output])),
  },
  'lost-when-held-back': {
    clause: 'ID-TUN-7',
    says: 'the first message after one end was held back is lost',
    spoil: () => {
      const heldBack = new WeakSet<Peer>();
      spoil(Peer, 'pause', (right) => (self, now, out) => {
        heldBack.add(self);
        right(self, now, out);
      });
      spoil(Rendezvous, 'forward', (right) => (self, now, peer, heard, out) => {
        if (!heldBack.delete(peer)) right(self, now, peer, heard, out);
      });
    },
  },
  'ends-with-listener': {
    clause: 'ID-TUN-8',
    says: 'the tunnels of a listener end with it',
    spoil: tunnelsNeedTheirListener,
  },
};

/** By the name that `--defect` takes. */
export const RELAY_DEFECTS: Readonly<Record<string, RelayDefect>> = { ...CHANNEL, ...MEETING, ...TUNNELS };
