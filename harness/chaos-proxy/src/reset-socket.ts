import type { Socket } from 'node:net';

/**
 * RST now. libuv refuses it (and leaves the socket open) while a shutdown is under way, which without bytes before it is
 * a matter of one turn; behind bytes that the peer does not take, a plain close has to do.
 */
export const resetSocket = (socket: Socket): void => {
  if (!socket.writableEnded || socket.writableFinished) socket.resetAndDestroy();
  else if (socket.writableLength > 0) socket.destroy();
  else socket.once('finish', () => socket.resetAndDestroy());
};
