import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { YamuxMux } from '../../yamux/duplex.ts';

/** Nothing of it was lost: both directions came to their end. */
const inOrder = (end: Duplex): boolean => end.readableEnded && end.writableFinished;

/**
 * Carries bytes between a socket and a stream of a tunnel until both directions have ended. An end of one direction is passed on, and
 * so is a reset. @param socket opened with `allowHalfOpen` @param done once, when neither is left
 */
export const joinEnds = (socket: Socket, stream: Duplex, done: () => void): void => {
  let left = 2;
  const gone = () => {
    left--;
    if (left === 0) done();
  };
  socket.on('error', () => {});
  stream.on('error', () => {});
  socket.on('close', () => {
    if (!inOrder(socket)) stream.destroy();
    gone();
  });
  stream.on('close', () => {
    if (!inOrder(stream)) socket.resetAndDestroy();
    gone();
  });
  socket.setNoDelay(true);
  socket.pipe(stream);
  stream.pipe(socket);
};

/** Resolves when a session is over, however that came about. */
export const closeOf = (mux: YamuxMux): Promise<void> => new Promise((resolve) => mux.once('close', resolve));
