/** The plainest relay over node:tls: two connections that name the same number are piped into each other. */
import { createServer, type TLSSocket } from 'node:tls';
import { PAIR_BYTES, SECRET, TLS_OPTIONS } from './psk.ts';

const waiting = new Map<number, TLSSocket>();
const server = createServer({ ...TLS_OPTIONS, pskCallback: () => SECRET }, (socket) => {
  socket.on('error', () => {});
  socket.setNoDelay(true);
  socket.once('readable', () => {
    const name = socket.read(PAIR_BYTES) as Buffer | null;
    if (name === null) return void socket.destroy();
    const other = waiting.get(name.readUInt32BE());
    waiting.set(name.readUInt32BE(), socket);
    if (other === undefined) return;
    waiting.delete(name.readUInt32BE());
    other.pipe(socket).pipe(other);
    other.write(name);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
