/** Real paths: bytes pass NAT and link, and what these did to the case is told. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { DIRECT, openPath, pathMillis, pathName } from './path.ts';

const echo = async (t: Test) => {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => undefined).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { host: '127.0.0.1', port: (server.address() as { readonly port: number }).port };
};

const echoed = async (address: { readonly host: string; readonly port: number }): Promise<string> => {
  const socket = connect({ ...address, allowHalfOpen: true });
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  socket.end('through all of it');
  await once(socket, 'close');
  return said;
};

for (const [link, nat, receipts] of [
  [undefined, undefined, []],
  ['clean', undefined, []],
  [undefined, 'home', [/^NAT home: 1 mappings, 0 forgotten$/]],
  ['lossy', 'cgnat', [/^NAT cgnat: 1 mappings/, /^link lossy: latency: delayed/]],
] as const)
  t.test(`bytes and ends pass ${pathName({ link, nat })}`, async (t) => {
    const upstream = await echo(t);
    const path = await openPath({ link, nat }, upstream, 7);
    t.equal(path.address.port === upstream.port, pathName({ link, nat }) === 'direct');
    t.equal(await echoed(path.address), 'through all of it');
    t.match(path.receipts().slice(0, receipts.length), receipts);
    t.same(path.losses(), [], 'nothing was taken away');
    await path.close();
  });

t.test('a path has a name, and allows for what it holds back', async (t) => {
  t.equal(pathName(DIRECT), 'direct');
  t.equal(pathName({ link: 'mobile', nat: 'hostile' }), 'mobile+hostile');
  t.equal(pathMillis(DIRECT), 0);
  t.ok(pathMillis({ link: 'slow', nat: undefined }) > pathMillis({ link: 'mobile', nat: undefined }));
});
