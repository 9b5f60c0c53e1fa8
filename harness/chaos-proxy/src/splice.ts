import { Socket, type SocketConstructorOpts } from 'node:net';

/** One side of a splice. Its socket changes once when it carries much; `moved` then takes up the new one. */
export type SplicedEnd = { socket: Socket; moved(socket: Socket): void };

/** Bytes one way after which a connection counts as a bulk transfer. */
const BULK_BYTES = 128 * 1024;
/** Turns to wait for a moment in which neither socket has something left to write. */
const TRIES_MAX = 1_000;
/** Read buffers by how many may be out: bulk connections of one process share about 100 MiB. */
const LARGE = { bytes: 1024 * 1024, most: 32, out: 0, free: [] as Buffer[] };
const SMALL = { bytes: 256 * 1024, most: 256, out: 0, free: [] as Buffer[] };
type Size = typeof LARGE;

/**
 * Joins two sockets: bytes with back-pressure, FIN as FIN, anything else as RST. Both must allow half-open and be without
 * listeners for `data` and `end`. It begins with plain streams, cheap to set up; once 128 KiB went one way both read into
 * reused buffers of up to 1 MiB, which doubles the speed: a link without a fault is to cost as little as it can.
 */
export const join = (a: SplicedEnd, b: SplicedEnd): void => {
  const count = { left: BULK_BYTES };
  carry(a, b, count);
  carry(b, a, count);
};

const carry = (source: SplicedEnd, sink: SplicedEnd, count: { left: number }): void => {
  const { socket } = source;
  socket.on('data', (chunk: Buffer) => {
    if (!sink.socket.write(chunk)) socket.pause();
    if (count.left <= 0) return;
    count.left -= chunk.length;
    if (count.left > 0) return;
    // libuv would go on with up to 32 small reads before the promotion, and their memory is what costs
    socket.pause();
    // not inside the read that brought these bytes
    setImmediate(promote, source, sink, 0);
  });
  listen(source, sink);
  if (socket.readableEnded) sink.socket.end();
  // A socket says `error` some turns before it closes: one that failed in between will not say it again.
  if (socket.errored !== null) resetSocket(sink.socket);
};

const listen = ({ socket }: SplicedEnd, other: SplicedEnd): void => {
  socket.on('drain', () => other.socket.resume());
  socket.on('end', () => other.socket.end());
  socket.on('error', () => resetSocket(other.socket));
};

/** A FIN or a failure that is on its way would get lost with the old socket. */
const settled = ({ socket }: SplicedEnd): boolean =>
  !socket.destroyed && !socket.readableEnded && !socket.writableEnded && socket.errored === null;

const promote = (a: SplicedEnd, b: SplicedEnd, tries: number): void => {
  const able = settled(a) && settled(b);
  const written = a.socket.writableLength === 0 && b.socket.writableLength === 0;
  if (able && !written && tries < TRIES_MAX) {
    setImmediate(promote, a, b, tries + 1);
    return;
  }
  const size = able && written ? [LARGE, SMALL].find(({ out, most }) => out + 2 <= most) : undefined;
  if (size === undefined) {
    // else its `drain` does it
    if (!b.socket.writableNeedDrain) a.socket.resume();
    return;
  }
  const early = [takeEarly(a.socket), takeEarly(b.socket)] as const;
  readLarge(a, b, size);
  readLarge(b, a, size);
  if (early[0] !== null) b.socket.write(early[0]);
  if (early[1] !== null) a.socket.write(early[1]);
  a.socket.resume();
  b.socket.resume();
};

/**
 * What the stream has read and nobody heard. `read` tells listeners too, so they go first; it gives all at once in Node 20, and
 * one piece after the other in Node 26.
 */
const takeEarly = (socket: Socket): Buffer | null => {
  socket.removeAllListeners();
  const pieces: Buffer[] = [];
  while (socket.readableLength > 0) {
    const piece: Buffer | null = socket.read();
    if (piece === null) break;
    pieces.push(piece);
  }
  return pieces.length > 1 ? Buffer.concat(pieces) : (pieces[0] ?? null);
};

/** Reads into a buffer of ours. An accepted socket has no public way there: its handle moves into a new one. */
const readLarge = (end: SplicedEnd, sink: SplicedEnd, size: Size): void => {
  size.out++;
  const buffer = size.free.pop() ?? Buffer.allocUnsafeSlow(size.bytes);
  const callback = (count: number): boolean => {
    const { socket } = sink;
    if (socket.writableEnded) return true;
    socket.write(count === buffer.length ? buffer : buffer.subarray(0, count));
    // the buffer is free again when the kernel has it all; else `drain` goes on
    return socket.writableLength === 0;
  };
  const old = end.socket;
  const innards = old as unknown as { _handle: unknown };
  const handle = innards._handle;
  innards._handle = null;
  // the empty shell still counts as a connection of its server
  old.destroy();
  const options = {
    handle,
    onread: { buffer, callback },
    allowHalfOpen: true,
    pauseOnCreate: true,
    writableHighWaterMark: 1,
  };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  end.socket = socket;
  listen(end, sink);
  end.moved(socket);
  socket.once('close', () => {
    size.out--;
    if (sink.socket.writableLength === 0) size.free.push(buffer);
  });
};

/**
 * RST now. libuv refuses it (and leaves the socket open) while a shutdown is under way, which without bytes before it is
 * a matter of one turn; behind bytes that the peer does not take, a plain close has to do.
 */
export const resetSocket = (socket: Socket): void => {
  if (!socket.writableEnded || socket.writableFinished) socket.resetAndDestroy();
  else if (socket.writableLength > 0) socket.destroy();
  else socket.once('finish', () => socket.resetAndDestroy());
};
