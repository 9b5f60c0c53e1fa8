import type { Conn, Millis } from '../../machine/machine.ts';
import type { FaultCode } from '../wire-faults.ts';

/**
 * Why a connection is gone: `refused` by the relay or the other node before there was a tunnel, `left` in order, `lost` by a reset or
 * silence below, `unreachable` was the relay, `late` the other node, `ended` by our own word; or what the other side did wrong.
 */
export type Parting = 'refused' | 'left' | 'lost' | 'unreachable' | 'late' | 'ended' | FaultCode;

/** What a node tells its owner. Keys are base64url. A tunnel is named by its connection. */
export type NodeReport =
  /** Tries to be reachable. `attempt` 0 is the first since it was healthy. */
  | { readonly type: 'node.dialing'; readonly conn: Conn; readonly attempt: number }
  /** It has asked the relay to be reachable. The relay does not answer; a refusal is a `node.lost` soon after. */
  | { readonly type: 'node.listening'; readonly conn: Conn }
  | { readonly type: 'node.lost'; readonly conn: Conn; readonly why: Parting; readonly waitMillis: Millis }
  | { readonly type: 'node.gaveUp'; readonly attempts: number }
  /** Somebody wants a tunnel: `accept` or `reject` it within 32 s. */
  | { readonly type: 'node.incoming'; readonly from: string }
  /** Both ends have proven who they are. */
  | {
      readonly type: 'node.tunnel';
      readonly tunnel: Conn;
      readonly peer: string;
      readonly role: 'connector' | 'acceptor';
    }
  | { readonly type: 'node.message'; readonly tunnel: Conn; readonly bytes: Uint8Array }
  /** So much waits to be sent that one should wait for `node.drained`. */
  | { readonly type: 'node.full'; readonly tunnel: Conn }
  | { readonly type: 'node.drained'; readonly tunnel: Conn }
  /** The tunnel is gone, or never came about. */
  | { readonly type: 'node.closed'; readonly tunnel: Conn; readonly peer: string; readonly why: Parting }
  /** Nothing is open any more after `stop`. */
  | { readonly type: 'node.stopped' };

/** What its owner may tell a node. `tunnel` of `connect` and `accept` comes out of the machine's own well of names. */
export type NodeCommand =
  | { readonly type: 'connect' | 'accept'; readonly tunnel: Conn; readonly peer: Uint8Array }
  | { readonly type: 'reject'; readonly peer: Uint8Array }
  /** At most `MESSAGE_BYTES_MAX`; longer ones may not fit a frame and then end the tunnel. */
  | { readonly type: 'send'; readonly tunnel: Conn; readonly bytes: Uint8Array }
  /** Closes a tunnel when everything is sent. */
  | { readonly type: 'end'; readonly tunnel: Conn }
  | { readonly type: 'pause' | 'resume'; readonly tunnel: Conn };

/** A message of this length always fits, however badly it packs. */
export const MESSAGE_BYTES_MAX = 786_432;
