import type { Address, Conn, Millis, NetOutput } from '../../machine/machine.ts';
import type { RelayMode } from '../relay/relay-report.ts';

/** Why a client is without its registration. Transport words first, then what the relay said wrongly or not at all. */
export type LostWhy =
  | 'end'
  | 'reset'
  | 'refused'
  | 'timeout'
  | 'unreachable'
  | 'exhausted'
  | 'failed'
  | 'malformed answer'
  | 'id forgotten'
  | 'dropped';

/** What a client tells its owner: words of the trace. */
export type ClientReport =
  /** `attempt`: 0 for the first dial after a healthy registration (or ever). */
  | { readonly type: 'client.dialing'; readonly attempt: number }
  | { readonly type: 'client.registered'; readonly port: number; readonly mode: RelayMode }
  | {
      readonly type: 'client.lost';
      readonly why: LostWhy;
      readonly waitMillis: Millis;
      readonly attempt: number;
    }
  /** A connection was added to the pool and the relay did not refuse it. */
  | { readonly type: 'client.joined'; readonly conn: Conn }
  /** A user's tunnel is joined to the service. `conn`: the pooled or claiming connection, or the stream. */
  | { readonly type: 'client.tunnel'; readonly conn: Conn; readonly service: Conn }
  | { readonly type: 'client.gaveUp'; readonly attempts: number }
  /** Nothing is open any more after `stop`. */
  | { readonly type: 'client.stopped' };

/** `service`: serve tunnels from here from now on. `drop`: reset the registration's connections and come back by the schedule. */
export type ClientCommand =
  | { readonly type: 'service'; readonly service: Address }
  | { readonly type: 'drop' };

export type ClientOutput = NetOutput<ClientReport>;
