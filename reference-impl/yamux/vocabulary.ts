/** What goes into a yamux session machine and what comes out. The session owns no socket: its carrier is the driver's. */
import type { Millis } from '../machine/machine.ts';
import type { YamuxError } from './errors.ts';

/** Client ids are odd from 1, server ids even from 2; 0 is the session itself. */
export type StreamId = number;
/** GoAway codes of the specification. */
export type GoAwayCode = 'normal' | 'protocol error' | 'internal error';

export type SessionInput =
  /** From the carrier, cut anywhere. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** The carrier's FIN: the peer will send nothing more. */
  | { readonly type: 'ended' }
  | { readonly type: 'deadline' }
  /** Opens a stream under an id that `session.nextStream()` gave. SYN goes out with the first frame at once. */
  | { readonly type: 'open'; readonly stream: StreamId }
  /** Queues payload; it leaves as the peer's window and the carrier's room allow. */
  | { readonly type: 'send'; readonly stream: StreamId; readonly bytes: Uint8Array }
  /** FIN after what was sent. */
  | { readonly type: 'end'; readonly stream: StreamId }
  | { readonly type: 'reset'; readonly stream: StreamId }
  /** The application has taken this many payload bytes: they may be granted again. This is the back-pressure. */
  | { readonly type: 'consumed'; readonly stream: StreamId; readonly bytes: number }
  | { readonly type: 'ping' }
  | { readonly type: 'goAway'; readonly code: GoAwayCode }
  /** The carrier can take this many bytes now. Payload leaves only on this input; control frames leave at once. */
  | { readonly type: 'room'; readonly bytes: number };

export type SessionOutput =
  /** To the carrier, in order. A list per turn: headers and views of what was sent, ready for one gathered write. */
  | { readonly type: 'transmit'; readonly chunks: readonly Uint8Array[] }
  /** The peer opened a stream (already acknowledged). */
  | { readonly type: 'stream'; readonly stream: StreamId }
  | { readonly type: 'acknowledged'; readonly stream: StreamId }
  /** A view into the chunk that came in: whoever keeps it copies it. */
  | { readonly type: 'data'; readonly stream: StreamId; readonly bytes: Uint8Array }
  /** The peer's FIN, after all its data. */
  | { readonly type: 'ended'; readonly stream: StreamId }
  /** The last word about a stream. Never follows our own `reset`. */
  | { readonly type: 'closed'; readonly stream: StreamId; readonly why: 'end' | 'reset' | 'failed' }
  /** Everything given to `send` on this stream has been transmitted. Said once per time the queue runs empty. */
  | { readonly type: 'drained'; readonly stream: StreamId }
  | { readonly type: 'pong'; readonly rttMillis: Millis }
  /** The peer opens no more streams and takes no more; open ones go on for code normal. */
  | { readonly type: 'goAway'; readonly code: GoAwayCode | 'unknown' }
  /** The session is over, whoever's fault it was: close the carrier after the transmits before this. Streams were `closed` before. */
  | { readonly type: 'failed'; readonly error: YamuxError };
