/**
 * One end of our yamux, with the same command line as the foreign ones in ci/peers: `listen PORT [session|duplex|tcp]` discards what
 * streams bring, `dial PORT [session|duplex|tcp]` reads lines `STREAMS BYTES` and answers each with the seconds the transfer took.
 * `session` is the session over reused reads, `duplex` the face for users of Node streams, `tcp` no session at all.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { adopt } from '../../../reference-impl/drivers/node-handle.ts';
import { YamuxMux } from '../../../reference-impl/yamux/duplex.ts';
import type { StreamId } from '../../../reference-impl/yamux/vocabulary.ts';
import { MuxEnd } from './mux-end.ts';

/** What one write gives to a stream, as everywhere in this bench's sessions. */
const block = Buffer.alloc(65_536);
const WINDOW_BYTES = 1024 * 1024;
/**
 * Payload a stream keeps in its session: as much as a turn writes (`MuxEnd`) and half the window, so that one stream is written
 * in halves of the window. Half as much costs a tenth more CPU, twice as much no less.
 */
const AHEAD_BYTES = 8 * block.length;

type Push = (bytes: number) => Promise<void>;

const onread = (end: () => MuxEnd) => ({
  buffer: Buffer.allocUnsafeSlow(1024 * 1024),
  callback: (count: number, buffer: Uint8Array): boolean => {
    end().input({ type: 'bytes', bytes: buffer.subarray(0, count) });
    return true;
  },
});

const serveSession = (accepted: Socket): void => {
  const socket = adopt(
    accepted,
    onread(() => mux),
  );
  const mux: MuxEnd = new MuxEnd('server', WINDOW_BYTES, socket, {
    data: () => {},
    ended: (stream) => mux.input({ type: 'end', stream }),
  });
  socket.on('error', () => {}).resume();
};

const openSession = async (port: number): Promise<Push> => {
  type Sending = { left: number; readonly done: () => void };
  const sendings = new Map<StreamId, Sending>();
  const more = (stream: StreamId): void => {
    const sending = sendings.get(stream);
    if (sending === undefined) return;
    for (let ahead = 0; sending.left > 0 && ahead < AHEAD_BYTES; ahead += block.length) {
      const count = Math.min(sending.left, block.length);
      sending.left -= count;
      mux.input({ type: 'send', stream, bytes: count === block.length ? block : block.subarray(0, count) });
    }
    if (sending.left === 0) mux.input({ type: 'end', stream });
  };
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: onread(() => mux) });
  const mux: MuxEnd = new MuxEnd('client', WINDOW_BYTES, socket, {
    data: () => {},
    drained: more,
    ended: () => {},
    closed: (stream) => {
      sendings.get(stream)?.done();
      sendings.delete(stream);
    },
  });
  await once(socket, 'connect');
  return (bytes) =>
    new Promise((resolve) => {
      const stream = mux.session.nextStream();
      sendings.set(stream, { left: bytes, done: resolve });
      mux.input({ type: 'open', stream });
      more(stream);
    });
};

const serveDuplex = (socket: Socket): void => {
  new YamuxMux(socket, { role: 'server', windowBytes: WINDOW_BYTES, keepaliveMillis: 0 }).on(
    'stream',
    (stream) => stream.on('data', () => {}).on('end', () => stream.end()),
  );
};

const openDuplex = async (port: number): Promise<Push> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  const mux = new YamuxMux(socket, { role: 'client', windowBytes: WINDOW_BYTES, keepaliveMillis: 0 });
  return async (bytes) => {
    const stream = mux.openStream();
    const ended = once(stream.resume(), 'end');
    for (let left = bytes; left > 0; left -= block.length)
      if (!stream.write(left < block.length ? block.subarray(0, left) : block)) await once(stream, 'drain');
    stream.end();
    await ended;
  };
};

const scrap = Buffer.allocUnsafeSlow(1024 * 1024);

const serveTcp = (accepted: Socket): void => {
  const socket = adopt(accepted, { buffer: scrap, callback: () => true });
  socket.on('error', () => {}).on('end', () => socket.end());
  socket.resume();
};

const openTcp = async (port: number): Promise<Push> => {
  return async (bytes) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    const ended = once(socket.resume(), 'end');
    for (let left = bytes; left > 0; left -= block.length)
      if (!socket.write(left < block.length ? block.subarray(0, left) : block)) await once(socket, 'drain');
    socket.end();
    await ended;
  };
};

const FACES = {
  session: { serve: serveSession, open: openSession },
  duplex: { serve: serveDuplex, open: openDuplex },
  tcp: { serve: serveTcp, open: openTcp },
} as const;

const [what, portText, face = 'session'] = process.argv.slice(2);
const port = Number(portText);
const chosen = FACES[face as keyof typeof FACES];
if (what === 'listen') {
  createServer(
    { noDelay: true, allowHalfOpen: true, pauseOnConnect: face !== 'duplex' },
    chosen.serve,
  ).listen(port, '127.0.0.1', () => console.log('ready'));
} else {
  const push = await chosen.open(port);
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [streams = 1, bytes = 0] = line.split(' ').map(Number);
    const begun = performance.now();
    await Promise.all(Array.from({ length: streams }, () => push(bytes)));
    console.log((performance.now() - begun) / 1000);
  }
  process.exit(0);
}
