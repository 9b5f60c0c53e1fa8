/** The loopback ceiling: takes senders as a measurement server does, and only counts their bytes. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { acceptFrame } from '../ingest-frames.ts';

const ACCEPT = acceptFrame();
const quiet = (): void => {};

const port = Number(process.argv[2]);
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', quiet);
  socket.once('data', () => {
    socket.on('data', quiet);
    socket.write(ACCEPT);
  });
});
server.listen(port, '127.0.0.1');
await once(server, 'listening');
process.on('SIGTERM', () => process.exit(0));
