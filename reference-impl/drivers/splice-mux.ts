/** The splice in which at least one side is a stream of a yamux session. */
import type { Conn, NetInput, Why } from '../machine/machine.ts';
import { countBulk } from './bulk-read.ts';
import type { Carrier } from './mux-node.ts';
import { movedBy, type Taker, type TcpEnd } from './node-end.ts';
import type { Tunnel } from './splice-idle.ts';

/** A source is held back while so much of what it gave waits for the other side. */
const HELD_BYTES_MAX = 256 * 1024;

/** So much at once is worth a write of its own; less is gathered with what the turn's other events bring. */
const PRESS_BYTES = 64 * 1024;

/** One side of such a splice, a socket or a stream. */
type Side = {
  readonly conn: Conn;
  put(bytes: Uint8Array): void;
  /** What `put` gave that has not left. */
  waiting(): number;
  /** Views of what `put` gave are still needed. */
  holds(): boolean;
  /** Calls back once `holds` is over, if nothing is `waiting`. */
  tellWhenWritten(written: () => void): void;
  /** It reads into memory that is used again: it must rest while the other side holds views. */
  reuses(): boolean;
  /** A view of what came from here is still needed: its memory is not to be read into. */
  kept(): void;
  /** Asks for one `emptied` of the joint once nothing waits. */
  tellWhenEmpty(emptied: () => void): void;
  end(): void;
  /** RST; its `closed` follows. */
  cut(why: Why): void;
  /** The connection is closed (a stream's end is told to the joint instead). */
  gone(): boolean;
  /** Grows as what waited leaves (a socket's: with its bytes too). */
  moved(): number;
  /** So many bytes that came from here were taken by the other side. */
  taken(bytes: number): void;
  hold(): void;
  release(): void;
};

/** Calls back once the socket has written all it was given; never when it fails first. */
const tellWhenWritten = ({ socket }: TcpEnd, written: () => void): void => {
  if (socket.writableEnded) socket.once('finish', written);
  else socket.write('', (error) => error ?? written());
};

/** A socket as a side. */
export const socketSide = (tcp: TcpEnd): Side => ({
  conn: tcp.conn,
  put: (bytes) => {
    if (!tcp.socket.writableEnded) tcp.socket.write(bytes);
  },
  waiting: () => tcp.socket.writableLength,
  holds: () => tcp.socket.writableLength > 0,
  tellWhenWritten: (written) => tellWhenWritten(tcp, written),
  reuses: () => tcp.reuses,
  kept: () => {},
  tellWhenEmpty: (emptied) => tellWhenWritten(tcp, emptied),
  end: () => tcp.socket.end(),
  cut: (why) => tcp.reset(why),
  gone: () => tcp.socket.destroyed,
  moved: () => movedBy(tcp),
  taken: () => {},
  hold: () => tcp.hold(),
  release: () => tcp.release(),
});

/** A stream as a side; the joint's `input` must be given what its binding says about it. */
export const streamSide = (conn: Conn, carrier: Carrier): Side => ({
  conn,
  put: (bytes) => {
    const input = { type: 'output', output: { type: 'send', conn, bytes } } as const;
    if (bytes.length < PRESS_BYTES) carrier.do(input);
    else carrier.press(input);
  },
  waiting: () => carrier.binding.unsentBytes(conn),
  holds: () => carrier.holds(conn),
  tellWhenWritten: (written) => tellWhenWritten(carrier.end, written),
  reuses: () => false,
  kept: () => {
    carrier.end.kept = true;
  },
  // answered by the input `flushed`
  tellWhenEmpty: () => carrier.do({ type: 'output', output: { type: 'flush', conn } }),
  end: () => carrier.do({ type: 'output', output: { type: 'end', conn } }),
  cut: (why) => carrier.do({ type: 'cut', conn, why }),
  gone: () => false,
  moved: () => -carrier.binding.unsentBytes(conn),
  taken: (bytes) => carrier.do({ type: 'consumed', conn, bytes }),
  // a stream is held back by the credit it does not get
  hold: () => {},
  release: () => carrier.do({ type: 'output', output: { type: 'resume', conn } }),
});

