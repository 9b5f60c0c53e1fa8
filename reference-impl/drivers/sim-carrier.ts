import type { Conn, Millis, Why } from '../machine/machine.ts';
import type { MuxBinding } from './mux.ts';
import type { End } from './sim-end.ts';
import type { SimHost } from './sim-host.ts';

const NO_CONNS: ReadonlySet<Conn> = new Set();

/** A connection that carries a yamux session. */
export class Carrier {
  readonly conn: Conn;
  readonly end: End;
  readonly host: SimHost;
  /** Made when something is said on the session for the first time: in a large world most never carry anybody. */
  made: MuxBinding | undefined;
  readonly #make: (carrier: Carrier) => MuxBinding;
  /** Payload of the connection before the session began. */
  readonly received: number;
  readonly sent: number;
  /** How the connection below ended before anything was said; undefined: it did not. */
  overUnsaid: Why | undefined;
  #streams: Set<Conn> | undefined;
  #waiting: Set<Conn> | undefined;
  turnPosted = false;
  armedAt: Millis = -1;
  /** The connection below is gone, or the binding wants to hear no more of it. */
  closed = false;

  constructor(conn: Conn, end: End, received: number, make: (carrier: Carrier) => MuxBinding) {
    this.conn = conn;
    this.end = end;
    this.host = end.host;
    this.received = received;
    this.sent = end.sent;
    this.#make = make;
  }

  get binding(): MuxBinding {
    this.made ??= this.#make(this);
    return this.made;
  }

  /** Conns of the streams the machine can still hear of. */
  get streams(): ReadonlySet<Conn> {
    return this.#streams ?? NO_CONNS;
  }

  addStream(conn: Conn): void {
    this.#streams ??= new Set();
    this.#streams.add(conn);
  }

  removeStream(conn: Conn): void {
    this.#streams?.delete(conn);
    this.#waiting?.delete(conn);
  }

  /** Those whose splice waits until they have sent more. */
  get waiting(): ReadonlySet<Conn> {
    return this.#waiting ?? NO_CONNS;
  }

  wait(conn: Conn): void {
    this.#waiting ??= new Set();
    this.#waiting.add(conn);
  }

  waitNoMore(conn: Conn): void {
    this.#waiting?.delete(conn);
  }
}
