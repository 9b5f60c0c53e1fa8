/** A socket that has failed but not closed yet: Node says `error` some turns before `close`, and a splice may fall in between. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import t from 'tap';
import type { Conn, NetOutput } from '../machine/machine.ts';
import { dial, listening, NodeScript, Outside, within } from './node-script.ts';

const LISTEN: NetOutput<string> = { type: 'listen', listener: 1, port: 0, host: undefined };

/** Calls for every socket that a server of this process accepts while it lives, after the server's own listeners. */
const accepting = (call: (socket: Socket) => void): Disposable => {
  const told = (message: unknown): void => call((message as { readonly socket: Socket }).socket);
  subscribe('net.server.socket', told);
  return { [Symbol.dispose]: () => unsubscribe('net.server.socket', told) };
};

for (const side of ['a', 'b'] as const) {
  for (const fastSplice of [false, true]) {
    t.test(`a splice in that moment resets the other (${side} failed, fast ${fastSplice})`, async (t) => {
      using outside = await Outside.open();
      await using script = new NodeScript(() => (input) => (input.type === 'start' ? [LISTEN] : undefined), {
        fastSplice,
      });
      const port = await script.port();
      const conn = script.name();
      script.do({ type: 'connect', conn, to: { host: '127.0.0.1', port: outside.port }, from: undefined });
      const service = await outside.accept();
      await script.hears('connected', conn);
      let failed: Conn | undefined;
      using _ = accepting((socket) => {
        socket.once('error', () => {
          failed = script.all('accepted')[0]?.conn as Conn;
          t.equal(script.all('closed').length, 0, 'nobody was told of the close yet');
          const [a, b] = side === 'a' ? [failed, conn] : [conn, failed];
          script.do({ type: 'splice', a, b });
        });
      });
      const user = await dial(port);
      await script.hears('accepted');
      user.socket.resetAndDestroy();
      t.equal(await within('a close', service.closed), 'ECONNRESET');
      await script.hears('closed', undefined, 1);
      t.same(new Set(script.all('closed').map(({ conn }) => conn)), new Set([conn, failed]));
      t.equal(script.driver.connections, 0);
    });
  }
}

t.test('a splice of a failed dial in that moment resets the other', async (t) => {
  await using script = new NodeScript(listening());
  const user = await dial(await script.port());
  const { conn } = await script.hears('accepted');
  // the connection that is joined fails by our own dial: Node's answer to an address that cannot be
  const dialled = script.name();
  script.do(
    { type: 'connect', conn: dialled, to: { host: '255.255.255.255', port: 9 }, from: undefined },
    { type: 'splice', a: conn, b: dialled },
  );
  t.equal(await within('a close', user.closed), 'ECONNRESET');
  await script.hears('closed', undefined, 1);
  t.equal(script.driver.connections, 0);
});

t.test('a splice with a stream in that moment resets the stream', async (t) => {
  await using server = new NodeScript(
    listening((input) =>
      input.type === 'accepted' && server.all('accepted').length === 1
        ? [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }]
        : undefined,
    ),
  );
  const port = await server.port();
  await using client = new NodeScript(() => () => undefined);
  const session = client.name();
  client.do({ type: 'connect', conn: session, to: { host: '127.0.0.1', port }, from: undefined });
  await client.hears('connected');
  const stream = client.name();
  client.do(
    { type: 'mux', conn: session, role: 'client', early: undefined },
    { type: 'open', conn: stream, session },
    { type: 'send', conn: stream, bytes: new Uint8Array(1) },
  );
  const opened = await server.hears('stream');
  let failed: Conn | undefined;
  using _ = accepting((socket) => {
    socket.once('error', () => {
      failed = server.all('accepted')[1]?.conn as Conn;
      server.do({ type: 'splice', a: opened.conn, b: failed });
    });
  });
  const user = await dial(port);
  await server.hears('accepted', undefined, 1);
  user.socket.resetAndDestroy();
  t.match(await server.hears('closed', opened.conn), { why: 'reset' });
  t.match(await client.hears('closed', stream), { why: 'reset' });
  await server.until('its close', () => server.all('closed', failed)[0]);
  t.equal(server.driver.connections, 1, 'only the session is left');
});
