import type { Address, Millis, NameConn, Why } from '../machine/machine.ts';
import type { Rng } from '../machine/rng.ts';
import type { Point } from './messages.ts';
import type { MetricRegistry } from './metrics.ts';
import type { Spool } from './spool.ts';

/** The retry schedule: waits of `initialDelayMillis`, doubled each time, never above `maxDelayMillis`, less the jitter. */
export type RetryOptions = {
  /** Retries after the failed attempt before giving up; Infinity: never give up. A success starts afresh. */
  readonly maxTimes: number;
  readonly initialDelayMillis: Millis;
  readonly maxDelayMillis: Millis;
  /** Share of each wait that is left to chance, 0 to 1: a fleet that waits without it comes back as a herd. Absent: 0, as in Alumet. */
  readonly jitter?: number;
};
export const RETRY: RetryOptions = { maxTimes: 8, initialDelayMillis: 500, maxDelayMillis: 4_000 };

export type ClientBounds = {
  /** How long a connection may take to stand. */
  readonly dialMillis: Millis;
  /** How long each answer of the server may take while connecting. */
  readonly greetMillis: Millis;
  /** How long bytes may lie unsent while nothing at all leaves. */
  readonly sendMillis: Millis;
  /** How long a batch that has left may wait for its acknowledgement while none at all comes. */
  readonly ackMillis: Millis;
  /** Bytes handed to the connection that have not left (without acknowledgement) or are not acknowledged. One batch always fits. */
  readonly inFlightBytesMax: number;
  /** Silence after which TCP asks whether the server is still there. */
  readonly keepaliveMillis: Millis;
  /** What a `stop` may take to deliver what is left. */
  readonly drainMillis: Millis;
};
export const CLIENT_BOUNDS: ClientBounds = {
  dialMillis: 10_000,
  greetMillis: 10_000,
  sendMillis: 30_000,
  ackMillis: 60_000,
  inFlightBytesMax: 4 * 1024 * 1024,
  keepaliveMillis: 30_000,
  drainMillis: 5_000,
};

export type ClientConfig = {
  readonly server: Address;
  /** Goes with every message; the server's `relay_client`. */
  readonly clientName: string;
  /** What the ids of appended points mean. */
  readonly registry: MetricRegistry;
  readonly spool: Spool;
  /** Points in a batch, unless one poll alone has more: it is never split. */
  readonly bufferMaxLength: number;
  /** How long after the last batch the next one is sent, however short. */
  readonly bufferTimeoutMillis: Millis;
  readonly retry: RetryOptions;
  /** Ask for acknowledgement. A server that does not know it never notices. */
  readonly acknowledge: boolean;
  readonly bounds: ClientBounds;
  readonly name: NameConn;
  /** Draws the jitter. Absent: drawn by the client's name, the same in every run. */
  readonly rng?: Rng;
};
export const BUFFER = { bufferMaxLength: 4_096, bufferTimeoutMillis: 30_000 } as const;

export type ClientCommand =
  /** The points of one poll, with the registry's metric ids. */
  | { readonly type: 'append'; readonly points: readonly Point[] }
  /** Sends what is in the buffer, now. */
  | { readonly type: 'flush' };

/** Why points were not delivered. `left behind`: when the client ended; `gave up`: when it had given up. */
export const CLIENT_DROPS = [
  'unknown metric',
  'too many metrics',
  'unencodable',
  'too long',
  'spool full',
  'dropped for newer',
  'gave up',
  'left behind',
] as const;
export type ClientDrop = (typeof CLIENT_DROPS)[number];

/** Why a connection, or the attempt at one, was given up. The first seven are the network's. */
export type ClientFailure =
  | Why
  /** FIN, where the server had no reason for one. */
  | 'server ended'
  | 'unexpected answer'
  | 'stalled'
  | 'no acknowledgement';

/** What the client was doing when it failed. */
export type ClientPhase = 'connect' | 'greet' | 'open spool' | 'send';

/**
 * Points, and what became of them. At any time received + recovered = buffered + spooled + acknowledged + unconfirmed + dropped.
 */
export type ClientCounters = {
  /** Appended. */
  received: number;
  /** Found in the spool at the start. */
  recovered: number;
  /** In the batch that grows. */
  buffered: number;
  /** In sealed batches that are not delivered. */
  spooled: number;
  /** Handed to a connection, each repetition counted. */
  sent: number;
  /** Stored by the server for certain. */
  acknowledged: number;
  /** Left us for a server that does not acknowledge. */
  unconfirmed: number;
  dropped: Record<ClientDrop, number>;
  connections: number;
};

/** All at zero. */
export const clientCounters = (): ClientCounters => ({
  received: 0,
  recovered: 0,
  buffered: 0,
  spooled: 0,
  sent: 0,
  acknowledged: 0,
  unconfirmed: 0,
  dropped: Object.fromEntries(CLIENT_DROPS.map((why) => [why, 0])) as Record<ClientDrop, number>,
  connections: 0,
});

export type ClientReport =
  /** @param attempt 0: the first of a schedule */
  | { readonly type: 'client.dialing'; readonly attempt: number }
  /** The handshake is answered. */
  | {
      readonly type: 'client.greeted';
      readonly server: { readonly core: string; readonly plugin: string };
      readonly acknowledges: boolean;
    }
  /** The last batch of our spool the server has; undefined: none. */
  | { readonly type: 'client.spoolOpened'; readonly stored: number | undefined }
  | { readonly type: 'client.sent'; readonly batch: number; readonly points: number }
  | { readonly type: 'client.acknowledged'; readonly through: number; readonly points: number }
  /** `waitMillis` undefined: this was the last attempt, `client.gaveUp` follows. */
  | {
      readonly type: 'client.failed';
      readonly during: ClientPhase;
      readonly why: ClientFailure;
      readonly detail: string;
      readonly attempt: number;
      readonly waitMillis: Millis | undefined;
    }
  /** Nothing more is tried. `left`: points that wait, for ever unless the spool is durable. */
  | {
      readonly type: 'client.gaveUp';
      readonly why: 'version mismatch' | 'retries used up';
      readonly detail: string;
      readonly left: number;
    }
  | {
      readonly type: 'client.dropped';
      readonly why: ClientDrop;
      readonly points: number;
      readonly detail: string;
    }
  /** The spool had been set back (a restored copy): it has another id now, and batches may arrive twice. */
  | { readonly type: 'client.spoolRenewed'; readonly stored: number; readonly next: number }
  /** Answers `stop`. `left`: points that were not delivered; a durable spool keeps them. */
  | { readonly type: 'client.stopped'; readonly left: number };
