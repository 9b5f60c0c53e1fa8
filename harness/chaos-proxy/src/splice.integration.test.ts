import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { carry } from './splice.ts';

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

t.test('a source that failed just before it is carried still resets its sink', async (t) => {
  const [peer, source] = await pair();
  const [sink, user] = await pair();
  user.on('error', () => undefined);
  const heard = new Promise<string>((resolve) => {
    user.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    user.once('close', () => resolve('closed'));
  });
  // The reset is said to the source here, and only then is it carried: its `error` will not come again.
  source.once('error', () => carry(source, sink));
  source.resume();
  peer.resetAndDestroy();
  t.equal(await heard, 'ECONNRESET');
  user.destroy();
  sink.destroy();
});
