// @libp2p/yamux as an end of the benchmark.
import { BLOCK, run } from './end.mjs';
import { muxer } from './libp2p-muxer.mjs';

const serve = (socket) => {
  muxer(socket, 'inbound').addEventListener('stream', ({ detail: stream }) => {
    stream.addEventListener('message', () => {});
    stream.addEventListener('remoteCloseWrite', () => void stream.close());
  });
};

await run(serve, (socket) => {
  const mux = muxer(socket, 'outbound');
  return async (bytes) => {
    const stream = await mux.createStream();
    stream.addEventListener('message', () => {});
    const ended = new Promise((resolve) => stream.addEventListener('remoteCloseWrite', resolve));
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      const more = stream.send(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK);
      if (!more) await stream.onDrain();
    }
    await stream.close();
    await ended;
  };
});
