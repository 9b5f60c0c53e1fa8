/** What goes into a `MuxBinding` and what comes out. */
import type { Conn, Machine, NameConn, NetOutput, Why } from '../machine/machine.ts';
import type { SessionInput, SessionOutput, StreamId } from '../yamux/vocabulary.ts';

/** What a binding needs of a yamux session. */
export type MuxSession = Machine<SessionInput, SessionOutput> & {
  /** The id for the next stream of ours. @throws YamuxError when there can be none */
  nextStream(): StreamId;
  /** Payload of one stream that waits. */
  queuedOn(stream: StreamId): number;
  /** Payload accepted by `send` that has not left, over all streams. */
  readonly queuedBytes: number;
  /** Payload could leave if the carrier had room. */
  readonly hasWork: boolean;
};

/** What a machine may say about a session or a stream. */
export type MuxCommand = Extract<
  NetOutput<never>,
  { readonly type: 'open' | 'send' | 'flush' | 'end' | 'reset' | 'close' | 'pause' | 'resume' | 'keepalive' }
>;

export type MuxInput =
  /** From the carrier, cut anywhere; may live in a reused buffer (what is held back is copied). */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** The carrier's FIN. */
  | { readonly type: 'ended' }
  /** The carrier is gone. */
  | { readonly type: 'closed'; readonly why: Why }
  /** The carrier can take this many bytes now. */
  | { readonly type: 'room'; readonly bytes: number }
  | { readonly type: 'deadline' }
  | { readonly type: 'output'; readonly output: MuxCommand }
  /** A splice is over that did not end in order: this stream is reset, and unlike after the machine's own `reset` its `closed` follows. */
  | { readonly type: 'cut'; readonly conn: Conn; readonly why: Why }
  /** These payload bytes of a stream were taken by whoever `next()` sent them to. */
  | { readonly type: 'consumed'; readonly conn: Conn; readonly bytes: number };

/** What to do to the carrier. */
export type CarrierOutput =
  | { readonly type: 'transmit'; readonly chunks: readonly Uint8Array[] }
  /** FIN after what was transmitted; its bytes still matter. */
  | { readonly type: 'end' }
  /** FIN after what was transmitted; whatever comes is dropped and the binding wants to hear nothing more. */
  | { readonly type: 'close' }
  /** RST now; the binding wants to hear nothing more. */
  | { readonly type: 'reset' };

export type MuxOptions = {
  readonly session: MuxSession;
  /** The connection that became the session. */
  readonly carrier: Conn;
  readonly name: NameConn;
  /** Payload bytes of the carrier before it became a session (early bytes are fed as `bytes` and not counted here). */
  readonly received: number;
  readonly sent: number;
};
