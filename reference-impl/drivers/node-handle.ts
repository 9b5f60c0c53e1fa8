/**
 * The only file that touches what Node keeps private, and why:
 * - `onread` (reads into a buffer of ours) exists only in the constructor of `net.Socket`, so an accepted socket's handle has to
 *   move into a new one;
 * - how much of a write the kernel has taken already is known to libuv only: an idle time must see a slow reader read;
 * - a dial that is given up must leave RST, and the public `resetAndDestroy` waits for it to be answered first.
 * Each has a way to go on without. `probeOnread` tries the first one out; the driver asks it before it relies on it.
 */
import { connect, createServer, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

type Innards = {
  _handle: { readonly fd?: number; readonly writeQueueSize?: number } | null;
  _reset?: () => void;
};
type ConstructorOptions = Omit<SocketConstructorOpts, 'handle'> & {
  handle: unknown;
  pauseOnCreate: boolean;
  writableHighWaterMark: number;
  onread: OnReadOpts;
};

/**
 * Everything a paused socket has read and nobody heard, in one piece. Its `data` listeners must be gone: they would hear it, too.
 * (`read()` gives all of it in Node 20; in Node 26 the first of several pieces, and what was left behind was lost.)
 */
export const takeUnheard = (socket: Pick<Socket, 'read' | 'readableLength'>): Buffer | null => {
  const pieces: Buffer[] = [];
  while (socket.readableLength > 0) {
    const piece: Buffer | null = socket.read();
    if (piece === null) break;
    pieces.push(piece);
  }
  return pieces.length > 1 ? Buffer.concat(pieces) : (pieces[0] ?? null);
};

/**
 * A new socket on the same connection that reads into `onread.buffer`; paused. The old one is destroyed and must be forgotten.
 * Only for an established socket with nothing left to write; take what `takeUnheard` gives along before.
 * Its `drain` follows every write that left a rest (high-water mark 1), so a buffer is known to be free again.
 */
export const adopt = (old: Socket, onread: OnReadOpts): Socket => {
  const innards = old as unknown as Innards;
  const handle = innards._handle;
  innards._handle = null;
  // the empty shell still counts as a connection of its server
  old.destroy();
  const options: ConstructorOptions = {
    handle,
    onread,
    allowHalfOpen: true,
    pauseOnCreate: true,
    writableHighWaterMark: 1,
  };
  return new Socket(options as unknown as SocketConstructorOpts);
};

/** RST now, whatever state the socket is in; unsent bytes are dropped and nothing is leaked. */
export const resetSocket = (socket: Socket): void => {
  if (socket.destroyed) return;
  if (socket.connecting) {
    const innards = socket as unknown as Innards;
    const attempted = (innards._handle?.fd ?? -1) >= 0;
    // without a descriptor there is nothing on the wire (and Node would leak the handle)
    if (attempted && innards._reset !== undefined) innards._reset();
    else socket.destroy();
    return;
  }
  // libuv refuses to reset while a shutdown is under way, and Node leaks the descriptor then: a turn later it works
  const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (shuttingDown) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
};

/** Bytes given to the handle that the kernel has not taken; falls while one long write is under way. 0 if it cannot be known. */
export const queuedBytes = (socket: Socket): number =>
  (socket as unknown as Innards)._handle?.writeQueueSize ?? 0;

let probed: Promise<string | undefined> | undefined;

/** Tries `adopt` on a loopback pair, once per process. @returns undefined: it works; else what went wrong */
export const probeOnread = (): Promise<string | undefined> => {
  probed ??= probe().catch((error: unknown) => String(error));
  return probed;
};

const PROBE_MILLIS = 2_000;

const probe = async (): Promise<string | undefined> => {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const timer = setTimeout(() => resolve('the probe got no answer'), PROBE_MILLIS);
  const failed = (error: Error) => resolve(error.message);
  server.on('error', failed).listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number };
    const dialled = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).on('error', failed);
    sockets.push(dialled);
    dialled.on('data', (bytes) => resolve(bytes.toString('latin1') === 'probe' ? undefined : 'wrong echo'));
    dialled.write('probe');
  });
  server.once('connection', (old) => {
    try {
      const buffer = Buffer.allocUnsafeSlow(64);
      const callback = (count: number): boolean => adopted.write(buffer.subarray(0, count));
      // reading has begun with the accept; a pause before the first event leaves everything where `read` finds it
      old.pause();
      const early = takeUnheard(old);
      const adopted = adopt(old, { buffer, callback }).on('error', failed);
      sockets.push(adopted);
      if (early !== null) adopted.write(early);
      adopted.resume();
    } catch (error) {
      resolve(String(error));
    }
  });
  const result = await promise;
  clearTimeout(timer);
  server.close();
  for (const socket of sockets) socket.destroy();
  return result;
};
