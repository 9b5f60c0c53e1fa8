import type { Schedule } from '../../backoff/schedule.ts';
import type { Address, Millis, NameConn } from '../../machine/machine.ts';
import type { Rng } from '../../machine/rng.ts';

export type ClientConfig = {
  readonly relay: Address;
  /** Dialled for every tunnel. undefined: not known yet, tunnels are reset until a `service` command names it. */
  readonly service: Address | undefined;
  /** Pooled connections kept waiting (mode pool; at least 1). */
  readonly poolSize: number;
  readonly schedule: Schedule;
  /** Draws the jitter. */
  readonly rng: Rng;
  /** Names what this machine dials; the same well its driver names from. */
  readonly name: NameConn;
  /** For each of: a dial to the relay, its answer, a dial to the service. */
  readonly dialMillis: Millis;
  /** TCP keepalive towards the relay, and yamux pings, after this much silence. 0: off. */
  readonly keepaliveMillis: Millis;
  /**
   * A tunnel that carried nothing for so long, half closed or not, is reset (see `splice`). Needed beside the relay's own: after
   * the FIN of a half-closed tunnel a socket notices the relay's RST only when something is written. Absent or 0: never.
   */
  readonly idleMillis?: Millis;
  /** Wait before the first dial. */
  readonly startAfterMillis: Millis;
};

/** Bounds that nobody had to change so far. */
export const CLIENT_BOUNDS = {
  /** Longest line taken from the relay. */
  lineBytesMax: 256,
  /** Held for a tunnel whose service is still being dialled; then the tunnel is paused. */
  earlyBytesMax: 65_536,
  /** Tunnels at once, being claimed or dialled ones included; further ones are reset. */
  tunnelsMax: 8_192,
  /** From `stop` to the reset of tunnels that still run. */
  drainMillis: 10_000,
  /** A service that cannot be reached ends a claimed tunnel no sooner than this after the claim: a reset right behind the claim
   *  would overtake it at the relay, whose user would go on waiting. */
  claimSettleMillis: 500,
} as const;
