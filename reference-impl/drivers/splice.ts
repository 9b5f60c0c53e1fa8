/**
 * The data plane between two sockets. It starts with plain streams (cheap to set up, small when idle); once 128 KiB went one
 * way both sockets move to `onread` with reused buffers of up to 1 MiB: larger reads and no allocation, twice the speed.
 * Half-close, RST and back-pressure are exact in both settings. Inherent: a side that is held back because the other reads
 * slowly sees neither FIN nor RST of its peer until it reads again, and after its FIN a later RST is noticed by a write only.
 */
import type { Socket } from 'node:net';
import { disown, endOf, hasFailed, movedBy, own, settled, type Taker, type TcpEnd } from './node-end.ts';
import { adopt, takeUnheard } from './node-handle.ts';
import type { Tunnel } from './splice-idle.ts';

/** Bytes in one direction after which a tunnel counts as a bulk transfer. */
export const PROMOTE_BYTES = 128 * 1024;
/** Turns to wait for a moment in which neither socket has something left to write. */
const TRIES_MAX = 1_000;

/** Sizes of read buffers by how many are out already: bulk tunnels of one process share about 100 MiB. */
const LARGE = { bytes: 1024 * 1024, most: 32 } as const;
const SMALL = { bytes: 256 * 1024, most: 256 } as const;

/** Lends read buffers; when all are out, further tunnels stay with plain streams. */
class ReadBuffers {
  readonly #free = new Map<number, Buffer[]>();
  readonly #out = new Map<number, number>();

  /** How many are lent. */
  get out(): number {
    let out = 0;
    for (const count of this.#out.values()) out += count;
    return out;
  }

  /** @returns undefined: all are out */
  pair(): readonly [Buffer, Buffer] | undefined {
    for (const { bytes, most } of [LARGE, SMALL]) {
      if ((this.#out.get(bytes) ?? 0) + 2 <= most) return [this.#take(bytes), this.#take(bytes)];
    }
    return undefined;
  }

  /** @param clean nobody refers to its bytes any more */
  giveBack(buffer: Buffer, clean: boolean): void {
    this.#out.set(buffer.length, (this.#out.get(buffer.length) ?? 1) - 1);
    if (clean) this.#free.getOrInsertComputed(buffer.length, () => []).push(buffer);
  }

  #take(bytes: number): Buffer {
    this.#out.set(bytes, (this.#out.get(bytes) ?? 0) + 1);
    return this.#free.get(bytes)?.pop() ?? Buffer.allocUnsafeSlow(bytes);
  }
}

const buffers = new ReadBuffers();

/** Read buffers in use, two a promoted tunnel. */
export const readBuffersOut = (): number => buffers.out;

/** Bytes and FIN go through listeners of this file; only the failure comes by the end. */
const spliced: Taker = {
  bytes: () => {},
  ended: () => {},
  failed: (end) => end.peer?.reset('reset'),
};

/**
 * Joins two sockets. Both are reset when either fails; each closes by itself when both its halves have ended.
 * @param fast promote bulk transfers (see `probeOnread`)
 */
export const spliceSockets = (a: TcpEnd, b: TcpEnd, fast: boolean): void => {
  for (const [end, peer] of [
    [a, b],
    [b, a],
  ] as const) {
    end.peer = peer;
    end.taker = spliced;
    end.carried = fast ? 0 : Number.NaN;
    disown(end.socket);
    end.socket.on('data', onData).on('drain', onDrain).on('end', onEnd);
  }
  if (hasFailed(a) || hasFailed(b)) {
    a.reset('reset');
    b.reset('reset');
    return;
  }
  for (const end of [a, b]) {
    if (end.peerEnded) end.peer?.socket.end();
    // back-pressure of before the splice is the splice's now
    else if (end.peer?.socket.writableNeedDrain) end.socket.pause();
    else end.socket.resume();
  }
};

/** The two as what an idle time looks at. */
export const tunnelOf = (a: TcpEnd, b: TcpEnd): Tunnel => ({
  alive: () => !a.socket.destroyed || !b.socket.destroyed,
  moved: () => movedBy(a) + movedBy(b),
  timeOut: () => {
    a.reset('timeout');
    b.reset('timeout');
  },
});

function onData(this: Socket, bytes: Buffer): void {
  const end = endOf(this);
  const peer = end.peer as TcpEnd;
  // the machine ended that half before the splice: there is nobody to tell these bytes to
  if (peer.socket.writableEnded) return;
  if (!peer.socket.write(bytes)) this.pause();
  end.carried += bytes.length;
  if (end.carried > PROMOTE_BYTES) {
    end.carried = Number.NaN;
    peer.carried = Number.NaN;
    // libuv would go on with up to 32 small reads before the promotion, and their memory is what costs
    this.pause();
    // not inside the read that brought these bytes
    setImmediate(promote, end, peer, 0);
  }
}

function onDrain(this: Socket): void {
  endOf(this).peer?.socket.resume();
}

function onEnd(this: Socket): void {
  const end = endOf(this);
  end.peerEnded = true;
  end.peer?.socket.end();
}

const promote = (a: TcpEnd, b: TcpEnd, tries: number): void => {
  const able = settled(a) && settled(b);
  const written = a.socket.writableLength === 0 && b.socket.writableLength === 0;
  if (able && !written && tries < TRIES_MAX) {
    setImmediate(promote, a, b, tries + 1);
    return;
  }
  const pair = able && written ? buffers.pair() : undefined;
  if (pair === undefined) {
    // else its `drain` does it
    if (!b.socket.writableNeedDrain) a.socket.resume();
    return;
  }
  const early = [takeEarly(a.socket), takeEarly(b.socket)] as const;
  readInto(a, pair[0]);
  readInto(b, pair[1]);
  if (early[0] !== null) b.socket.write(early[0]);
  if (early[1] !== null) a.socket.write(early[1]);
  a.socket.resume();
  b.socket.resume();
};

const takeEarly = (socket: Socket): Buffer | null => {
  socket.off('data', onData);
  return takeUnheard(socket);
};

/** Moves an end to a socket that reads into `buffer` and writes what it read to the peer before it reads again. */
const readInto = (end: TcpEnd, buffer: Buffer): void => {
  const peer = end.peer as TcpEnd;
  const old = end.socket;
  const callback = (count: number): boolean => {
    const sink = peer.socket;
    if (sink.writableEnded) return true;
    sink.write(count === buffer.length ? buffer : buffer.subarray(0, count));
    // nothing left to write: the kernel has it all and the buffer is free; else `drain` goes on
    return sink.writableLength === 0;
  };
  old.removeAllListeners();
  const socket = adopt(old, { buffer, callback });
  end.socket = socket;
  own(end, socket);
  socket.on('drain', onDrain).on('end', onEnd);
  socket.once('close', () => buffers.giveBack(buffer, peer.socket.writableLength === 0));
};
