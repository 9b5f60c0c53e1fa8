/** For tests: an engine that goes away. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The engine behind a socket that can be taken away and put back. */
export const severable = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'relaylab-'));
  const path = join(folder, 'engine.sock');
  const open = new Set<Socket>();
  const serve = async (): Promise<Server> => {
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
      for (const socket of [near, far]) open.add(socket.on('error', () => undefined));
      near.pipe(far).pipe(near);
    });
    await once(server.listen(path), 'listening');
    return server;
  };
  let server: Server | undefined = await serve();
  const sever = (): void => {
    server?.close();
    server = undefined;
    for (const socket of open) socket.destroy();
  };
  return {
    path,
    sever,
    /** Serves again until the test is over. */
    restore: async (): Promise<void> => {
      server ??= (await serve()).unref();
    },
    remove: (): Promise<void> => rm(folder, { recursive: true, force: true }),
  };
};
