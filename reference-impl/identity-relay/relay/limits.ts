import type { Millis } from '../../machine/machine.ts';

/** Everything the relay bounds. Counts are inclusive: the limit itself is still served. */
export type RelayLimits = {
  /** From the start of a handshake, version included, to the channel. Who waits for its turn waits no longer than this either. */
  readonly handshakeMillisMax: Millis;
  /** From the channel to the InitConnection. */
  readonly initMillisMax: Millis;
  /** How long a connector waits to be accepted; its key may not try again meanwhile, whether it is still there or not. */
  readonly halfTunnelMillisMax: Millis;
  /** A keepAlive is sent after so long without a message of ours. */
  readonly keepaliveMillis: Millis;
  /** A peer is dead after so long without one of its messages. */
  readonly silenceMillisMax: Millis;
  /** Our own rekey of each connection. */
  readonly rekeyMillis: Millis;
  /** Handshakes that run at once; others wait. */
  readonly handshakesMax: number;
  readonly handshakesPerAddressMax: number;
  /** A handshake in which nothing was heard for so long may have to make room. */
  readonly roomAfterMillis: Millis;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly halfTunnelsPerListenerMax: number;
  /** What a connector may send before it is accepted; then it is paused. */
  readonly earlyBytesMax: number;
  /** The same for all connectors together. */
  readonly earlyBytesTotalMax: number;
  /** What may wait to be sent to one end of a tunnel before the other end is paused. */
  readonly unsentBytesMax: number;
  /** How long an end may take to read what is left for it when its tunnel is over. */
  readonly lingerMillisMax: Millis;
  /** How long running tunnels may go on after `stop` before they are reset. */
  readonly drainMillis: Millis;
};

/** Times are those of the protocol (1 tick = 1 s), counts are ours but for the 512 handshakes. Source: protocol notes. */
export const DEFAULT_LIMITS: RelayLimits = {
  handshakeMillisMax: 8_000,
  initMillisMax: 4_000,
  halfTunnelMillisMax: 32_000,
  keepaliveMillis: 16_000,
  silenceMillisMax: 32_000,
  rekeyMillis: 3_601_000,
  handshakesMax: 512,
  handshakesPerAddressMax: 256,
  roomAfterMillis: 1_000,
  connectionsMax: 20_000,
  connectionsPerAddressMax: 10_000,
  halfTunnelsPerListenerMax: 4_096,
  earlyBytesMax: 65_536,
  earlyBytesTotalMax: 67_108_864,
  unsentBytesMax: 262_144,
  lingerMillisMax: 60_000,
  drainMillis: 10_000,
};
