/** What a wire log says of a connection: what the target did, and nothing that we did to it. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { WireEnd } from './wire-end.ts';
import { WireLog } from './wire-log.ts';

const patience = { millis: 50, blameMachine: () => undefined };

const joined = async (t: { teardown: (task: () => void) => void }) => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  const coming = once(server, 'connection');
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  const [target] = (await coming) as [Socket];
  target.on('error', () => undefined);
  t.teardown(() => {
    target.destroy();
    server.close();
  });
  const log = new WireLog();
  return { target, log, end: new WireEnd('user', socket, log, patience) };
};
const said = (log: WireLog): readonly string[] =>
  log.events.map(({ from, text, here }) => `${from}: ${text}${here ? ' <- here' : ''}`);

t.test('our own reset is not told as an end of theirs', async (t) => {
  const { end, log } = await joined(t);
  end.reset();
  await once(end.socket, 'close');
  t.same(said(log), ['us: reset']);
});

t.test('what did not come is marked by an event of its own, not by what we sent before', async (t) => {
  const { end, log } = await joined(t);
  await end.send('x');
  await t.rejects(end.take(1, 'an answer'), /got nothing within 50 ms/);
  end.close();
  await once(end.socket, 'close');
  t.same(said(log), ['us: x', 'note: nothing within 50 ms <- here']);
});

t.test('what came and should not have is marked itself', async (t) => {
  const { end, log, target } = await joined(t);
  target.end('no');
  await t.rejects(end.expect('ok', 'a yes', 2_000), /the first that differs is at offset 0/);
  t.equal(log.events.findLast(({ here }) => here)?.from, 'target');
  end.close();
});
