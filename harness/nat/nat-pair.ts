/** One connection through a userspace NAT: the two sockets and the mapping between them. */
import type { Address, Conn, Millis } from '../../reference-impl/machine/machine.ts';

export type Side = 'inner' | 'outer';

export type End = {
  readonly side: Side;
  conn: Conn;
  /** The socket exists: accepted, or dialled and not refused. */
  open: boolean;
  /** Its FIN has come. */
  ended: boolean;
  /** Ours has gone to it. */
  finished: boolean;
  /** Bytes sent to it that it may not have taken yet, and how many of them the flush under way stands for. */
  unflushed: number;
  flushing: number;
  /** It is not read, because the other end does not take what it sends. */
  held: boolean;
};

/**
 * `waiting`: for a port or for the gateway to come back. `dialling`: has a mapping, the upstream has not answered. `live`.
 * `gone`: the mapping is no more, the sockets still are. `lost`: leads nowhere (a hairpin that is not supported).
 */
export type PairState = 'waiting' | 'dialling' | 'live' | 'gone' | 'lost';

export type Pair = {
  readonly inner: End;
  readonly outer: End;
  readonly from: Address;
  /** The upstream it leads to. */
  readonly to: Address;
  state: PairState;
  /** Public port of the mapping, and behind a carrier the one the home NAT chose. 0: none. */
  port: number;
  homePort: number;
  /** The public side still has the mapping. */
  mapped: boolean;
  /** When a segment last went through: both ends heard something then. */
  usedAt: Millis;
  goneAt: Millis;
  /** The gateway has given the address up: nobody is left to answer the outer end. */
  addressGone: boolean;
  /** What the inner end said before the upstream answered. */
  early: Uint8Array[];
  earlyBytes: number;
  /** The upstream answered during an outage; the answer counts when that is over. */
  arrived: boolean;
  /** Public ports tried that the system would not give. */
  tries: number;
};

const newEnd = (side: Side, conn: Conn, open: boolean): End => ({
  side,
  conn,
  open,
  ended: false,
  finished: false,
  unflushed: 0,
  flushing: 0,
  held: false,
});

export const newPair = (now: Millis, inner: Conn, from: Address, to: Address): Pair => ({
  inner: newEnd('inner', inner, true),
  outer: newEnd('outer', -1, false),
  from,
  to,
  state: 'waiting',
  port: 0,
  homePort: 0,
  mapped: false,
  usedAt: now,
  goneAt: 0,
  addressGone: false,
  early: [],
  earlyBytes: 0,
  arrived: false,
  tries: 0,
});

/**
 * When an end whose path vanished at `goneAt` notices: at its first keepalive probe after that. Probes go out every
 * `keepaliveMillis` of silence, and until `goneAt` each was answered. 0: it never does.
 */
export const noticeAt = (pair: Pair, keepaliveMillis: Millis): Millis | undefined => {
  if (keepaliveMillis <= 0) return undefined;
  const probes = Math.floor((pair.goneAt - pair.usedAt) / keepaliveMillis) + 1;
  return pair.usedAt + probes * keepaliveMillis;
};

/** The end that `end` speaks with. */
export const farEnd = (pair: Pair, end: End): End => (end.side === 'inner' ? pair.outer : pair.inner);
