// The application that `relaylab conformance yamux` wants behind a library: the first line of a stream is a command
// (harness/conformance/suites/yamux/application.ts). Over a small face that each library's file makes of its streams.
import { connect, createServer } from 'node:net';

const PIECE = 65_536;

const sent = (offset, length) => Buffer.from(Array.from({ length }, (_, i) => (offset + i) % 251));

/**
 * @param stream `{ chunks: async iterable of Buffers, write(bytes): Promise, end(): Promise, hold?(): stops reading }`
 * @param open opens a stream of ours, with the same face
 */
const obey = async (stream, open) => {
  const chunks = stream.chunks[Symbol.asyncIterator]();
  let had = Buffer.alloc(0);
  while (!had.includes(10)) {
    const { done, value } = await chunks.next();
    if (done) return stream.end();
    had = Buffer.concat([had, value]);
  }
  const end = had.indexOf(10);
  const [word, count] = had.subarray(0, end).toString().split(' ');
  const early = had.subarray(end + 1);
  const rest = async (take) => {
    if (early.length > 0) await take(early);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) await take(next.value);
  };
  switch (word) {
    case 'echo':
      await rest((bytes) => stream.write(bytes));
      return stream.end();
    case 'sink': {
      let taken = 0;
      await rest((bytes) => {
        taken += bytes.length;
      });
      await stream.write(Buffer.from(`${taken}\n`));
      return stream.end();
    }
    case 'send':
      rest(() => undefined).catch(() => undefined);
      for (let at = 0; at < Number(count); at += PIECE)
        await stream.write(sent(at, Math.min(PIECE, count - at)));
      return stream.end();
    case 'open':
      for (let n = 0; n < Number(count); n++) {
        const opened = await open();
        await opened.write(Buffer.from('opened\n'));
        await opened.end();
      }
      await stream.write(Buffer.from('ok\n'));
      return stream.end();
    case 'hold':
      return stream.hold?.();
  }
};

/** @param session (socket, role, onStream) => open */
export const application = (session, how, port) => {
  const begin = (socket, role) => {
    socket.on('error', () => undefined);
    const open = session(socket, role, (stream) => {
      obey(stream, open).catch(() => undefined);
    });
  };
  if (how === 'serve') createServer((socket) => begin(socket, 'server')).listen(Number(port), '127.0.0.1');
  else {
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    socket.once('connect', () => begin(socket, 'client'));
  }
};
