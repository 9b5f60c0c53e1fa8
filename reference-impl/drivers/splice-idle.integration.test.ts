import t from 'tap';
import type { NameConn } from '../machine/machine.ts';
import { dial, NodeScript, Outside, type Peer, pattern, within } from './node-script.ts';
import type { Answer } from './sim-script.ts';
import { PROMOTE_BYTES } from './splice.ts';

const IDLE = 300;
const BULK = 8 * PROMOTE_BYTES;

/** Splices whoever is accepted to a dial of `port`, with an idle time. */
const proxy =
  (port: number, idleMillis: number) =>
  (name: NameConn): Answer =>
  (input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    if (input.type !== 'accepted') return undefined;
    const conn = name();
    return [
      { type: 'connect', conn, to: { host: '127.0.0.1', port }, from: undefined },
      { type: 'splice', a: input.conn, b: conn, idleMillis },
    ];
  };

/** Splices whoever is accepted to a stream of a session, whose other end splices each stream to a dial of `port`. */
const sessions = async (port: number, idleMillis: number) => {
  const far = new NodeScript((name) => (input) => {
    if (input.type === 'start') return [{ type: 'listen', listener: 1, port: 0, host: undefined }];
    if (input.type === 'accepted')
      return [{ type: 'mux', conn: input.conn, role: 'server', early: undefined }];
    if (input.type !== 'stream') return undefined;
    const conn = name();
    return [
      { type: 'connect', conn, to: { host: '127.0.0.1', port }, from: undefined },
      { type: 'splice', a: input.conn, b: conn },
    ];
  });
  const farPort = await far.port();
  let session = 0;
  const near = new NodeScript((name) => (input) => {
    if (input.type === 'start') {
      session = name();
      return [{ type: 'connect', conn: session, to: { host: '127.0.0.1', port: farPort }, from: undefined }];
    }
    if (input.type === 'connected')
      return [
        { type: 'mux', conn: session, role: 'client', early: undefined },
        { type: 'listen', listener: 1, port: 0, host: undefined },
      ];
    if (input.type !== 'accepted') return undefined;
    const conn = name();
    return [
      { type: 'open', conn, session },
      { type: 'splice', a: conn, b: input.conn, idleMillis },
    ];
  });
  return { far, near };
};

type Way = 'plain' | 'fast' | 'fast, after 2 MiB' | 'stream';

/** A user and a service in a tunnel that ends after `idleMillis` of silence, and the machine that spliced it. */
const tunnel = async (way: Way, idleMillis: number) => {
  const outside = await Outside.open();
  const opened: NodeScript[] = [];
  let script: NodeScript;
  if (way === 'stream') {
    const { far, near } = await sessions(outside.port, idleMillis);
    opened.push(near, far);
    script = near;
  } else {
    script = new NodeScript(proxy(outside.port, idleMillis), { fastSplice: way !== 'plain' });
    opened.push(script);
  }
  const user = await dial(await script.port());
  if (way === 'stream') user.socket.write('!');
  const service = await outside.accept();
  if (way === 'stream') await service.gets(1);
  if (way === 'fast, after 2 MiB') {
    user.socket.write(pattern(BULK, 3));
    await service.gets(BULK);
    service.socket.write('!');
    await user.gets(1);
  }
  return {
    user,
    service,
    script,
    [Symbol.asyncDispose]: async () => {
      outside[Symbol.dispose]();
      for (const each of opened) await each[Symbol.asyncDispose]();
    },
  };
};

/** Says one byte now and then until so much time has passed. */
const drip = async (from: Peer, to: Peer, millis: number): Promise<void> => {
  const until = performance.now() + millis;
  while (performance.now() < until) {
    const before = to.received;
    from.socket.write('.');
    await to.gets(before + 1);
    await new Promise((resolve) => setTimeout(resolve, IDLE / 15));
  }
};

for (const way of ['plain', 'fast', 'fast, after 2 MiB', 'stream'] as const) {
  t.test(`${way}: silence resets both ends, and closed says timeout`, async (t) => {
    await using open = await tunnel(way, IDLE);
    const { user, service, script } = open;
    const ends = await Promise.all([within('user', user.closed), within('service', service.closed)]);
    t.same(ends, ['ECONNRESET', 'ECONNRESET']);
    await script.hears('closed', undefined, 1);
    t.same(
      script.all('closed').map(({ why }) => why),
      ['timeout', 'timeout'],
    );
    t.equal(script.driver.connections, way === 'stream' ? 1 : 0);
  });

  t.test(`${way}: a byte now and then keeps a half-closed tunnel, until it stops`, async (t) => {
    await using open = await tunnel(way, IDLE);
    const { user, service, script } = open;
    user.socket.end();
    await within('the end of one half', service.ended);
    await drip(service, user, 4 * IDLE);
    t.equal(script.all('closed').length, 0, 'it lived four times its idle time');
    t.equal(await within('a close', user.closed), 'ECONNRESET');
    await script.hears('closed', undefined, 1);
    t.same(
      script.all('closed').map(({ why }) => why),
      ['timeout', 'timeout'],
    );
  });
}

t.test('a reader that stopped for good is silence, and the writer is told', async (t) => {
  for (const way of ['fast', 'stream'] as const) {
    await using open = await tunnel(way, IDLE);
    const { user, service, script } = open;
    service.socket.pause();
    for (let i = 0; i < 64; i++) user.socket.write(pattern(1 << 20, i));
    t.equal(await within('a close', user.closed), 'ECONNRESET', way);
    await script.hears('closed', undefined, 1);
    t.same(new Set(script.all('closed').map(({ why }) => why)), new Set(['timeout']));
  }
});
