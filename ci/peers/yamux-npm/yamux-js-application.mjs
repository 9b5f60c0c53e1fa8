// yamux-js behind the gate's application: `serve PORT` or `call PORT`.
import yamux from 'yamux-js';
import { application } from './application.mjs';

const face = (stream) => {
  stream.on('error', () => undefined);
  return {
    chunks: stream,
    write: (bytes) => new Promise((resolve) => stream.write(bytes, () => resolve())),
    end: async () => stream.end(),
  };
};

application(
  (socket, role, onStream) => {
    const taken = (stream) => onStream(face(stream));
    const session = role === 'server' ? new yamux.Server(taken) : new yamux.Client(taken);
    session.on('error', () => socket.destroy());
    socket.pipe(session).pipe(socket);
    return async () => face(session.open());
  },
  process.argv[2],
  process.argv[3],
);
