// yamux-js behind the gate's application: `serve PORT`. Its Client has no way to take streams, so it is judged as a server only.
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
    if (role !== 'server') throw new Error('a yamux-js Client takes no streams');
    const session = new yamux.Server((stream) => onStream(face(stream)));
    session.on('error', () => socket.destroy());
    socket.pipe(session).pipe(socket);
    return async () => face(session.open());
  },
  process.argv[2],
  process.argv[3],
);
