// yamux-js over a socket.
import yamux from 'yamux-js';
import { BLOCK, run } from './end.mjs';

const serve = (socket) => {
  const session = new yamux.Server((stream) => {
    stream.on('data', () => {});
    stream.on('end', () => stream.end());
  });
  socket.pipe(session).pipe(socket);
};

await run(serve, (socket) => {
  const session = new yamux.Client();
  socket.pipe(session).pipe(socket);
  return async (bytes) => {
    const stream = session.open();
    const ended = new Promise((resolve) => stream.on('end', resolve));
    stream.resume();
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      const more = stream.write(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK);
      if (!more) await new Promise((resolve) => stream.once('drain', resolve));
    }
    stream.end();
    await ended;
  };
});
