import type { Millis } from '../machine/machine.ts';
import { INITIAL_WINDOW_BYTES, U32_MAX } from './frame.ts';
import { badOption } from './refusals.ts';

/** How a session behaves; both ends may differ in everything but must have different roles. */
export type YamuxOptions = {
  /** Client ids are odd, server ids even. */
  readonly role: 'client' | 'server';
  /** Receive window of each stream, 262,144 (default) to 2^32-1. What exceeds 262,144 is announced with SYN and ACK.
   *  A session may have to hold streamsMax times this much if nothing is consumed. */
  readonly windowBytes?: number;
  /** Live streams, both ends' together; more are answered with RST. Default 4,096. */
  readonly streamsMax?: number;
  /** Between pings, 0: none. Default 30,000. */
  readonly keepaliveMillis?: Millis;
  /** Silence after a ping that fails the session with YAMUX_KEEPALIVE_TIMEOUT, 0: any. Default 10,000. */
  readonly pongMillis?: Millis;
  /** Payload that may wait on one stream; a `send` beyond it resets that stream (`closed`, `failed`). Default 64 MiB. */
  readonly queuedBytesMax?: number;
  /** The time at which the keepalive starts to count. Default: the first input's. */
  readonly startMillis?: Millis;
};

/** The options with their defaults. */
export type Settings = Required<Omit<YamuxOptions, 'role' | 'startMillis'>>;

/** @throws YamuxError YAMUX_OPTION (local) */
export const settings = (options: YamuxOptions): Settings => {
  const chosen: Settings = {
    windowBytes: options.windowBytes ?? INITIAL_WINDOW_BYTES,
    streamsMax: options.streamsMax ?? 4_096,
    keepaliveMillis: options.keepaliveMillis ?? 30_000,
    pongMillis: options.pongMillis ?? 10_000,
    queuedBytesMax: options.queuedBytesMax ?? 67_108_864,
  };
  const { windowBytes } = chosen;
  if (!Number.isInteger(windowBytes) || windowBytes < INITIAL_WINDOW_BYTES || windowBytes > U32_MAX)
    throw badOption('windowBytes', `${INITIAL_WINDOW_BYTES} to ${U32_MAX}`, windowBytes);
  for (const [name, value] of Object.entries(chosen))
    if (!(value >= 0)) throw badOption(name, 'at least 0', value);
  return chosen;
};
