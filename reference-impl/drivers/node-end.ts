/** One TCP connection of the node driver: what its socket says becomes inputs. Listeners are shared functions, no closure a socket. */
import type { Socket } from 'node:net';
import type { Conn, NetInput, Why } from '../machine/machine.ts';
import { LINGER_BYTES } from './linger.ts';
import { queuedBytes, resetSocket } from './node-handle.ts';
import { whyOf } from './node-why.ts';
import type { WireWatch } from './watch.ts';

/** What a connection needs of its driver. */
export type EndHost = {
  readonly watch: WireWatch | undefined;
  input(input: NetInput): void;
  /** The socket is closed; says `closed` unless the machine wants to hear nothing more. */
  gone(end: TcpEnd): void;
};

/** Who else hears of a connection's bytes and end: a splice or a yamux session. */
export type Taker = {
  bytes(end: TcpEnd, bytes: Uint8Array): void;
  ended(end: TcpEnd): void;
  /** The socket failed (RST, a keepalive that got no answer, ...); it closes next. */
  failed(end: TcpEnd, why: Why): void;
};

const END = Symbol('end');
/** A socket that belongs to a `TcpEnd`. */
export type OwnedSocket = Socket & { [END]: TcpEnd };
/** The end a socket belongs to. */
export const endOf = (socket: Socket): TcpEnd => (socket as OwnedSocket)[END];

export class TcpEnd {
  readonly conn: Conn;
  readonly host: EndHost;
  /** Promotion to `onread` changes it. */
  socket: Socket;
  why: Why = 'end';
  /** Their FIN was read. */
  peerEnded = false;
  connected: boolean;
  /** Nothing more is told to the machine. */
  silent = false;
  /** After `close`: what comes is dropped; bytes so far. */
  lingering: number | undefined;
  taker: Taker | undefined;
  /** The other side of a splice of two sockets. */
  peer: TcpEnd | undefined;
  /** Bytes a splice or session has read from here; NaN: it looks no more. */
  carried = 0;
  /** Somebody still holds a view of what the last read brought. */
  kept = false;
  /** It reads into memory that is used again. */
  reuses = false;
  #held = false;

  constructor(conn: Conn, host: EndHost, socket: Socket, connected: boolean) {
    this.conn = conn;
    this.host = host;
    this.socket = socket;
    this.connected = connected;
    own(this, socket);
    socket.on('data', onData).on('end', onEnd);
    if (!connected) socket.once('connect', onConnect);
  }

  send(bytes: Uint8Array): void {
    const { socket } = this;
    if (socket.writableEnded || socket.destroyed || bytes.length === 0) return;
    this.host.watch?.bytes(this.conn, 'out', bytes);
    socket.write(bytes);
  }

  end(): void {
    if (this.socket.writableEnded) return;
    this.host.watch?.ended(this.conn, 'out');
    this.socket.end();
  }

  /** @param why what `closed` says, if the machine still hears of it */
  reset(why: Why): void {
    if (this.why === 'end') this.why = why;
    resetSocket(this.socket);
  }

  /** Reads no more until `release`. */
  hold(): void {
    this.#held = true;
    this.socket.pause();
  }

  release(): void {
    this.#held = false;
    this.socket.resume();
  }

  /** Between `hold` and `release`; its socket may rest for the driver's own reasons too. */
  get held(): boolean {
    return this.#held;
  }

  /** Drops what comes from here on. */
  drop(): void {
    this.lingering = 0;
    this.taker = undefined;
    this.end();
    this.socket.resume();
  }

  get received(): number {
    return this.socket.bytesRead;
  }

  get sent(): number {
    return this.socket.bytesWritten ?? 0;
  }
}

/**
 * Its socket has said `error` and will say `close` some turns later: a taker of now is told of neither. (A socket that is
 * destroyed but has not said `error` yet still tells it.)
 */
export const hasFailed = (end: TcpEnd): boolean => end.why !== 'end';

/** Grows with every byte that came from the socket or left to it, and with its FIN. (A byte that waits counts 3 - 1 - 1.) */
export const movedBy = ({ socket, peerEnded }: TcpEnd): number =>
  3 * socket.bytesRead - socket.writableLength - queuedBytes(socket) + (peerEnded ? 1 : 0);

/** A FIN that is on its way in or out would get lost with the old socket. */
export const settled = (end: TcpEnd): boolean =>
  !end.peerEnded &&
  !end.socket.destroyed &&
  !end.socket.writableEnded &&
  end.connected &&
  !end.socket.readableEnded;

/** Makes a socket an end's own, also the one it is promoted to; its bytes and FIN are the caller's to listen to. */
export const own = (end: TcpEnd, socket: Socket): void => {
  (socket as OwnedSocket)[END] = end;
  socket.on('error', onError).on('close', onClose);
};

/** Takes the listeners for bytes and FIN off, for a splice that brings its own. */
export const disown = (socket: Socket): void => {
  socket.off('data', onData).off('end', onEnd);
};

function onConnect(this: Socket): void {
  const end = endOf(this);
  end.connected = true;
  end.host.watch?.connected(end.conn);
  if (!end.silent && end.taker === undefined) end.host.input({ type: 'connected', conn: end.conn });
}

function onData(this: Socket, bytes: Uint8Array): void {
  hear(endOf(this), bytes);
}

/** Bytes came from the peer. */
export const hear = (end: TcpEnd, bytes: Uint8Array): void => {
  if (end.lingering !== undefined) {
    end.lingering += bytes.length;
    if (end.lingering > LINGER_BYTES) end.socket.destroy();
    return;
  }
  if (end.taker !== undefined) end.taker.bytes(end, bytes);
  else if (!end.silent) {
    end.host.watch?.bytes(end.conn, 'in', bytes);
    end.kept = true;
    end.host.input({ type: 'bytes', conn: end.conn, bytes });
  }
};

function onEnd(this: Socket): void {
  hearEnd(endOf(this));
}

/** The peer's FIN came. */
export const hearEnd = (end: TcpEnd): void => {
  end.peerEnded = true;
  if (end.lingering !== undefined) return;
  if (end.taker !== undefined) end.taker.ended(end);
  else if (!end.silent) {
    end.host.watch?.ended(end.conn, 'in');
    end.host.input({ type: 'ended', conn: end.conn });
  }
};

function onError(this: Socket, error: Error): void {
  const end = endOf(this);
  if (end.socket !== this) return;
  if (end.why === 'end') end.why = whyOf(error);
  end.taker?.failed(end, end.why);
}

function onClose(this: Socket): void {
  const end = endOf(this);
  // the empty shell of a promoted socket closes too
  if (end.socket === this) end.host.gone(end);
}
