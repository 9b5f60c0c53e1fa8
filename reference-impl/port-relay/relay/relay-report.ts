import type { Conn, Millis } from '../../machine/machine.ts';

/** The three ways a client may serve its users. Source: relay README, "Integrate relay into your server". */
export type RelayMode = 'multiplex' | 'pool' | 'event';

/** Why somebody was turned away. The words are what logs and metrics show. */
export type Refusal =
  | 'unknown mode'
  | 'malformed line'
  | 'line too long'
  | 'control phase too slow'
  | 'ended before its request'
  | 'unknown id'
  | 'too many connections'
  | 'too many connections of one registration'
  | 'too many registrations of one address'
  | 'too many waiting users'
  | 'waited too long'
  | 'no free port'
  | 'out of resources'
  | 'stream opened by a client';

/** Why a registration ended. */
export type Unregistered =
  | 'client left'
  | 'client lost'
  | 'session failed'
  | 'pool empty'
  | 'listener lost'
  | 'client does not read'
  | 'dropped'
  | 'stopped';

/** What the relay tells its owner; all but the first two and the last two are words of the trace. */
export type RelayReport =
  /** The control port is open. */
  | { readonly type: 'relay.listening'; readonly port: number }
  /** The control port cannot be had: the relay does nothing more. */
  | { readonly type: 'relay.failed'; readonly port: number; readonly why: 'in use' | 'denied' | 'exhausted' }
  | {
      readonly type: 'relay.registered';
      readonly conn: Conn;
      readonly mode: RelayMode;
      readonly port: number;
    }
  | { readonly type: 'relay.unregistered'; readonly port: number; readonly why: Unregistered }
  | { readonly type: 'relay.user'; readonly conn: Conn; readonly port: number }
  /** `client`: the pooled or claiming connection, or the stream. */
  | {
      readonly type: 'relay.tunnel';
      readonly client: Conn;
      readonly user: Conn;
      readonly waitedMillis: Millis;
    }
  /** The first of a burst; the others of it are only counted. */
  | { readonly type: 'relay.refused'; readonly conn: Conn; readonly why: Refusal }
  /** The burst is over: how many refusals it had, the reported one included. Not said for a burst of one. */
  | { readonly type: 'relay.refusals'; readonly why: Refusal; readonly count: number }
  /** Nothing is open any more after `stop`. */
  | { readonly type: 'relay.drained' };

/** What an operator may ask for: end the registration that holds this public port. */
export type RelayCommand = { readonly type: 'drop'; readonly port: number };

/** A snapshot for metrics. Totals count since the start. */
export type RelayStats = {
  readonly connections: number;
  readonly registrations: Readonly<Record<RelayMode, number>>;
  /** Pooled connections that wait for a user. */
  readonly pooled: number;
  /** Users that wait for a client's connection. */
  readonly waiting: number;
  /** Tunnels that run now. */
  readonly tunnels: number;
  readonly tunnelsTotal: number;
  /** Payload bytes of ended tunnels: `up` from users, `down` to users. */
  readonly upBytesTotal: number;
  readonly downBytesTotal: number;
  readonly earlyBytes: number;
  readonly refusals: ReadonlyMap<Refusal, number>;
};
