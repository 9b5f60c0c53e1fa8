import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AgentError } from '../agent-error.ts';
import type { Log } from '../plugin.ts';
import type { Command } from './command.ts';
import { askAgent } from './control-client.ts';
import { ControlServer, LINE_BYTES_MAX } from './control-server.ts';

t.setTimeout(30_000);

const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const folder = mkdtempSync(join(tmpdir(), 'control-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const newPath = (): string => join(folder, `${++count}.sock`);

const serve = async (
  path = newPath(),
): Promise<{ server: ControlServer; path: string; obeyed: Command[] }> => {
  const obeyed: Command[] = [];
  const server = new ControlServer({ log: SILENT, obey: (command) => obeyed.push(command) });
  await server.open(path);
  return { server, path, obeyed };
};
const ask = async (path: string, ...lines: readonly string[]): Promise<readonly string[]> => {
  const replies: string[] = [];
  await askAgent(path, lines, (reply) => replies.push(reply), 5_000);
  return replies;
};
/** What comes back, until the other side closes. */
const talk = (
  path: string,
  said: string | Uint8Array,
  end = true,
): { readonly socket: Socket; readonly heard: Promise<string> } => {
  const socket = createConnection({ path });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(text));
  socket.write(said);
  if (end) socket.end();
  return { socket, heard: promise };
};
const codeOf = async (task: Promise<unknown>): Promise<string> =>
  task.then(
    () => 'none',
    (error: unknown) => (error instanceof AgentError ? error.code : String(error)),
  );

t.test('every line is answered, a bad one too, and the connection stays open', async (t) => {
  const { server, path, obeyed } = await serve();
  const replies = await ask(path, 'control source pause', 'nonsense', 'control out/csv/* resume');
  t.match(replies, ['ok', /^error: unknown command 'nonsense'; available/, 'ok']);
  t.match(obeyed, [{ action: { type: 'pause' } }, { action: { type: 'resume' } }]);
  await server.close();
});

t.test('the socket is for its user alone from the first moment, and gone at the end', async (t) => {
  const { server, path } = await serve();
  t.equal(lstatSync(path).mode & 0o777, 0o600);
  t.same(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    [],
    'nothing is left beside it',
  );
  await server.close();
  t.notOk(existsSync(path));
});

t.test('a partial line waits for its rest, a last line without an end counts', async (t) => {
  const { server, path, obeyed } = await serve();
  const half = talk(path, 'control source pau', false);
  t.same(await ask(path, 'control source resume'), ['ok'], 'somebody else is served meanwhile');
  half.socket.end('se');
  t.equal(await half.heard, 'ok\n');
  t.match(obeyed, [{ action: { type: 'resume' } }, { action: { type: 'pause' } }]);
  await server.close();
});

t.test('whoever writes and goes away without reading has been heard', async (t) => {
  const { server, path, obeyed } = await serve();
  await new Promise<void>((resolve) => {
    const socket = createConnection({ path });
    socket.end('control source pause\n', () => socket.destroy());
    socket.on('close', () => resolve());
  });
  t.same(await ask(path, 'control source resume'), ['ok']);
  t.match(obeyed.at(0), { action: { type: 'pause' } });
  await server.close();
});

t.test(
  'a line beyond the limit and bytes that are no text are answered, and what follows is read',
  async (t) => {
    const { server, path } = await serve();
    const long = talk(path, `${'x'.repeat(LINE_BYTES_MAX + 1)}\ncontrol source pause\n`);
    t.match(await long.heard, /^error: the line is too long; .*\nok\n$/);
    const bytes = talk(
      path,
      Buffer.concat([Buffer.from([0xff, 0xfe, 10]), Buffer.from('control source pause\n')]),
    );
    t.match(await bytes.heard, /^error: stream did not contain valid UTF-8.*\nok\n$/);
    await server.close();
  },
);

t.test('an answer is one line whatever was said', async (t) => {
  const { server, path } = await serve();
  const replies = await ask(path, 'a\u0007\u001b[2Jb\rc');
  t.equal(replies.length, 1);
  t.match(replies[0], 'a\\x07\\x1b[2Jb\\x0dc');
  await server.close();
});

t.test('two hundred clients at once are all answered', async (t) => {
  const { server, path, obeyed } = await serve();
  const idle = Array.from({ length: 200 }, () => talk(path, 'control sou', false));
  const asked = await Promise.all(Array.from({ length: 50 }, () => ask(path, 'control source pause')));
  t.ok(asked.every((replies) => replies.join() === 'ok'));
  t.equal(obeyed.length, 50);
  for (const { socket } of idle) socket.end('rce resume\n');
  t.same([...new Set(await Promise.all(idle.map(({ heard }) => heard)))], ['ok\n']);
  await server.close();
});

t.test('nothing is read behind a shutdown, and open connections are closed', async (t) => {
  const { server, path, obeyed } = await serve();
  const idle = talk(path, '', false);
  t.same(await ask(path, 'shutdown now please', 'control source pause'), ['ok']);
  t.same(obeyed, [{ type: 'shutdown' }]);
  await server.close();
  t.equal(await idle.heard, '');
});

t.test('a name that looks like a number is a name', async (t) => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { server } = await serve('50051');
    t.same(await ask('50051', 'control source pause'), ['ok']);
    await server.close();
  } finally {
    process.chdir(before);
  }
});

t.test('a socket that nobody serves is replaced', async (t) => {
  const path = newPath();
  // a socket file outlives its process: here its server never unlinks it
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen({ path: `${path}.other` }, resolve));
  linkSync(`${path}.other`, path);
  await new Promise((resolve) => dead.close(resolve));
  t.ok(lstatSync(path).isSocket());
  const { server } = await serve(path);
  t.same(await ask(path, 'control source pause'), ['ok']);
  await server.close();
});

t.test('a socket in use, a file and an impossible place are refused, and left alone', async (t) => {
  const first = await serve();
  t.equal(await codeOf(serve(first.path)), 'SOCKET_IN_USE');
  t.same(await ask(first.path, 'control source pause'), ['ok'], 'the first is still there');
  await first.server.close();

  const file = newPath();
  writeFileSync(file, 'precious');
  t.equal(await codeOf(serve(file)), 'SOCKET_PLACE');
  t.ok(existsSync(file));
  t.equal(await codeOf(serve(folder)), 'SOCKET_PLACE', 'a folder');
  t.equal(await codeOf(serve(join(folder, 'no', 'such.sock'))), 'SOCKET_PLACE', 'no such folder');
  t.equal(await codeOf(serve(join(folder, 'x'.repeat(100)))), 'SOCKET_PLACE', 'a path too long');
  t.same(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    [],
  );
});

t.test("a successor's socket survives the end of its predecessor", async (t) => {
  const first = await serve();
  // somebody removed the file, and another agent took the path
  rmSync(first.path);
  const second = await serve(first.path);
  await first.server.close();
  t.same(await ask(first.path, 'control source pause'), ['ok']);
  t.equal(second.obeyed.length, 1);
  await second.server.close();
});

t.test('asking where nobody is says so', async (t) => {
  t.equal(await codeOf(ask(newPath(), 'shutdown')), 'CONTROL_UNREACHABLE');
  const shut = join(folder, 'shut');
  writeFileSync(shut, '');
  chmodSync(shut, 0);
  t.equal(await codeOf(ask(shut, 'shutdown')), 'CONTROL_UNREACHABLE');
});
