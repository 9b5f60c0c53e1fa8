import { connect, createServer, type Server, type Socket } from 'node:net';
import type { LinkMachine } from './link.ts';
import type { LinkCommand, LinkReport } from './link-words.ts';
import type { Address, Conn, Listener, Millis, NetInput, NetOutput, Why } from './machine.ts';
import type { Way } from './receipt.ts';
import { join, resetSocket, type SplicedEnd } from './splice.ts';

type Entry = {
  /** Bulk moves a spliced connection to another one. */
  socket: Socket;
  /** The way of the bytes that come out of it. */
  readonly way: Way;
  connected: boolean;
  spliced: boolean;
  why: Why;
};
/** Bytes taken from and handed to sockets; spliced connections are not counted. */
export type Traffic = { readonly received: Record<Way, number>; readonly sent: Record<Way, number> };

type Input = Parameters<LinkMachine['handle']>[1];

const WHY: Readonly<Record<string, Why>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EADDRNOTAVAIL: 'exhausted',
  EMFILE: 'exhausted',
};
const LOOPBACK = '127.0.0.1';
/** What is due so soon is done now. */
const NEAR_MILLIS = 0.5;
/** The listener that the driver opens by itself. */
const HAND = 0;

/**
 * Runs a LinkMachine over node:net: FIN and RST told apart in both directions, back-pressure by pause and flush, splice
 * by streams and large reads. Timers are of Node's whole milliseconds; receipts say how late pieces really were.
 */
export class NodeLink {
  readonly #machine: LinkMachine;
  readonly #onReport: (report: LinkReport) => void;
  readonly #conns = new Map<Conn, Entry>();
  readonly #servers = new Map<Listener, Server>();
  readonly #name: () => Conn;
  readonly traffic: Traffic = { received: { up: 0, down: 0 }, sent: { up: 0, down: 0 } };
  readonly #inbox: Input[] = [];
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  #armedAt: Millis = Number.POSITIVE_INFINITY;

  /** @param build is handed the well of connection names @param onReport must not call back into this object */
  constructor(build: (name: () => Conn) => LinkMachine, onReport: (report: LinkReport) => void) {
    let names = 0;
    this.#name = () => ++names;
    this.#machine = build(this.#name);
    this.#onReport = onReport;
  }

  start(): void {
    this.#feed({ type: 'start' });
  }

  /** @throws ChaosError as LinkMachine.handle does */
  command(command: LinkCommand): void {
    this.#feed({ type: 'command', command });
  }

  /** Listens, for a machine that did not ask for it. Answered by a report. */
  listen({ host, port }: Address): void {
    this.#listen(HAND, host, port);
  }

