#!/usr/bin/env node
/** Our own yamux behind the application of suites/yamux/application.ts: `yamux-app.ts [--defect NAME] listen PORT`, or `dial PORT`. */
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { YamuxMux, type YamuxStream } from '../../../reference-impl/yamux/duplex.ts';
import { SpoiledSession } from '../mutants/spoiled-session.ts';
import { YAMUX_DEFECTS, type YamuxDefect } from '../mutants/yamux-defects.ts';
import { sent } from '../suites/yamux/application.ts';

const COMMAND_BYTES_MAX = 64;
const PIECE_BYTES = 65_536;
const AWAKE_MILLIS = 60_000;

/** Writes a piece and waits until the stream takes more. */
const write = (stream: YamuxStream, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error == null ? resolve() : reject(error)));
  });

const sends = async (stream: YamuxStream, count: number): Promise<void> => {
  for (let at = 0; at < count; at += PIECE_BYTES)
    await write(stream, sent(at, Math.min(PIECE_BYTES, count - at)));
  stream.end();
};

const sinks = async (stream: YamuxStream, early: Buffer): Promise<void> => {
  let count = early.length;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) count += (chunk as Buffer).length;
  stream.end(`${count}\n`);
};

/** The first line, and what came behind it. */
const commandOf = (stream: YamuxStream): Promise<{ readonly command: string; readonly early: Buffer }> =>
  new Promise((resolve) => {
    let had = Buffer.alloc(0);
    const ready = (): void => {
      for (
        let chunk = stream.read() as Buffer | null;
        chunk !== null;
        chunk = stream.read() as Buffer | null
      ) {
        had = Buffer.concat([had, chunk]);
        const end = had.indexOf(0x0a);
        if (end < 0 && had.length <= COMMAND_BYTES_MAX) continue;
        stream.off('readable', ready);
        resolve({ command: had.subarray(0, end).toString(), early: had.subarray(end + 1) });
        return;
      }
    };
    stream.on('readable', ready);
  });

const serve = async (mux: YamuxMux, stream: YamuxStream): Promise<void> => {
  stream.on('error', () => undefined);
  const { command, early } = await commandOf(stream);
  const [word, count] = command.split(' ');
  if (word === 'echo') {
    if (early.length > 0) await write(stream, early);
    stream.pipe(stream);
  } else if (word === 'sink') await sinks(stream, early);
  else if (word === 'send') {
    stream.resume();
    await sends(stream, Number(count));
  } else if (word === 'open') {
    for (let n = 0; n < Number(count); n++) {
      const opened = mux.openStream();
      opened.on('error', () => undefined).resume();
      opened.end('opened\n');
    }
    stream.end('ok\n');
  } else if (word !== 'hold') stream.destroy();
};

/** The connection as a defective library sees it: what it hears and says passes through the defect. */
const spoiled = (socket: Socket, { spoil }: YamuxDefect): Duplex => {
  const carrier = new Duplex({
    allowHalfOpen: true,
    read: () => undefined,
    write: (bytes: Buffer, _, done) => {
      tapped.said(Buffer.from(bytes));
      if (socket.writableNeedDrain) socket.once('drain', done);
      else done();
    },
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.resetAndDestroy();
      done(error);
    },
  });
  const tapped = new SpoiledSession(spoil, {
    toLibrary: (bytes) => void carrier.push(bytes),
    toPeer: (bytes) => void socket.write(bytes),
    kill: () => socket.resetAndDestroy(),
    hold: (held) => void (held ? socket.pause() : socket.resume()),
  });
  socket.on('data', (bytes: Buffer) => tapped.heard(bytes));
  socket.on('end', () => carrier.push(null));
  socket.on('error', (error) => carrier.destroy(error));
  return carrier;
};

const args = process.argv.slice(2);
const named = args[0] === '--defect' ? args.splice(0, 2)[1] : undefined;
const defect = named === undefined ? undefined : YAMUX_DEFECTS[named];

const session = (socket: Socket, role: 'client' | 'server'): void => {
  socket.setNoDelay(true);
  const mux = new YamuxMux(defect === undefined ? socket : spoiled(socket, defect), { role });
  mux.on('error', () => undefined);
  mux.on('stream', (stream) => {
    serve(mux, stream).catch(() => stream.destroy());
  });
};

const [how, port] = args;
if (named !== undefined && defect === undefined) {
  console.error(
    `yamux-app.ts: no defect is called ${named}; there are ${Object.keys(YAMUX_DEFECTS).join(', ')}`,
  );
  process.exitCode = 2;
} else if (how === 'listen')
  createServer({ allowHalfOpen: true }, (socket) => session(socket, 'server')).listen(
    Number(port),
    '127.0.0.1',
  );
else if (how === 'dial') {
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  socket.once('connect', () => session(socket, 'client'));
  // a connection that is not read for now keeps no process
  const awake = setInterval(() => undefined, AWAKE_MILLIS);
  socket.once('close', () => clearInterval(awake));
} else {
  console.error('usage: yamux-app.ts [--defect NAME] listen PORT | dial PORT');
  process.exitCode = 2;
}
