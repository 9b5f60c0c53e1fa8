/**
 * Ground floor. A machine is handed what happened and answers with what to do; a driver owns sockets, clock and chance.
 * Two drivers run every machine: `drivers/node.ts` (real sockets, real time) and `drivers/sim.ts` (virtual time).
 *
 * Driver contract:
 * 1. `handle` is called with one input at a time and a `now` that never goes back; it never throws for anything a peer did.
 * 2. Its outputs are performed in order, before the next input. Outputs about a connection that is gone are ignored, but
 *    a `splice` with one resets the other.
 * 3. After each call the driver reads `deadline()` and calls `handle(now, { type: 'deadline' })` once that time has come
 *    (exactly then in the simulator, within one timer tick in real time). A machine may be woken early and must not mind.
 */

/** Milliseconds of a clock that never goes back. Whole numbers in the simulator. */
export type Millis = number;

/**
 * One end of a connection: a TCP socket, or a stream of a yamux session. Never used twice by a driver. Both sides name ends
 * out of the same well (`NameConn`): the driver those it accepts, the machine those it dials, so that a machine can speak
 * about a dial (give it up, for instance) before it is answered.
 */
export type Conn = number;
/** A listening socket, named by the machine that asked for it. */
export type Listener = number;
/** Host name or IP address (in the simulator: a host's name), and port. */
export type Address = { readonly host: string; readonly port: number };
export type NameConn = () => Conn;

export interface Machine<Input, Output> {
  handle(now: Millis, input: Input): readonly Output[];
  /** When this machine wants a `deadline` input at the latest; undefined: it waits for nothing. */
  deadline(): Millis | undefined;
}

/** How a connection ended. `end`: both halves finished in order; `failed`: a yamux session broke its protocol. */
export type Why = 'end' | 'reset' | 'refused' | 'timeout' | 'unreachable' | 'exhausted' | 'failed';

export type NetInput =
  | { readonly type: 'start' }
  /** Orderly stop (SIGTERM): finish what you can, then report that you are done. */
  | { readonly type: 'stop' }
  | { readonly type: 'deadline' }
  | { readonly type: 'listening'; readonly listener: Listener; readonly port: number }
  | {
      readonly type: 'unlistened';
      readonly listener: Listener;
      readonly why: 'in use' | 'denied' | 'exhausted';
    }
  | { readonly type: 'accepted'; readonly conn: Conn; readonly listener: Listener; readonly from: Address }
  /** The peer opened a stream on a connection that was turned into a yamux session by `mux`. */
  | { readonly type: 'stream'; readonly conn: Conn; readonly session: Conn }
  | { readonly type: 'connected'; readonly conn: Conn }
  | { readonly type: 'bytes'; readonly conn: Conn; readonly bytes: Uint8Array }
  /** Their FIN: no more bytes will come, ours may go on. For a yamux session: the peer sent GoAway or FIN. */
  | { readonly type: 'ended'; readonly conn: Conn }
  /** Answers `flush`: everything sent so far has left our buffers. */
  | { readonly type: 'flushed'; readonly conn: Conn }
  /** The last word about this connection, also for a dial that failed. Never follows our own `reset`. Counts are payload bytes. */
  | {
      readonly type: 'closed';
      readonly conn: Conn;
      readonly why: Why;
      readonly received: number;
      readonly sent: number;
    };

export type NetOutput<Report> =
  /** `port` 0: any free one. `host` undefined: the driver's bind address. Answered by `listening` or `unlistened`. */
  | {
      readonly type: 'listen';
      readonly listener: Listener;
      readonly port: number;
      readonly host: string | undefined;
    }
  | { readonly type: 'unlisten'; readonly listener: Listener }
  /** `from`: local address to dial from (its port 0: any). Answered by `connected` or `closed`. */
  | {
      readonly type: 'connect';
      readonly conn: Conn;
      readonly to: Address;
      readonly from: Address | undefined;
    }
  /** Opens a stream on a session (see `mux`); usable at once, no answer comes. `closed` with `refused` if the peer will not have it. */
  | { readonly type: 'open'; readonly conn: Conn; readonly session: Conn }
  | { readonly type: 'send'; readonly conn: Conn; readonly bytes: Uint8Array }
  | { readonly type: 'flush'; readonly conn: Conn }
  /** FIN after what was sent. On a session: no new streams, close when the last one has ended. */
  | { readonly type: 'end'; readonly conn: Conn }
  /** RST now, unsent bytes are dropped; also gives up a dial. Nothing more is heard of this connection. */
  | { readonly type: 'reset'; readonly conn: Conn }
  /** FIN after what was sent, and whatever still comes is read and dropped: a refusal that must not look like a failure. `closed` follows. */
  | { readonly type: 'close'; readonly conn: Conn }
  | { readonly type: 'pause'; readonly conn: Conn }
  | { readonly type: 'resume'; readonly conn: Conn }
  /** TCP keepalive: first probe after `idleMillis` of silence. Sessions: yamux ping at that interval. 0: off. */
  | { readonly type: 'keepalive'; readonly conn: Conn; readonly idleMillis: Millis }
  /**
   * The driver carries bytes and ends between the two from here on (half-close and reset included); only their `closed` follow.
   * `idleMillis`: both are reset, `closed` with `timeout`, when the driver saw no payload and no FIN for so long in either
   * direction, half closed or not (up to a quarter of it late, at most 10 s). Absent or 0: never.
   */
  | { readonly type: 'splice'; readonly a: Conn; readonly b: Conn; readonly idleMillis?: Millis }
  /** This connection speaks yamux from its next byte on. `early`: bytes already taken from it that belong to the session. */
  | {
      readonly type: 'mux';
      readonly conn: Conn;
      readonly role: 'client' | 'server';
      readonly early: Uint8Array | undefined;
    }
  | { readonly type: 'report'; readonly event: Report };

/** A machine over connections: what both drivers run. `Command` is what its owner may tell it besides (a fault to a link, say). */
export type NetMachine<Report, Command = never> = Machine<
  NetInput | CommandInput<Command>,
  NetOutput<Report>
>;
export type CommandInput<Command> = { readonly type: 'command'; readonly command: Command };

/** The answer of a machine that has nothing to do: one frozen list, never a new one. */
export const NOTHING: readonly never[] = Object.freeze([]) as readonly never[];

/** The earlier of two deadlines. */
export const sooner = (a: Millis | undefined, b: Millis | undefined): Millis | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

/** The earliest of some deadlines. */
export const soonest = (...times: readonly (Millis | undefined)[]): Millis | undefined => {
  let first: Millis | undefined;
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time;
  return first;
};
