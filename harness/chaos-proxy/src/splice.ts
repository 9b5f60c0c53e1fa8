import type { Socket } from 'node:net';

/** Carries what comes out of `source` into `sink`: bytes with back-pressure, FIN as FIN, anything else as RST. Both must
 *  allow half-open and be without listeners for `data` and `end`. */
export const carry = (source: Socket, sink: Socket): void => {
  source.on('data', (chunk: Buffer) => {
    if (!sink.write(chunk)) source.pause();
  });
  sink.on('drain', () => source.resume());
  source.on('end', () => sink.end());
  source.on('error', () => resetSocket(sink));
  if (source.readableEnded) sink.end();
  // A socket says `error` some turns before it closes: one that failed in between will not say it again.
  if (source.errored !== null) resetSocket(sink);
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
