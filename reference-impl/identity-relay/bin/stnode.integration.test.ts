import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { readIdentityFile } from '../files/identity-file.ts';
import { textOf } from '../public-key.ts';
import { eventually, within } from '../testing/live.ts';
import { type Program, Workplace } from './testing/program.ts';

t.setTimeout(180_000);
const MILLIS = 30_000;
const place = new Workplace();
const programs: Program[] = [];
t.teardown(async () => {
  for (const program of programs) program.child.kill('SIGKILL');
  await Promise.all(programs.map(({ exit }) => exit));
  place.remove();
});

const run = (name: string, ...args: readonly string[]): Program => {
  const program = place.run(name, ...args);
  programs.push(program);
  return program;
};
const says = (program: Program, pattern: RegExp): Promise<void> =>
  eventually(`stdout has ${pattern}`, () => pattern.test(program.stdout), MILLIS);
const logs = (program: Program, pattern: RegExp): Promise<void> =>
  eventually(`the log has ${pattern}`, () => pattern.test(program.stderr), MILLIS);
const portOf = (program: Program): number => Number(/:(\d+)\n/.exec(program.stdout)?.[1]);
const keyOf = (file: string): string => textOf(readIdentityFile(place.file(file)).publicKey);

const relay = async (port = 0): Promise<Program> => {
  const program = run('strelay', '-i', 'relay.ident', '-l', `127.0.0.1:${port}`, '--drain-millis', '100');
  await says(program, /listening on/);
  return program;
};
const expose = async (servicePort: number, ...more: readonly string[]): Promise<Program> => {
  const to = `localhost:${servicePort}`;
  const program = run(
    'stnode',
    'expose',
    '--idfile',
    'db.ident',
    '--relay',
    'our.relay',
    '--to',
    to,
    ...more,
  );
  await says(program, /^stnode reachable as \S{43}\n/);
  return program;
};
const reach = async (idfile: string, ...more: readonly string[]): Promise<Program> => {
  const program = run(
    ...(['stnode', 'reach', keyOf('db.ident'), '--idfile', idfile] as const),
    ...(['--relay', 'our.relay', '--listen', '0', ...more] as const),
  );
  await says(program, /^stnode listening on 127\.0\.0\.1:\d+\n/);
  return program;
};
const serve = async (onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
};
/** Sends, ends its direction, and reads to the end. */
const asked = async (port: number, bytes: Uint8Array): Promise<Buffer> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(bytes);
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};
/** How a connection that is not carried ends. */
const reset = async (port: number): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  socket.resume();
  const [error] = (await within(MILLIS, 'a reset', once(socket, 'error', {}))) as [NodeJS.ErrnoException];
  return error.code ?? error.message;
};
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Says how much came and what it was, once the other side has ended its direction. */
const answering = (socket: Socket): void => {
  const hash = createHash('sha256');
  socket.on('data', (bytes) => hash.update(bytes));
  socket.on('end', () => socket.end(hash.digest('hex')));
};

t.before(async () => {
  for (const name of ['relay', 'db', 'laptop', 'stranger'])
    t.equal(await run('stmgr', 'gen-ident', '-o', `${name}.ident`).exited(), 0);
});

let atPort = 0;
let strelay: Program;
t.test('a relay, and a ticket that leads to it', async (t) => {
  strelay = await relay();
  atPort = portOf(strelay);
  const ticket = ['relay-ticket', '-a', `127.0.0.1:${atPort}`, '-i', 'relay.ident', '-o', 'our.relay'];
  t.equal(await run('stmgr', ...ticket).exited(), 0);
});

t.test('both directions carry every byte, and an end of one leaves the other', async (t) => {
  const { server, port } = await serve(answering);
  const exposed = await expose(port, '--allow', keyOf('laptop.ident'));
  const reached = await reach('laptop.ident');
  const large = new Uint8Array(3_000_000).map((_, i) => (i * 7 + (i >> 9)) & 255);
  const answer = await within(MILLIS, 'the answer', asked(portOf(reached), large));
  t.equal(answer.toString(), digest(large), 'what came is what was sent; the answer came after our end');

  const many = Array.from({ length: 60 }, (_, i) => new Uint8Array(20_000 + i).fill(i));
  const answers = await within(
    MILLIS,
    'all answers',
    Promise.all(many.map((bytes) => asked(portOf(reached), bytes))),
  );
  t.same(answers.map(String), many.map(digest), 'sixty connections at once');
  t.equal(exposed.stderr.match(/stnode\.opened/g)?.length, 1, 'through one tunnel');
  t.notOk(exposed.stderr.includes(keyOf('laptop.ident')), 'no whole key in a log');

  server.close();
  t.equal(await reset(portOf(reached)), 'ECONNRESET', 'a service that is down resets');
  await logs(exposed, /does not answer/);
  for (const program of [reached, exposed]) {
    program.child.kill('SIGTERM');
    t.equal(await program.exited(), 0);
  }
});

t.test('a key that is not allowed gets no byte to the service', async (t) => {
  let came = 0;
  const { server, port } = await serve(() => came++);
  const exposed = await expose(port, '--allow', keyOf('laptop.ident'), '--allow', keyOf('relay.ident'));
  const stranger = await reach('stranger.ident', '--wait-millis', '1500');
  t.equal(await reset(portOf(stranger)), 'ECONNRESET');
  await logs(exposed, /stnode\.turnedAway/);
  await logs(stranger, /"why":"refused"/);
  t.equal(came, 0);
  for (const program of [stranger, exposed]) {
    program.child.kill('SIGTERM');
    t.equal(await program.exited(), 0);
  }
  server.close();
});

