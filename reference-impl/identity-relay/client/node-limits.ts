import type { Millis } from '../../machine/machine.ts';

export type NodeLimits = {
  /** From the dial to the secure channel with the relay. */
  readonly joinMillisMax: Millis;
  /** From there to the secure channel with the other node: it has 32 s to accept. */
  readonly meetMillisMax: Millis;
  readonly keepaliveMillis: Millis;
  readonly silenceMillisMax: Millis;
  /** Our own rekey, of the channel to the relay and of the one in a tunnel. */
  readonly rekeyMillis: Millis;
  /** What may wait to be sent in a tunnel before it is called full. */
  readonly unsentBytesMax: number;
};

/** Times are those of the protocol (1 tick = 1 s). Source: protocol notes. */
export const DEFAULT_NODE_LIMITS: NodeLimits = {
  joinMillisMax: 10_000,
  meetMillisMax: 40_000,
  keepaliveMillis: 16_000,
  silenceMillisMax: 32_000,
  rekeyMillis: 3_601_000,
  unsentBytesMax: 262_144,
};
