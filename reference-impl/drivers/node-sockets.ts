/** The TCP connections of a node driver, and the machine's words done to them. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Address, Conn, Millis, NetInput } from '../machine/machine.ts';
import { Timeouts } from '../machine/timeouts.ts';
import { LINGER_MILLIS } from './linger.ts';
import type { MuxCommand } from './mux-vocabulary.ts';
import { NodeAlarm } from './node-alarm.ts';
import { type EndHost, TcpEnd } from './node-end.ts';
import { keepAlive } from './node-keepalive.ts';
import { whyOf } from './node-why.ts';
import type { WireWatch } from './watch.ts';

/** What the machine may say about an open connection or stream. */
export type ConnCommand = Exclude<MuxCommand, { readonly type: 'open' }>;

export type SocketsHost = {
  readonly watch: WireWatch | undefined;
  now(): Millis;
  input(input: NetInput): void;
  /** A socket is closed and forgotten; the machine was told if it wants to know. */
  gone(end: TcpEnd): void;
  /** A socket that carries a yamux session is closed: its binding says so. @returns false: it carries none */
  sessionGone(end: TcpEnd): boolean;
};

export class NodeSockets implements EndHost {
  readonly watch: WireWatch | undefined;
  readonly #host: SocketsHost;
  readonly #ends = new Map<Conn, TcpEnd>();
  readonly #lingering = new Timeouts<TcpEnd>(LINGER_MILLIS);
  readonly #alarm: NodeAlarm;
  #flushing: TcpEnd[] = [];

  constructor(host: SocketsHost) {
    this.#host = host;
    this.watch = host.watch;
    this.#alarm = new NodeAlarm(host.now, () => this.#stopLingering());
  }

  get size(): number {
    return this.#ends.size;
  }

  /** A connection the machine can still speak about. */
  live(conn: Conn): TcpEnd | undefined {
    const end = this.#ends.get(conn);
    return end === undefined || end.silent ? undefined : end;
  }

  dial(conn: Conn, to: Address, from: Address | undefined): void {
    const where: TcpNetConnectOpts = { host: to.host, port: to.port, allowHalfOpen: true, noDelay: true };
    if (from !== undefined) {
      where.localAddress = from.host;
      if (from.port > 0) where.localPort = from.port;
    }
    this.watch?.opened(conn, `${to.host}:${to.port}`, 'dialled');
    try {
      this.#ends.set(conn, new TcpEnd(conn, this, connect(where), false));
    } catch (error) {
      // what Node refuses before it tries: a port out of range, a local address that is none
      const why = whyOf(error);
      this.watch?.closed(conn, why, 0, 0);
      this.#host.input({ type: 'closed', conn, why, received: 0, sent: 0 });
    }
  }

  /** @returns where it came from */
  accept(conn: Conn, socket: Socket): Address {
    this.#ends.set(conn, new TcpEnd(conn, this, socket, true));
    const from = { host: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    this.watch?.opened(conn, `${from.host}:${from.port}`, 'accepted');
    return from;
  }

  perform(end: TcpEnd, output: ConnCommand): void {
    switch (output.type) {
      case 'send':
        end.send(output.bytes);
        return;
      case 'flush':
        this.#flush(end);
        return;
      case 'end':
        end.end();
        return;
      case 'reset':
        this.watch?.reset(end.conn);
        end.silent = true;
        end.taker?.failed(end, 'reset');
        end.taker = undefined;
        end.reset('reset');
        return;
      case 'close':
        this.linger(end);
        return;
      case 'pause':
        end.hold();
        return;
      case 'resume':
        end.release();
        return;
      case 'keepalive':
        keepAlive(end.socket, output.idleMillis);
        return;
      default:
        output satisfies never;
    }
  }

  /** Our FIN; what still comes is read and dropped, within bounds of time and bytes. */
  linger(end: TcpEnd): void {
    if (end.lingering !== undefined) return;
    end.drop();
    this.#lingering.set(this.#host.now(), end);
    this.#alarm.set(this.#lingering.next());
  }

  /** Resets all of them without a word. */
  destroy(): void {
    this.#alarm.set(undefined);
    for (const end of this.#ends.values()) {
      end.silent = true;
      end.taker = undefined;
      end.reset('reset');
    }
  }

  input(input: NetInput): void {
    this.#host.input(input);
  }

  gone(end: TcpEnd): void {
    this.#ends.delete(end.conn);
    this.#lingering.cancel(end);
    if (end.lingering !== undefined) this.#alarm.set(this.#lingering.next());
    if (!this.#host.sessionGone(end) && !end.silent) {
      end.silent = true;
      const { conn, why, received, sent } = end;
      this.watch?.closed(conn, why, received, sent);
      this.#host.input({ type: 'closed', conn, why, received, sent });
    }
    this.#host.gone(end);
  }

  #flush(end: TcpEnd): void {
    const { socket } = end;
    if (socket.writableLength === 0 && !socket.connecting) {
      // a turn later: a source whose flushes are answered at once would starve the other sockets
      if (this.#flushing.push(end) === 1) setImmediate(this.#answerFlushes);
    } else if (socket.writableEnded) {
      socket.once('finish', () => this.#flushed(end));
    } else {
      socket.write('', (error) => error ?? this.#flushed(end));
    }
  }

  readonly #answerFlushes = (): void => {
    const flushing = this.#flushing;
    this.#flushing = [];
    for (const end of flushing) this.#flushed(end);
  };

  #flushed(end: TcpEnd): void {
    if (this.live(end.conn) === end && end.taker === undefined && end.lingering === undefined)
      this.#host.input({ type: 'flushed', conn: end.conn });
  }

  #stopLingering(): void {
    for (const end of this.#lingering.expired(this.#host.now())) end.socket.destroy();
    this.#alarm.set(this.#lingering.next());
  }
}

/** An IPv4 peer of a dual-stack listener, as everybody writes it. */
const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
