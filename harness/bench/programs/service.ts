/** The service behind every contender of a bench: it takes users as plain connections or as a client of a relay. */
import { connect, createServer, type Socket } from 'node:net';
import { adopt } from '../../../reference-impl/drivers/node-handle.ts';
import type { StreamId } from '../../../reference-impl/yamux/vocabulary.ts';
import { MuxEnd } from './mux-end.ts';
import { serveRequests } from './requests.ts';
import { DONE, ECHO, PAIRED, TRANSFER_HEADER_BYTES } from './tunnel-words.ts';

export type ServiceRequest =
  /** @returns the port */
  | { readonly do: 'listen' }
  /** Registers at a relay. @returns the public port */
  | { readonly do: 'register'; readonly mode: 'pool' | 'event' | 'multiplex'; readonly port: number };

/** Connections kept waiting at the relay: more than any measurement dials at once. */
const WAITING = 128;
/** What clients of the Go relay have, whose yamux never announces more. */
const WINDOW_BYTES = 256 * 1024;

/** What comes is only counted, so everybody reads into the same memory. */
const scrap = Buffer.allocUnsafeSlow(1024 * 1024);
const quiet = (): void => {};

/** Swallows a transfer with large reads and says so. */
const swallow = (socket: Socket, bytes: number): void => {
  let left = bytes;
  const callback = (count: number): boolean => {
    left -= count;
    if (left <= 0) fast.write(Buffer.of(DONE));
    return true;
  };
  socket.removeAllListeners();
  const fast = adopt(socket, { buffer: scrap, callback });
  fast.on('error', quiet).on('end', () => fast.end());
  fast.write(Buffer.of(PAIRED));
  fast.resume();
};

/** @param used a user has begun to speak */
const serve = (socket: Socket, used: () => void): void => {
  socket.on('error', quiet);
  socket.once('data', (first: Buffer) => {
    used();
    if (first[0] === ECHO) {
      socket.write(first);
      socket.on('data', (bytes: Buffer) => socket.write(bytes));
      return;
    }
    socket.pause();
    const bytes = Number(first.readBigUInt64BE(1));
    // not inside the read whose socket is about to move
    setImmediate(swallow, socket, bytes);
  });
};

const listen = async (): Promise<number> => {
  const server = createServer({ noDelay: true }, (socket) => serve(socket, quiet));
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return (server.address() as { port: number }).port;
};

const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', quiet);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('close', reject));
  return socket;
};

/** Calls back for every line until told to stop; what follows the last line is put back. */
const lines = (socket: Socket, take: (line: string) => 'more' | 'enough'): void => {
  let held = '';
  const onData = (bytes: Buffer): void => {
    held += bytes.toString('latin1');
    for (let at = held.indexOf('\n'); at >= 0; at = held.indexOf('\n')) {
      const line = held.slice(0, at);
      held = held.slice(at + 1);
      if (take(line) === 'enough') {
        socket.off('data', onData);
        if (held !== '') socket.unshift(Buffer.from(held, 'latin1'));
        return;
      }
    }
  };
  socket.on('data', onData);
};

const pool = async (port: number): Promise<number> => {
  let id = '';
  const wait = (socket: Socket): void => {
    let waits = true;
    const gone = (): void => {
      if (!waits) return;
      waits = false;
      void another();
    };
    serve(socket, gone);
    socket.once('close', gone);
  };
  const another = async (): Promise<void> => {
    try {
      const socket = await dial(port);
      wait(socket);
      socket.write(`pool\n${id}\n`);
    } catch {
      // the relay is gone, or refuses: whoever measures sees that by its own users
    }
  };
  const first = await dial(port);
  const said: string[] = [];
  const registered = new Promise<void>((resolve) =>
    lines(first, (line) => {
      said.push(line);
      if (said.length < 2) return 'more';
      resolve();
      return 'enough';
    }),
  );
  first.write('pool\nnew\n');
  await registered;
  id = said[1] as string;
  wait(first);
  for (let i = 1; i < WAITING; i++) await another();
  return Number(said[0]);
};

const event = async (port: number): Promise<number> => {
  const control = await dial(port);
  const registered = Promise.withResolvers<number>();
  let known = false;
  lines(control, (line) => {
    if (known) {
      dial(port).then(
        (socket) => {
          serve(socket, quiet);
          socket.write(`event\n${line}\n`);
        },
        () => {},
      );
    } else {
      known = true;
      registered.resolve(Number(line));
    }
    return 'more';
  });
  control.write('event\nnew\n');
  return registered.promise;
};

type StreamState = { header: Buffer; left: number; echo: boolean };

const multiplex = async (port: number): Promise<number> => {
  const registered = Promise.withResolvers<number>();
  const streams = new Map<StreamId, StreamState>();
  let mux: MuxEnd | undefined;
  let line = '';
  const callback = (count: number, buffer: Uint8Array): boolean => {
    let at = 0;
    if (mux === undefined) {
      while (at < count && mux === undefined) {
        const byte = buffer[at++] as number;
        if (byte !== 0x0a) line += String.fromCharCode(byte);
        else mux = new MuxEnd('server', WINDOW_BYTES, socket, ears);
      }
      if (mux !== undefined) registered.resolve(Number(line));
    }
    if (mux !== undefined && at < count) mux.input({ type: 'bytes', bytes: buffer.subarray(at, count) });
    return true;
  };
  const say = (stream: StreamId, bytes: Uint8Array): void => mux?.input({ type: 'send', stream, bytes });
  const data = (stream: StreamId, bytes: Uint8Array): void => {
    const state = streams.get(stream);
    if (state === undefined) return;
    if (state.echo) return say(stream, bytes.slice());
    if (state.left >= 0) {
      state.left -= bytes.length;
      if (state.left === 0) say(stream, Buffer.of(DONE));
      return;
    }
    if (bytes[0] === ECHO && state.header.length === 0) {
      state.echo = true;
      return say(stream, bytes.slice());
    }
    state.header = Buffer.concat([state.header, bytes]);
    if (state.header.length < TRANSFER_HEADER_BYTES) return;
    state.left = Number(state.header.readBigUInt64BE(1));
    say(stream, Buffer.of(PAIRED));
  };
  const ears = {
    stream: (id: StreamId): void => {
      streams.set(id, { header: Buffer.alloc(0), left: -1, echo: false });
    },
    data,
    ended: (stream: StreamId): void => mux?.input({ type: 'end', stream }),
    closed: (id: StreamId): void => {
      streams.delete(id);
    },
  };
  const socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: { buffer: Buffer.allocUnsafeSlow(1024 * 1024), callback },
  });
  socket.on('error', (error) => registered.reject(error));
  socket.write('multiplex\n');
  return registered.promise;
};

serveRequests<ServiceRequest>((request) => {
  if (request.do === 'listen') return listen();
  return { pool, event, multiplex }[request.mode](request.port);
});
