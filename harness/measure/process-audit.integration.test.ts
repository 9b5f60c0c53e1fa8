import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import t from 'tap';
import { auditGroup, listensOn } from './process-audit.ts';

const LINUX = process.platform === 'linux';
const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
/** Listens, takes one connection, and says its port; a process group of its own. */
const PROGRAM = `const s = require('node:net').createServer(() => {}).listen(0, '127.0.0.1', () => console.log(s.address().port));`;

t.test('a port is known to be listened on without a connection to it', async (t) => {
  let connections = 0;
  const server = createServer(() => connections++).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  t.equal(await listensOn(port), true);
  if (LINUX) t.equal(connections, 0);
  server.close();
  await once(server, 'close');
  t.equal(await listensOn(port), false);
});

t.test(
  'a process group is read from outside: descriptors, sockets, ports, memory',
  { skip: !LINUX },
  async (t) => {
    const child = spawn(process.execPath, ['-e', PROGRAM], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const before = await auditGroup(child.pid ?? 0);
    t.match(before, { listening: 1 });
    t.ok((before?.rssBytes ?? 0) > 1_000_000, 'memory in bytes');
    t.ok((before?.fds ?? 0) >= (before?.sockets ?? 0));
    const sockets: Socket[] = [];
    for (let i = 0; i < 3; i++) {
      const socket = connect({ host: '127.0.0.1', port: Number(said) });
      await once(socket, 'connect');
      sockets.push(socket);
    }
    // Taken by the kernel at once, by the process a moment later: asked until it has them.
    const deadline = performance.now() + 10_000;
    let during = await auditGroup(child.pid ?? 0);
    while ((during?.sockets ?? 0) < (before?.sockets ?? 0) + 3 && performance.now() < deadline)
      during = await auditGroup(child.pid ?? 0);
    t.equal(during?.sockets, (before?.sockets ?? 0) + 3);
    t.equal(during?.listening, 1);
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
    await once(child, 'exit');
    t.equal(await auditGroup(child.pid ?? 0), undefined, 'a group that is gone has no books');
  },
);
