import type { Address, Millis } from '../machine/machine.ts';

/**
 * What stands between a place and everywhere else: a gateway and its line, asked instead of standing in the way. Connections
 * pass it end to end, so it costs no connection, no machine and no event of its own. What it is asked about is in order of
 * time; it must answer from what it was asked before and from its own random stream alone.
 */
export type Border = {
  /** One way, without what chance and a rate add: how long news takes that carries no bytes. Whole milliseconds. */
  readonly latencyMillis: Millis;
  /**
   * Somebody inside dials out.
   * @returns the address that is seen outside, or what the dialler hears instead (`silent`: nothing, its SYN is lost)
   */
  out(from: Address): Address | 'silent' | 'refused' | 'unreachable';
  /** The inner end of a connection that left from this public port is gone. */
  over(port: number): void;
  /**
   * When what is handed in at `at` has passed, not before `at`; a fraction of a millisecond is kept here, not in the world.
   * @param bytes 0 for what carries no payload (SYN, FIN, RST)
   */
  through(at: Millis, way: 'out' | 'in', bytes: number): Millis;
};
