import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { freePort, isFree } from './free-port.ts';

const HOST = '127.0.0.1';

t.test('a free port can be listened on, and is none that a connection gets by chance', async (t) => {
  for (let i = 0; i < 20; i++) {
    const port = await freePort(HOST);
    t.ok(port >= 10_240 && port < 32_768, String(port));
    const server = createServer().listen(port, HOST);
    await once(server, 'listening');
    t.notOk(await isFree(HOST, port), 'until somebody listens there');
    await new Promise((resolve) => server.close(resolve));
    t.ok(await isFree(HOST, port));
  }
});

t.test('a port that an outgoing connection has is not free', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, HOST);
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, HOST);
  await once(socket, 'connect');
  t.notOk(await isFree(HOST, socket.localPort ?? 0));
  socket.destroy();
  server.close();
});

t.test('a host that is none of ours is told', async (t) => {
  await t.rejects(freePort('203.0.113.1'), {
    message: /^expected a free port of 203\.0\.113\.1, got none in 100 tries: /,
  });
});
