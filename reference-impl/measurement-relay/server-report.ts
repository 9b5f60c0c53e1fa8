import type { Address, Conn, Millis, Why } from '../machine/machine.ts';
import type { Batch } from './messages.ts';
import type { MetricRefusal, MetricRegistry } from './metrics.ts';

/** What a peer may make the server hold or wait for. Beyond it that peer's connection ends, or is not read for a while. */
export type ServerLimits = {
  readonly connectionsMax: number;
  /** From the connection to the Greet. */
  readonly greetMillis: Millis;
  readonly keepaliveMillis: Millis;
  /** UTF-16 units of a client's name. */
  readonly senderLengthMax: number;
  /** Bytes of frames that are not complete, over all connections. */
  readonly heldBytesMax: number;
  /** Batches that the host has and has not answered, of one connection; and the bytes they took on the wire, of all. */
  readonly undeliveredMax: number;
  readonly undeliveredBytesMax: number;
  /** A frame with more than this is handed out in several batches (never one that is acknowledged: it is refused). */
  readonly batchBytesMax: number;
  /** How long a `stop` waits for the host to answer for what it has. */
  readonly drainMillis: Millis;
};
export const SERVER_LIMITS: ServerLimits = {
  connectionsMax: 1_024,
  greetMillis: 30_000,
  keepaliveMillis: 30_000,
  senderLengthMax: 1_024,
  heldBytesMax: 256 * 1024 * 1024,
  undeliveredMax: 4,
  undeliveredBytesMax: 32 * 1024 * 1024,
  batchBytesMax: 4 * 1024 * 1024,
  drainMillis: 5_000,
};

export type ServerConfig = {
  /** Port 0: any free one. Host undefined: the driver's. */
  readonly listen: { readonly host: string | undefined; readonly port: number };
  /** Clients' metrics are defined in it. */
  readonly registry: MetricRegistry;
  /** Acknowledge to clients that ask for it. Without it we are as Alumet is. */
  readonly acknowledge: boolean;
  readonly limits: ServerLimits;
};

/** Names a question to the host until it is answered. */
export type Token = number;

/** Answers of the host. One about a token that is not open is ignored. */
export type ServerCommand =
  /** The batch is stored as far as the host promises: it is acknowledged now. */
  | { readonly type: 'stored'; readonly token: Token }
  /** It is not, and will not be: a client that waits for its acknowledgement is cut off and sends it again. */
  | { readonly type: 'failed'; readonly token: Token }
  /** Answers `server.spool`; `failed` says that it cannot be told. */
  | { readonly type: 'lastStored'; readonly token: Token; readonly batch: number | undefined };

/** Why points were not handed out, or not stored. */
export const SERVER_DROPS = [
  'metric not registered',
  'metric refused',
  'value of another type',
  'timestamp out of range',
  'malformed resource',
  'malformed consumer',
  'stored before',
  'not stored',
] as const;
export type ServerDrop = (typeof SERVER_DROPS)[number];

/** What a peer did that its connection does not survive. Stable: tests and operators match it. */
export const SERVER_ERRORS = {
  NO_GREET: 'a message before the Greet',
  GREET_LATE: 'no Greet in time',
  VERSION: 'another protocol version',
  FRAME_TOO_LONG: 'a frame beyond the limit',
  UNDECODABLE: 'a body that does not decode',
  UNEXPECTED: 'a message that only a server sends, or that was not agreed on',
  METRIC_ID: 'a metric id beyond 65,535',
  SENDER_TOO_LONG: "a client's name beyond the limit",
  BATCH_NUMBER: 'a batch number that does not grow',
  BATCH_TOO_LONG: 'an acknowledged batch beyond the limit',
  TRUNCATED: 'the end of the stream inside a frame',
  MEMORY: 'too many bytes of incomplete frames',
  CROWDED: 'too many connections',
  SUPERSEDED: 'the same spool came by a newer connection',
  NOT_STORED: 'a batch could not be stored',
  STOPPED: 'this server stops',
} as const;
export type ServerError = keyof typeof SERVER_ERRORS;

/** Points, and what became of them. received = undelivered + stored + dropped. */
export type ServerCounters = {
  connections: number;
  open: number;
  frames: number;
  bytes: number;
  /** Of points that were decoded. */
  received: number;
  /** Handed to the host, and not answered. */
  undelivered: number;
  stored: number;
  /** Of those, stored for clients that were told so. */
  acknowledged: number;
  dropped: Record<ServerDrop, number>;
  errors: Partial<Record<ServerError, number>>;
};

/** All at zero. */
export const serverCounters = (): ServerCounters => ({
  connections: 0,
  open: 0,
  frames: 0,
  bytes: 0,
  received: 0,
  undelivered: 0,
  stored: 0,
  acknowledged: 0,
  dropped: Object.fromEntries(SERVER_DROPS.map((why) => [why, 0])) as Record<ServerDrop, number>,
  errors: {},
});

export type ServerReport =
  | { readonly type: 'server.listening'; readonly port: number }
  | { readonly type: 'server.unlistened'; readonly why: 'in use' | 'denied' | 'exhausted' }
  | { readonly type: 'server.accepted'; readonly conn: Conn; readonly from: Address }
  | {
      readonly type: 'server.greeted';
      readonly conn: Conn;
      readonly client: string;
      readonly core: string;
      readonly plugin: string;
      readonly protocolVersion: number;
      readonly accepted: boolean;
    }
  /** A client's metric has another name here, because that one is taken. */
  | {
      readonly type: 'server.renamed';
      readonly conn: Conn;
      readonly client: string;
      readonly name: string;
      readonly renamed: string;
    }
  | {
      readonly type: 'server.refused';
      readonly conn: Conn;
      readonly client: string;
      readonly name: string;
      readonly why: MetricRefusal;
    }
  /** Some points of a frame. `example`: the first of them. */
  | {
      readonly type: 'server.dropped';
      readonly conn: Conn;
      readonly client: string;
      readonly why: ServerDrop;
      readonly points: number;
      readonly example: string;
    }
  /** Bytes behind the value of a frame; the frame was used. */
  | { readonly type: 'server.trailing'; readonly conn: Conn; readonly client: string; readonly bytes: number }
  /** To be answered by `stored` or `failed` with the token. */
  | { readonly type: 'server.batch'; readonly token: Token; readonly conn: Conn; readonly batch: Batch }
  /** Which batch of a spool is stored last? To be answered by `lastStored`. No batch of it is on its way meanwhile. */
  | {
      readonly type: 'server.spool';
      readonly token: Token;
      readonly conn: Conn;
      readonly client: string;
      readonly spool: string;
      /** The first the client still has. */
      readonly first: number;
    }
  /** We end it; `server.closed` follows once it is over. */
  | {
      readonly type: 'server.error';
      readonly conn: Conn;
      readonly client: string;
      readonly code: ServerError;
      readonly detail: string;
    }
  | {
      readonly type: 'server.closed';
      readonly conn: Conn;
      readonly client: string;
      readonly why: Why | 'ended by us';
    }
  | { readonly type: 'server.stopped' };
