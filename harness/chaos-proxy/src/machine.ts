/**
 * The vocabulary between the link and whatever drives it. The link owns no socket, timer, clock or chance: it is handed
 * what happened and answers with what to do. Any driver that speaks these shapes can run it: `node.ts` does over real
 * sockets, a simulator may do so in virtual time (TypeScript compares structure, so no import is needed for that).
 *
 * Driver contract: one input at a time, `now` never goes back; outputs are performed in order before the next input; after
 * each call `deadline()` is read and `{ type: 'deadline' }` handed in once that time has come.
 */

/** Milliseconds of a clock that never goes back. */
export type Millis = number;
/** One end of a connection, never used twice: the driver names those it accepts, the machine those it dials. */
export type Conn = number;
/** A listening socket, named by the machine that asked for it. */
export type Listener = number;
/** Host name or IP address, and port. */
export type Address = { readonly host: string; readonly port: number };
/** Draws the next free name; driver and machine share one well. */
export type NameConn = () => Conn;

/** A sans-IO machine: inputs to outputs, and when it wants to be woken. */
export interface Machine<Input, Output> {
  handle(now: Millis, input: Input): readonly Output[];
  /** When a `deadline` input is wanted at the latest; undefined: never. */
  deadline(): Millis | undefined;
}

/** How a connection ended. `end`: both halves finished in order. */
export type Why = 'end' | 'reset' | 'refused' | 'timeout' | 'unreachable' | 'exhausted' | 'failed';

/** What a driver tells a machine. */
export type NetInput =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  | { readonly type: 'deadline' }
  | { readonly type: 'listening'; readonly listener: Listener; readonly port: number }
  | {
      readonly type: 'unlistened';
      readonly listener: Listener;
      readonly why: 'in use' | 'denied' | 'exhausted';
    }
  | { readonly type: 'accepted'; readonly conn: Conn; readonly listener: Listener; readonly from: Address }
  | { readonly type: 'stream'; readonly conn: Conn; readonly session: Conn }
  | { readonly type: 'connected'; readonly conn: Conn }
  | { readonly type: 'bytes'; readonly conn: Conn; readonly bytes: Uint8Array }
  /** Their FIN: no more bytes will come, ours may go on. */
  | { readonly type: 'ended'; readonly conn: Conn }
  /** Answers `flush`: everything sent so far has left the driver's buffers. */
  | { readonly type: 'flushed'; readonly conn: Conn }
  /** The last word about this connection, also for a dial that failed. Never follows our own `reset`. */
  | {
      readonly type: 'closed';
      readonly conn: Conn;
      readonly why: Why;
      readonly received: number;
      readonly sent: number;
    };

/** What the link tells its driver to do. */
export type NetOutput<Report> =
  | {
      readonly type: 'listen';
      readonly listener: Listener;
      readonly port: number;
      readonly host: string | undefined;
    }
  | { readonly type: 'unlisten'; readonly listener: Listener }
  | {
      readonly type: 'connect';
      readonly conn: Conn;
      readonly to: Address;
      readonly from: Address | undefined;
    }
  | { readonly type: 'send'; readonly conn: Conn; readonly bytes: Uint8Array }
  | { readonly type: 'flush'; readonly conn: Conn }
  /** FIN after what was sent. */
  | { readonly type: 'end'; readonly conn: Conn }
  /** RST now, unsent bytes are dropped; also gives up a dial. */
  | { readonly type: 'reset'; readonly conn: Conn }
  | { readonly type: 'pause'; readonly conn: Conn }
  | { readonly type: 'resume'; readonly conn: Conn }
  /** The driver carries bytes and ends between the two from here on; only their `closed` follow. */
  | { readonly type: 'splice'; readonly a: Conn; readonly b: Conn }
  | { readonly type: 'report'; readonly event: Report };

/** What the machine's owner tells it besides. */
export type CommandInput<Command> = { readonly type: 'command'; readonly command: Command };
