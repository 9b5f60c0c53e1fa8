// What the ends of both libraries share: `listen PORT` takes one session after the other, `dial PORT` reads lines
// `STREAMS BYTES` from stdin and answers each with the seconds the transfer took.
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

export const BLOCK = Buffer.alloc(65_536);

/**
 * @param serve what to do with a socket that was accepted
 * @param open what to do with the one dialled; gives a function that sends so many bytes on a stream of its own and resolves
 *   when the other end has read all and ended too
 */
export const run = async (serve, open) => {
  const [what, port] = process.argv.slice(2);
  if (what === 'listen') {
    createServer({ noDelay: true }, serve).listen(Number(port), '127.0.0.1', () => console.log('ready'));
    return;
  }
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  const push = await open(socket);
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [streams, bytes] = line.split(' ').map(Number);
    const begun = performance.now();
    await Promise.all(Array.from({ length: streams }, () => push(bytes)));
    console.log((performance.now() - begun) / 1000);
  }
  process.exit(0);
};
