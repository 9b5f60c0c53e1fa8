import type { Conn, Why } from '../machine/machine.ts';

/** `out` was sent by the host whose driver is watched. */
export type WireDirection = 'in' | 'out';

/**
 * Sees what a driver's host does on the wire, for traces; both drivers call it with the same words. Bytes of spliced
 * connections and of the connection under a yamux session are not shown (`closed` counts them); those of its streams are. `bytes` may live in a reused buffer: copy what is kept.
 * A driver without one spends nothing but a test for undefined.
 */
export type WireWatch = {
  /** `to`: `host:port` of the peer; for a stream `session N`. */
  opened(conn: Conn, to: string, role: 'dialled' | 'accepted' | 'stream'): void;
  /** A dial succeeded. */
  connected(conn: Conn): void;
  bytes(conn: Conn, dir: WireDirection, bytes: Uint8Array): void;
  /** A FIN. */
  ended(conn: Conn, dir: WireDirection): void;
  /** Our own reset: nothing more is said about this connection. */
  reset(conn: Conn): void;
  /** The same numbers as the input `closed`. */
  closed(conn: Conn, why: Why, received: number, sent: number): void;
};