t.test(
  'after a relay that restarts connections come through again, those that waited included',
  async (t) => {
    const { server, port } = await serve((socket) => socket.pipe(socket));
    const exposed = await expose(port);
    t.match(exposed.stderr, 'every node that knows our key may connect');
    const reached = await reach('laptop.ident', '--wait-millis', String(MILLIS));
    t.equal(
      (await within(MILLIS, 'an echo', asked(portOf(reached), Buffer.from('before')))).toString(),
      'before',
    );
    const held = connect(portOf(reached), '127.0.0.1');
    held.on('error', () => {});
    held.write('x');
    await within(MILLIS, 'the held one is carried', once(held, 'data'));
    const lost = new Promise((resolve) => held.on('close', resolve));
    strelay.child.kill('SIGKILL');
    await strelay.exited();
    await within(MILLIS, 'what ran is cut, not left hanging', lost);
    await logs(reached, /stnode\.down/);
    const waiting = asked(portOf(reached), Buffer.from('after'));
    strelay = await relay(atPort);
    t.equal((await within(MILLIS, 'an echo', waiting)).toString(), 'after');

    // a running connection may end within the drain
    const last = connect({ port: portOf(reached), host: '127.0.0.1', allowHalfOpen: true });
    last.write('a');
    await within(MILLIS, 'carried', once(last, 'data'));
    reached.child.kill('SIGTERM');
    await logs(reached, /stopping/);
    last.end('b');
    const [rest] = (await within(MILLIS, 'the rest', once(last, 'data'))) as [Buffer];
    t.equal(rest.toString(), 'b');
    t.equal(await reached.exited(), 0);
    exposed.child.kill('SIGTERM');
    t.equal(await exposed.exited(), 0);
    server.close();
  },
);

t.test('a second SIGTERM cuts the drain short', async (t) => {
  const { server, port } = await serve((socket) => socket.pipe(socket));
  const exposed = await expose(port);
  const reached = await reach('laptop.ident');
  const open = connect(portOf(reached), '127.0.0.1');
  open.on('error', () => {});
  open.write('x');
  await within(MILLIS, 'an echo', once(open, 'data'));
  reached.child.kill('SIGTERM');
  await logs(reached, /stopping/);
  // one that comes too soon is taken for the first
  const again = setInterval(() => reached.child.kill('SIGTERM'), 100);
  t.equal(await reached.exited(), 143);
  clearInterval(again);
  exposed.child.kill('SIGTERM');
  t.equal(await exposed.exited(), 0, 'nothing is left to wait for');
  server.close();
});

const onPath = (name: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
const noRedis = onPath('redis-server') && onPath('redis-cli') ? false : 'redis-server is not installed here';

t.test('a Redis session by key, and its benchmark with many connections', { skip: noRedis }, async (t) => {
  const { server, port } = await serve(() => {});
  server.close();
  await once(server, 'close');
  const redis = place.shell(`exec redis-server --port ${port} --bind 127.0.0.1 --save '' --appendonly no`);
  programs.push(redis);
  await says(redis, /Ready to accept connections/);
  const exposed = await expose(port, '--allow', keyOf('laptop.ident'));
  const reached = await reach('laptop.ident');
  const cli = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('redis-cli', ['-p', String(portOf(reached)), ...args]);
    return stdout.trim();
  };
  t.equal(await cli('SET', 'key', 'by key'), 'OK');
  t.equal(await cli('GET', 'key'), 'by key');
  t.equal(await cli('EVAL', "return #string.rep('x', 1000000)", '0'), '1000000');
  const { stdout } = await promisify(execFile)('redis-benchmark', [
    ...['-p', String(portOf(reached)), '-n', '500', '-c', '20', '-t', 'ping_mbulk', '--csv'],
  ]);
  t.match(stdout, /PING_MBULK/);
  for (const program of [reached, exposed, redis]) {
    program.child.kill('SIGTERM');
    await program.exited();
  }
});

t.test('stnode says in one line why it cannot run', async (t) => {
  const taken = await serve(() => {});
  const own = ['--idfile', 'laptop.ident', '--relay', 'our.relay'];
  const key = keyOf('db.ident');
  for (const { args, code, says } of [
    {
      args: ['reach', key, ...own, '--listen', String(taken.port)],
      code: 1,
      says: /^stnode: port \d+ of 127\.0\.0\.1 is in use\n$/,
    },
    { args: ['reach', key, ...own], code: 2, says: /--listen[^\n]+\n$/ },
    { args: ['reach', 'nobody', ...own, '--listen', '0'], code: 2, says: /43 letters of base64url[^\n]+\n$/ },
    { args: ['expose', ...own], code: 2, says: /--to[^\n]+\n$/ },
    { args: ['expose', ...own, '--to', '1', '--allow', 'me'], code: 2, says: /43 letters[^\n]+\n$/ },
    {
      args: ['expose', '--idfile', 'nowhere', '--relay', 'our.relay', '--to', '1'],
      code: 1,
      says: /there is no such file; [^\n]+\n$/,
    },
    {
      args: ['expose', '--idfile', 'db.ident', '--relay', 'db.ident', '--to', '1'],
      code: 1,
      says: /db\.ident/,
    },
    { args: ['tunnel'], code: 2, says: /unknown command[^\n]+\n$/ },
  ]) {
    const program = run('stnode', ...args);
    t.equal(await program.exited(), code, args.join(' '));
    t.match(program.stderr, says);
  }
  const help = run('stnode', '--help');
  t.equal(await help.exited(), 0);
  t.match(help.stdout, 'stnode expose --idfile db.ident');
  taken.server.close();
});
