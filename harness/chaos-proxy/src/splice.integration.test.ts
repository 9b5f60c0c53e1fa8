import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { join, type SplicedEnd } from './splice.ts';

/** Two ends of one connection. */
const pair = async (): Promise<readonly [Socket, Socket]> => {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const dialled = connect({
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [dialled, accepted];
};

const endOf = (socket: Socket): SplicedEnd => ({
  socket,
  moved: () => {},
});

t.test('a source that failed just before it is carried still resets its sink', async (t) => {
  const [peer, source] = await pair();
  const [sink, user] = await pair();
  user.on('error', () => undefined);
  const heard = new Promise<string>((resolve) => {
    user.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    user.once('close', () => resolve('closed'));
  });
  // The reset is said to the source here, and only then is it carried: its `error` will not come again.
  source.once('error', () => join(endOf(source), endOf(sink)));
  source.resume();
  peer.resetAndDestroy();
  t.equal(await heard, 'ECONNRESET');
  user.destroy();
  sink.destroy();
});

const BULK = 8 * 1024 * 1024;

/** user - one | other - service, joined; `moves` counts the sockets that went over to large reads. */
const joined = async () => {
  const [user, one] = await pair();
  const [other, service] = await pair();
  const moves: Socket[] = [];
  const a: SplicedEnd = { socket: one, moved: (socket) => moves.push(socket) };
  const b: SplicedEnd = { socket: other, moved: (socket) => moves.push(socket) };
  join(a, b);
  return { user, service, moves, sockets: () => [user, service, a.socket, b.socket] };
};

const sent = (bytes: number): Buffer => {
  const data = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) data.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  return data;
};

const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** Reads to the FIN, resting now and then. */
const heard = async (socket: Socket, slowly: boolean): Promise<string> => {
  const hash = createHash('sha256');
  let n = 0;
  socket.on('data', (bytes: Buffer) => {
    hash.update(bytes);
    if (!slowly || ++n % 8 > 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  await once(socket, 'end');
  return hash.digest('hex');
};

for (const slowly of [false, true]) {
  t.test(`bulk both ways is exact, ends included, with ${slowly ? 'slow' : 'eager'} readers`, async (t) => {
    const { user, service, moves, sockets } = await joined();
    const [up, down] = [sent(BULK), sent(BULK / 2)];
    const arrived = Promise.all([heard(service, slowly), heard(user, slowly)]);
    user.end(up);
    service.write(down.subarray(0, 100_000));
    service.end(down.subarray(100_000));
    t.strictSame(await arrived, [digest(up), digest(down)]);
    t.equal(moves.length, 2, 'both went over to large reads');
    for (const socket of sockets()) socket.destroy();
  });
}

t.test('a half that ended leaves the other open, and RST passes as RST after bulk too', async (t) => {
  const { user, service, moves, sockets } = await joined();
  const up = sent(BULK);
  const arrived = heard(service, false);
  user.end(up);
  t.equal(await arrived, digest(up));
  t.equal(moves.length, 2);
  const answer = once(user, 'data');
  service.write('still here');
  t.equal(String((await answer)[0]), 'still here');
  user.on('error', () => undefined);
  const reset = new Promise<string>((resolve) =>
    user.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? '')),
  );
  service.resetAndDestroy();
  t.equal(await reset, 'ECONNRESET');
  for (const socket of sockets()) socket.destroy();
});
