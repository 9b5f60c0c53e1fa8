import type { Millis } from '../../machine/machine.ts';

/** Everything the relay bounds. Counts are inclusive: the limit itself is still served, the next one is refused. */
export type RelayLimits = {
  /** Longest control line, its end not counted. */
  readonly lineBytesMax: number;
  /** From accept to the port line (or to the join, or the claim). */
  readonly controlMillisMax: Millis;
  /** How long a pool may be without a waiting connection before its port closes and its id is forgotten. */
  readonly graceMillis: Millis;
  /** How long a user waits for a pooled connection or a claim; an unclaimed event id lives exactly as long. */
  readonly waitMillisMax: Millis;
  /** What a waiting connection may send before it is paused. */
  readonly earlyBytesMax: number;
  /** What all waiting connections together may have sent before each further one is paused. */
  readonly earlyBytesTotalMax: number;
  /** All connections, control and public, refused ones that still linger included. */
  readonly connectionsMax: number;
  /** Connections of one registration: its control, pooled and claiming connections, and its users. */
  readonly connectionsPerRegistrationMax: number;
  readonly registrationsPerAddressMax: number;
  readonly waitingPerRegistrationMax: number;
  /** TCP keepalive on every connection, and yamux pings on sessions, after this much silence. 0: off. */
  readonly keepaliveMillis: Millis;
  /** A tunnel that carried nothing for so long, half closed or not, is reset (see `splice`). What kernels still buffer is not seen. 0: off. */
  readonly idleMillis: Millis;
  /** How long a refused connection may take to close its half before it is reset. */
  readonly lingerMillis: Millis;
  /** How long running tunnels may go on after `stop` before they are reset. */
  readonly drainMillis: Millis;
};

/** Defaults. Source: port-relay page, "Limits a reference relay needs"; counts without a number there are ours. */
export const DEFAULT_LIMITS: RelayLimits = {
  lineBytesMax: 256,
  controlMillisMax: 10_000,
  graceMillis: 10_000,
  waitMillisMax: 30_000,
  earlyBytesMax: 65_536,
  earlyBytesTotalMax: 67_108_864,
  connectionsMax: 20_000,
  connectionsPerRegistrationMax: 4_096,
  registrationsPerAddressMax: 1_024,
  waitingPerRegistrationMax: 1_024,
  keepaliveMillis: 30_000,
  idleMillis: 0,
  lingerMillis: 2_000,
  drainMillis: 10_000,
};
