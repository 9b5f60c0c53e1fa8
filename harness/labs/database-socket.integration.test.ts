// The socket of a database before servers of our own: what passes through it, and what it leaves behind.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DatabaseSocket } from './database-socket.ts';

t.setTimeout(60_000);

const listening = async (t: Test, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as { port: number }).port;
};

const opened = async (t: Test, port: number): Promise<DatabaseSocket> => {
  const socket = new DatabaseSocket({ host: '127.0.0.1', port });
  await socket.listen();
  t.teardown(() => socket.close());
  return socket;
};

const dialled = ({ folder }: DatabaseSocket): Socket =>
  connect({ path: join(folder, '.s.PGSQL.5432'), allowHalfOpen: true });

/** Reads to its end, and leaves the other direction open. */
const allOf = async (socket: Socket): Promise<string> => {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks).toString();
};

const SENT = randomBytes(1 << 19).toString('hex');

t.test('bytes pass in both directions, and either end closes by itself', async (t) => {
  const port = await listening(
    t,
    createServer({ allowHalfOpen: true }, async (socket) => socket.end(`heard ${await allOf(socket)}`)),
  );
  const client = dialled(await opened(t, port));
  client.end(SENT);
  t.ok((await allOf(client)) === `heard ${SENT}`);
});

t.test("the folder is its owner's alone, and gone when the socket is closed", async (t) => {
  const socket = await opened(t, 1);
  t.equal(statSync(socket.folder).mode & 0o777, 0o700);
  t.same(readdirSync(socket.folder), ['.s.PGSQL.5432']);
  await socket.close();
  t.notOk(existsSync(socket.folder));
});

t.test('a database that is not there, or dies, ends the connection', async (t) => {
  const refused = dialled(await opened(t, 1));
  t.equal(await allOf(refused), '');
  const joined = Promise.withResolvers<Socket>();
  const port = await listening(t, createServer(joined.resolve));
  const client = dialled(await opened(t, port));
  const over = allOf(client);
  (await joined.promise).resetAndDestroy();
  t.equal(await over, '');
});

t.test('closing it ends what still goes through', async (t) => {
  const joined = Promise.withResolvers<Socket>();
  const socket = await opened(t, await listening(t, createServer(joined.resolve)));
  const client = dialled(socket);
  const far = await joined.promise;
  const over = Promise.all([allOf(client), allOf(far)]);
  await socket.close();
  t.same(await over, ['', '']);
});

const PROGRAM = `
  const { DatabaseSocket } = await import('./database-socket.ts');
  const socket = new DatabaseSocket({ host: '127.0.0.1', port: 1 });
  await socket.listen();
  process.on('SIGINT', () => process.exit(130));
  console.log(socket.folder);
`;

/** A program that has a socket, ended by a signal. @returns its folder */
const endedBy = async (signal: NodeJS.Signals): Promise<string> => {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', PROGRAM], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [folder] = await once(child.stdout.setEncoding('utf8'), 'data');
  child.kill(signal);
  await once(child, 'exit');
  return String(folder).trim();
};

t.test(
  'a process that ends at once takes the folder along; that of a killed one is swept by the next',
  async (t) => {
    t.notOk(existsSync(await endedBy('SIGINT')));
    const left = await endedBy('SIGKILL');
    t.ok(existsSync(left));
    const others = join(tmpdir(), 'relaylab-db-of-somebody-else');
    mkdirSync(others, { recursive: true });
    t.teardown(() => rmSync(others, { recursive: true, force: true }));
    await opened(t, 1);
    t.notOk(existsSync(left));
    t.ok(existsSync(others), 'what is not ours stays');
  },
);
