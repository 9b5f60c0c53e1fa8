import type { Conn, Millis } from '../../machine/machine.ts';
import type { FaultCode } from '../wire-faults.ts';

/** Why a connection was turned away or ended by the relay. The words are what logs and metrics show. */
export type Refusal =
  | FaultCode
  | 'too many connections'
  | 'too many connections of one address'
  | 'handshake too slow'
  | 'silent in handshake, others wait'
  | 'no InitConnection in time'
  | 'ended before its InitConnection'
  | 'listens already'
  | 'nobody listens'
  | 'connects already'
  | 'too many half tunnels'
  | 'nobody to accept'
  | 'rejected'
  | 'not accepted in time'
  | 'listener lost'
  | 'does not read';

/** Why a connection that listened or was an end of a tunnel is gone: closed in order, broken off, or by the relay. */
export type Parting = 'left' | 'lost' | 'stopped' | Refusal;

/** What the relay tells its owner. Keys are base64url; who logs them masks them. */
export type RelayReport =
  | { readonly type: 'strelay.listening'; readonly port: number }
  /** The port cannot be had: the relay does nothing more. */
  | {
      readonly type: 'strelay.failed';
      readonly port: number;
      readonly why: 'in use' | 'denied' | 'exhausted';
    }
  /** A node is reachable. */
  | { readonly type: 'strelay.listener'; readonly conn: Conn; readonly key: string }
  | {
      readonly type: 'strelay.unlistened';
      readonly conn: Conn;
      readonly key: string;
      readonly why: Parting;
    }
  /** `from` wants to be joined to `to`, who was told. */
  | { readonly type: 'strelay.incoming'; readonly conn: Conn; readonly from: string; readonly to: string }
  | {
      readonly type: 'strelay.tunnel';
      readonly connector: Conn;
      readonly acceptor: Conn;
      readonly from: string;
      readonly to: string;
      readonly waitedMillis: Millis;
    }
  /** One end is gone; the other is closed when it has what was left for it. */
  | { readonly type: 'strelay.untunnel'; readonly conn: Conn; readonly why: Parting }
  /** The first of a burst; the others of it are only counted. */
  | { readonly type: 'strelay.refused'; readonly conn: Conn; readonly why: Refusal }
  /** The burst is over: how many it had, the reported one included. Not said for a burst of one. */
  | { readonly type: 'strelay.refusals'; readonly why: Refusal; readonly count: number }
  /** Nothing is open any more after `stop`. */
  | { readonly type: 'strelay.drained' };

/** A snapshot for metrics. Totals count since the start. */
export type RelayStats = {
  readonly connections: number;
  readonly handshakes: number;
  /** Connections that wait for a handshake to begin. */
  readonly waiting: number;
  readonly listeners: number;
  readonly halfTunnels: number;
  readonly tunnels: number;
  readonly tunnelsTotal: number;
  readonly messagesTotal: number;
  /** Payload of forwarded messages, as the nodes see it. */
  readonly bytesTotal: number;
  readonly earlyBytes: number;
  readonly refusals: ReadonlyMap<Refusal, number>;
};