  /** Stops listening and closes what lives as the operating system closes sockets of a program that ends: FIN, in general. */
  async halt(): Promise<void> {
    const closing = this.#unlisten();
    const living = [...this.#conns];
    this.#conns.clear();
    for (const [conn, { socket }] of living) {
      socket.destroy();
      this.#feed({
        type: 'closed',
        conn,
        why: 'reset',
        received: socket.bytesRead,
        sent: socket.bytesWritten,
      });
    }
    await closing;
  }

  /** Resets what lives and stops listening. Resolves when every socket is closed. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const closing = this.#unlisten();
    for (const { socket, connected } of this.#conns.values())
      if (connected) resetSocket(socket);
      else socket.destroy();
    this.#conns.clear();
    await closing;
  }

  async #unlisten(): Promise<void> {
    const closing = [...this.#servers.values()].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    this.#servers.clear();
    await Promise.all(closing);
  }

  /** @param now of the first input that waits */
  #feed(input: Input, now = performance.now()): void {
    this.#inbox.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      let at = now;
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        for (const output of this.#machine.handle(at, next)) this.#do(output);
        at = performance.now();
      }
    } finally {
      this.#busy = false;
    }
    this.#arm();
  }

  #arm(): void {
    const due = this.#machine.due() ?? Number.POSITIVE_INFINITY;
    if (due === this.#armedAt) return;
    clearTimeout(this.#timer);
    this.#armedAt = due;
    if (due === Number.POSITIVE_INFINITY) return;
    // setTimeout takes at most 2^31-1 ms; a machine may be woken early.
    const wait = Math.min(2 ** 31 - 1, Math.max(0, Math.round(due - performance.now())));
    this.#timer = setTimeout(() => {
      this.#armedAt = Number.POSITIVE_INFINITY;
      const now = performance.now();
      // timers know whole milliseconds: the nearer one is taken, so that delays are right in the mean and not all late
      if (due - now <= NEAR_MILLIS) this.#feed({ type: 'deadline' }, Math.max(now, due));
      else this.#arm();
    }, wait);
  }

  #do(output: NetOutput<LinkReport>): void {
    switch (output.type) {
      case 'report':
        this.#onReport(output.event);
        return;
      case 'listen':
        this.#listen(output.listener, output.host ?? LOOPBACK, output.port);
        return;
      case 'unlisten':
        this.#servers.get(output.listener)?.close();
        this.#servers.delete(output.listener);
        return;
      case 'connect':
        this.#connect(output);
        return;
      case 'splice':
        this.#splice(output.a, output.b);
        return;
    }
    const entry = this.#conns.get(output.conn);
    if (entry === undefined) return;
    const { socket } = entry;
    if (output.type === 'send') {
      this.traffic.sent[entry.way === 'up' ? 'down' : 'up'] += output.bytes.length;
      socket.write(output.bytes);
    } else if (output.type === 'end') socket.end();
    else if (output.type === 'pause') socket.pause();
    else if (output.type === 'resume') socket.resume();
    else if (output.type === 'flush') this.#flush(output.conn, socket);
    else {
      this.#conns.delete(output.conn);
      // resetAndDestroy waits for a dial to succeed before it gives it up.
      if (entry.connected) resetSocket(socket);
      else socket.destroy();
    }
  }

  #flush(conn: Conn, socket: Socket): void {
    if (socket.writableLength === 0) this.#inbox.push({ type: 'flushed', conn });
    else
      socket.write('', () => {
        if (this.#conns.get(conn)?.spliced === false) this.#feed({ type: 'flushed', conn });
      });
  }

  #listen(listener: Listener, host: string, port: number): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const conn = this.#name();
      this.#adopt(conn, socket, 'up');
      const from = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
      this.#feed({ type: 'accepted', conn, listener, from });
    });
    this.#servers.set(listener, server);
    server.on('error', (error: NodeJS.ErrnoException) => {
      this.#servers.delete(listener);
      const why = error.code === 'EADDRINUSE' ? 'in use' : error.code === 'EACCES' ? 'denied' : 'exhausted';
      this.#feed({ type: 'unlistened', listener, why });
    });
    server.listen({ host, port, backlog: 4096 }, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return;
      this.#feed({ type: 'listening', listener, port: address.port });
    });
  }

  #connect({ conn, to, from }: NetOutput<never> & { type: 'connect' }): void {
    const socket = connect({
      host: to.host,
      port: to.port,
      allowHalfOpen: true,
      noDelay: true,
      ...(from === undefined ? {} : { localAddress: from.host }),
      ...(from === undefined || from.port === 0 ? {} : { localPort: from.port }),
    });
    const entry = this.#adopt(conn, socket, 'down');
    socket.once('connect', () => {
      entry.connected = true;
      if (this.#conns.has(conn)) this.#feed({ type: 'connected', conn });
    });
  }

  #adopt(conn: Conn, socket: Socket, way: Way): Entry {
    const entry: Entry = { socket, way, connected: way === 'up', spliced: false, why: 'end' };
    this.#conns.set(conn, entry);
    const tell = (input: NetInput): void => {
      if (!entry.spliced && this.#conns.has(conn)) this.#feed(input);
    };
    socket.on('data', (bytes: Buffer) => {
      this.traffic.received[way] += bytes.length;
      tell({ type: 'bytes', conn, bytes });
    });
    socket.on('end', () => tell({ type: 'ended', conn }));
    this.#own(conn, entry);
    return entry;
  }

  #own(conn: Conn, entry: Entry): void {
    const { socket } = entry;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      entry.why = WHY[error.code ?? ''] ?? 'reset';
    });
    socket.on('close', () => {
      if (entry.socket !== socket || !this.#conns.delete(conn)) return;
      const { why } = entry;
      this.#feed({ type: 'closed', conn, why, received: socket.bytesRead, sent: socket.bytesWritten });
    });
  }

  #splice(a: Conn, b: Conn): void {
    const one = this.#conns.get(a);
    const other = this.#conns.get(b);
    if (one === undefined || other === undefined) {
      one?.socket.resetAndDestroy();
      other?.socket.resetAndDestroy();
      return;
    }
    for (const entry of [one, other]) {
      entry.spliced = true;
      for (const event of ['data', 'end']) entry.socket.removeAllListeners(event);
    }
    join(this.#spliced(a, one), this.#spliced(b, other));
  }

  #spliced(conn: Conn, entry: Entry): SplicedEnd {
    return {
      socket: entry.socket,
      moved: (socket) => {
        entry.socket = socket;
        this.#own(conn, entry);
      },
    };
  }
}