/** One direction. */
class Half {
  readonly source: Side;
  readonly #sink: Side;
  carriedBytes = 0;
  #owed = 0;
  #asked = false;
  #held = false;
  #endAsked = false;

  constructor(source: Side, sink: Side) {
    this.source = source;
    this.#sink = sink;
  }

  get ended(): boolean {
    return this.#endAsked;
  }

  carry(bytes: Uint8Array): void {
    this.carriedBytes += bytes.length;
    this.#sink.put(bytes);
    const holds = this.#sink.holds();
    if (holds) this.source.kept();
    const rests = holds && this.source.reuses();
    if (!rests && this.#sink.waiting() === 0) {
      this.source.taken(bytes.length);
      return;
    }
    this.#owed += bytes.length;
    if ((rests || this.#owed > HELD_BYTES_MAX) && !this.#held) {
      this.#held = true;
      this.source.hold();
    }
    if (this.#asked) return;
    this.#asked = true;
    this.#ask();
  }

  #ask(): void {
    if (this.#sink.waiting() > 0) this.#sink.tellWhenEmpty(this.emptied);
    else this.#sink.tellWhenWritten(this.emptied);
  }

  end(): void {
    if (this.#endAsked) return;
    this.#endAsked = true;
    this.#sink.end();
  }

  cutSink(why: Why): void {
    this.#sink.cut(why);
  }

  readonly emptied = (): void => {
    if (!this.#asked) return;
    if (this.source.reuses() && this.#sink.holds()) {
      this.#ask();
      return;
    }
    this.#asked = false;
    const owed = this.#owed;
    this.#owed = 0;
    this.source.taken(owed);
    if (!this.#held) return;
    this.#held = false;
    this.source.release();
  };
}

/** A splice with a stream in it: bytes, ends and resets go across; credit is granted as the other side takes the bytes. */
export class Joint implements Taker, Tunnel {
  readonly #ab: Half;
  readonly #ba: Half;
  readonly #closed = new Set<Conn>();
  #broken = false;

  constructor(a: Side, b: Side) {
    this.#ab = new Half(a, b);
    this.#ba = new Half(b, a);
  }

  /** Starts reading on both sides, unless one has failed already. @param ended whose FIN was seen before the splice */
  start(ended: { readonly a: boolean; readonly b: boolean }): void {
    if (this.#broken) return;
    for (const [half, over] of [
      [this.#ab, ended.a],
      [this.#ba, ended.b],
    ] as const) {
      if (over) half.end();
      else half.source.release();
    }
  }

  bytes(end: TcpEnd, bytes: Uint8Array): void {
    this.#from(end.conn).carry(bytes);
    countBulk(end, bytes.length);
  }

  ended(end: TcpEnd): void {
    this.#from(end.conn).end();
  }

  failed(end: TcpEnd): void {
    this.broken(end.conn);
  }

  /** What a binding says about one of the streams. */
  input(input: NetInput): void {
    switch (input.type) {
      case 'bytes':
        this.#from(input.conn).carry(input.bytes);
        return;
      case 'ended':
        this.#from(input.conn).end();
        return;
      case 'flushed':
        this.#to(input.conn).emptied();
        return;
      case 'closed':
        this.#closed.add(input.conn);
        if (input.why !== 'end') this.broken(input.conn);
        return;
    }
  }

  /** That side is gone: the other is reset. */
  broken(conn: Conn): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#from(conn).cutSink('reset');
  }

  alive(): boolean {
    if (this.#broken) return false;
    return [this.#ab, this.#ba].some(({ source }) => !source.gone() && !this.#closed.has(source.conn));
  }

  moved(): number {
    let moved = 0;
    // a byte counts more often than it can wait
    for (const { source, carriedBytes, ended } of [this.#ab, this.#ba])
      moved += source.moved() + 3 * carriedBytes + (ended ? 1 : 0);
    return moved;
  }

  timeOut(): void {
    this.#broken = true;
    for (const half of [this.#ab, this.#ba]) half.cutSink('timeout');
  }

  #from(conn: Conn): Half {
    return this.#ab.source.conn === conn ? this.#ab : this.#ba;
  }

  #to(conn: Conn): Half {
    return this.#ab.source.conn === conn ? this.#ba : this.#ab;
  }
}
