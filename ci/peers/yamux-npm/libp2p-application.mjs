// @libp2p/yamux behind the gate's application: `serve PORT` or `call PORT`.
import { application } from './application.mjs';
import { muxer } from './libp2p-muxer.mjs';

const face = (stream) => ({
  chunks: {
    async *[Symbol.asyncIterator]() {
      for await (const list of stream) yield Buffer.from(list.subarray());
    },
  },
  write: async (bytes) => {
    if (!stream.send(bytes)) await stream.onDrain();
  },
  end: () => stream.close(),
  hold: () => stream.pause(),
});

application(
  (socket, role, onStream) => {
    const mux = muxer(socket, role === 'server' ? 'inbound' : 'outbound');
    mux.addEventListener('stream', ({ detail }) => onStream(face(detail)));
    return async () => face(await mux.createStream());
  },
  process.argv[2],
  process.argv[3],
);
