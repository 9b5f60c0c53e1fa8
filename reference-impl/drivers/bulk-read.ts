/**
 * Large reads where at least one side is a yamux stream: a socket that carries bulk moves to `onread` with memory that is used
 * again. A 1 MiB read costs a third of sixteen reads of 64 KiB, most of it wake-ups and fresh pages. What was read may be needed
 * longer than the read (a stream without window, a slow socket): a spliced socket then rests until it is not; a carrier, which
 * must not rest for one of its streams, goes on behind it and then in fresh memory (fresh memory for every read, tried first,
 * was a quarter of the CPU time in garbage collection).
 */
import { endOf, hear, hearEnd, own, settled, type TcpEnd } from './node-end.ts';
import { adopt, takeUnheard } from './node-handle.ts';

/** Bytes from one socket (or to a carrier) after which it counts as a bulk transfer. Above, every 64 KiB more costs fresh memory. */
export const BULK_BYTES = 64 * 1024;
/** Memory for one socket's reads: large for the first few, since many of that size would not fit a processor's cache. */
const LARGE = { bytes: 1024 * 1024, most: 8 } as const;
const SMALL = { bytes: 256 * 1024, most: 128 } as const;
/** A read into less is not worth its call. */
const REST_MIN_BYTES = 64 * 1024;
/** Turns to wait for a moment in which the socket has nothing left to write. */
const TRIES_MAX = 1_000;

const free: Record<number, Buffer[]> = { [LARGE.bytes]: [], [SMALL.bytes]: [] };
const out: Record<number, number> = { [LARGE.bytes]: 0, [SMALL.bytes]: 0 };

/** Sockets that read into slabs now. */
export const slabsOut = (): number => (out[LARGE.bytes] ?? 0) + (out[SMALL.bytes] ?? 0);

/** @returns undefined: all are out, and the socket stays with plain streams */
const takeSlab = (): Buffer | undefined => {
  for (const { bytes, most } of [LARGE, SMALL]) {
    const taken = out[bytes] ?? 0;
    if (taken === most) continue;
    out[bytes] = taken + 1;
    return free[bytes]?.pop() ?? Buffer.allocUnsafeSlow(bytes);
  }
  return undefined;
};

/** @param clean nobody needs its bytes any more */
const giveBack = (slab: Buffer, clean: boolean): void => {
  out[slab.length] = (out[slab.length] ?? 1) - 1;
  if (clean) free[slab.length]?.push(slab);
};

/** Counts what came from an end and has it moved to large reads once that is much. */
export const countBulk = (end: TcpEnd, bytes: number): void => {
  end.carried += bytes;
  if (!(end.carried > BULK_BYTES)) return;
  end.carried = Number.NaN;
  // libuv would go on with up to 32 small reads before the promotion, and their memory is what costs; but a carrier whose
  // peer waits for us to read would never get its writes done
  if (end.socket.writableLength === 0) end.socket.pause();
  // not inside the read that brought these bytes
  setImmediate(promote, end, end.taker, 0);
};

const promote = (end: TcpEnd, taker: TcpEnd['taker'], tries: number): void => {
  if (taker === undefined || end.taker !== taker || !settled(end)) {
    goOn(end);
    return;
  }
  // what waits for a write to end waits with the old socket
  if (end.socket.writableLength > 0) {
    if (tries < TRIES_MAX) setImmediate(promote, end, taker, tries + 1);
    else goOn(end);
    return;
  }
  const slab = takeSlab();
  if (slab === undefined) goOn(end);
  else move(end, slab);
};

/** The rest before the promotion is over. */
const goOn = (end: TcpEnd): void => {
  if (!end.held) end.socket.resume();
};

const move = (end: TcpEnd, first: Buffer): void => {
  const old = end.socket;
  const drained = old.listeners('drain') as (() => void)[];
  old.removeAllListeners();
  const early = takeUnheard(old);
  let slab = first;
  let at = 0;
  let dirty = false;
  const callback = (count: number, read: Uint8Array): boolean => {
    end.kept = false;
    hear(end, read.subarray(0, count));
    // which read's views are still needed is not known, so one of them gives up the whole slab
    dirty ||= end.kept;
    if (dirty) at += count;
    if (slab.length - at < REST_MIN_BYTES) {
      slab = Buffer.allocUnsafeSlow(first.length);
      at = 0;
      dirty = false;
    }
    return true;
  };
  const socket = adopt(old, { buffer: () => (at === 0 ? slab : slab.subarray(at)), callback });
  end.reuses = true;
  end.socket = socket;
  own(end, socket);
  // a socket that rests does so because its last read is still needed
  socket.on('end', onEnd).once('close', () => giveBack(slab, !dirty && !socket.isPaused()));
  for (const listener of drained) socket.on('drain', listener);
  if (early !== null) hear(end, early);
  // last: a pause that follows a resume in one turn is undone by Node (the resume's read comes a tick later)
  goOn(end);
};

function onEnd(this: TcpEnd['socket']): void {
  hearEnd(endOf(this));
}
