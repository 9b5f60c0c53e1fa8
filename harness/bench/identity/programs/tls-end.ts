/** One connection to the relay over node:tls. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { connect, type TLSSocket } from 'node:tls';
import type { Carrying, Joined } from './carrying.ts';
import { PAIR_BYTES, SECRET, TLS_OPTIONS } from './psk.ts';

export const dialTls = async (port: number): Promise<TLSSocket> => {
  const socket = connect({
    ...TLS_OPTIONS,
    host: '127.0.0.1',
    port,
    pskCallback: () => ({ psk: SECRET, identity: 'bench' }),
    checkServerIdentity: () => undefined,
  });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
};

const carrying = (socket: TLSSocket, message: Uint8Array): Carrying => ({
  send: () => socket.write(message),
  room: () => new Promise((resolve) => socket.once('drain', resolve)),
  close: () => socket.destroy(),
});

let pairs = 0;

/** So many pairs of connections, each of messages so long. */
export const joinTls = async (
  port: number,
  tunnels: number,
  messageBytes: number,
): Promise<readonly Joined[]> => {
  const message = new Uint8Array(randomBytes(messageBytes));
  const joined: Joined[] = [];
  for (let i = 0; i < tunnels; i++) {
    const name = Buffer.alloc(PAIR_BYTES);
    name.writeUInt32BE(++pairs);
    const from = await dialTls(port);
    from.write(name);
    const to = await dialTls(port);
    const up = once(from, 'data');
    to.write(name);
    await up;
    let bytes = 0;
    to.on('data', (piece) => {
      bytes += piece.length;
      if (piece.length === 1) to.write(piece);
    });
    const roundTrip = async (): Promise<number> => {
      const began = performance.now();
      const heard = once(from, 'data');
      from.write(new Uint8Array(1));
      await heard;
      return performance.now() - began;
    };
    from.resume();
    joined.push({
      from: carrying(from, message),
      to: carrying(to, message),
      counted: () => bytes,
      roundTrip,
    });
  }
  return joined;
};
