/** The senders of the measurement bench: they speak the relay's protocol as an agent does, with frames made beforehand. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { serveRequests } from '../../programs/requests.ts';
import { greetFrame, measurementFrames, POINTS_A_FRAME, registerFrame } from '../ingest-frames.ts';

export type IngestRequest =
  /** Sends so many frames and waits until the server has closed every connection. @returns IngestAnswer */
  | { readonly do: 'send'; readonly port: number; readonly connections: number; readonly frames: number }
  /** Sends as much as is taken, for so long, and then goes away. @returns PressAnswer */
  | { readonly do: 'press'; readonly port: number; readonly connections: number; readonly millis: number };

export type IngestAnswer = { readonly points: number; readonly millis: number };
/** Points that the system took from us in each half of the time. */
export type PressAnswer = { readonly firstHalf: number; readonly secondHalf: number };

const FRAMES = measurementFrames(7);
const GREET = greetFrame();
const REGISTER = registerFrame();
const quiet = (): void => {};

const opened = async (port: number): Promise<Socket> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  socket.on('error', quiet);
  socket.write(GREET);
  await once(socket, 'data');
  socket.on('data', quiet);
  socket.write(REGISTER);
  return socket;
};

const openAll = (port: number, connections: number): Promise<readonly Socket[]> =>
  Promise.all(Array.from({ length: connections }, () => opened(port)));

/** Sends until told to stop, as fast as it is taken. */
const pour = async (socket: Socket, next: () => boolean): Promise<void> => {
  for (let frame = 0; !socket.destroyed && next(); frame++) {
    if (socket.write(FRAMES[frame % FRAMES.length] as Buffer)) continue;
    const free = Promise.withResolvers<void>();
    socket.once('drain', free.resolve).once('close', free.resolve);
    await free.promise;
    socket.removeListener('drain', free.resolve).removeListener('close', free.resolve);
  }
};

const send = async (port: number, connections: number, frames: number): Promise<IngestAnswer> => {
  const sockets = await openAll(port, connections);
  const began = performance.now();
  const sent = sockets.map(async (socket, index) => {
    let left = Math.ceil((frames - index) / connections);
    const points = left * POINTS_A_FRAME;
    const closed = once(socket, 'close');
    await pour(socket, () => left-- > 0);
    if (socket.destroyed) throw new Error('the server broke the connection');
    socket.end();
    await closed;
    return points;
  });
  const points = (await Promise.all(sent)).reduce((sum, one) => sum + one, 0);
  return { points, millis: performance.now() - began };
};

const press = async (port: number, connections: number, millis: number): Promise<PressAnswer> => {
  const sockets = await openAll(port, connections);
  const end = performance.now() + millis;
  const halves = [0, 0];
  const halfMillis = millis / 2;
  for (const socket of sockets)
    void pour(socket, () => {
      const half = performance.now() < end - halfMillis ? 0 : 1;
      halves[half] = (halves[half] as number) + POINTS_A_FRAME;
      return true;
    });
  await new Promise((resolve) => setTimeout(resolve, millis));
  for (const socket of sockets) socket.destroy();
  return { firstHalf: halves[0] as number, secondHalf: halves[1] as number };
};

serveRequests<IngestRequest>((request) =>
  request.do === 'send'
    ? send(request.port, request.connections, request.frames)
    : press(request.port, request.connections, request.millis),
);
