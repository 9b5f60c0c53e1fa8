import { type Conn, type Millis, type NetOutput, soonest } from '../../machine/machine.ts';
import type { Link } from '../link.ts';
import { Outlet } from '../outlet.ts';
import { saySend } from '../slab.ts';
import type { RelayLimits } from './limits.ts';
import type { RelayReport } from './relay-report.ts';

export type RelayOutput = NetOutput<RelayReport>;
export type Out = RelayOutput[];

/**
 * What a connection is to the relay: `waiting` for a handshake, `shaking` hands, `opening` (its InitConnection is awaited), then what
 * it asked for; `ending` while it may read what is left for it, `closing` when it was said goodbye to.
 */
export type PeerState =
  | 'waiting'
  | 'shaking'
  | 'opening'
  | 'listening'
  | 'half'
  | 'tunnel'
  | 'ending'
  | 'closing';

/** A connector that was announced to its listener and not accepted yet. */
export type HalfTunnel = {
  readonly from: string;
  readonly listener: Peer;
  readonly since: Millis;
  /** undefined: it has left. */
  connector: Peer | undefined;
  /** What it sent meanwhile. */
  early: Uint8Array[];
  earlyBytes: number;
};

/** One connection. */
export class Peer {
  readonly conn: Conn;
  readonly address: string;
  readonly link: Link;
  readonly outlet: Outlet;
  state: PeerState = 'waiting';
  /** When it entered its state. */
  since: Millis;
  /** Nothing that makes sense was heard yet. */
  silent = true;
  /** Its public key, as text; empty until it is known. */
  key = '';
  publicKey: Uint8Array = new Uint8Array(0);
  paused = false;
  partner: Peer | undefined;
  half: HalfTunnel | undefined;
  /** Of a listener: who waits to be accepted, by key. */
  readonly halves = new Map<string, HalfTunnel>();

  constructor(conn: Conn, address: string, link: Link, unsentBytesMax: number, now: Millis) {
    this.conn = conn;
    this.address = address;
    this.link = link;
    this.outlet = new Outlet(unsentBytesMax);
    this.since = now;
  }

  /** Whether what it sends is still listened to. */
  get alive(): boolean {
    return this.state !== 'ending' && this.state !== 'closing';
  }

  become(now: Millis, state: PeerState): void {
    this.state = state;
    this.since = now;
  }

  send(bytes: Uint8Array, out: Out): void {
    saySend(this.conn, bytes, out);
    if (this.outlet.sent(bytes.length)) out.push({ type: 'flush', conn: this.conn });
  }

  pause(now: Millis, out: Out): void {
    if (this.paused) return;
    this.paused = true;
    this.link.hold(now, true);
    out.push({ type: 'pause', conn: this.conn });
  }

  resume(now: Millis, out: Out): void {
    if (!this.paused) return;
    this.paused = false;
    this.link.hold(now, false);
    out.push({ type: 'resume', conn: this.conn });
  }
}

/** When something is to be done about a connection, at the latest. */
export const deadlineOf = (peer: Peer, limits: RelayLimits): Millis | undefined => {
  switch (peer.state) {
    case 'waiting':
    case 'shaking':
      return peer.since + limits.handshakeMillisMax;
    case 'opening':
      return soonest(peer.since + limits.initMillisMax, peer.link.deadline());
    case 'listening':
    case 'half':
    case 'tunnel':
      return peer.link.deadline();
    case 'ending':
      return peer.since + limits.lingerMillisMax;
    case 'closing':
      return undefined;
  }
};
