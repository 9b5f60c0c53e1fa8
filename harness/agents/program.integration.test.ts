import { once } from 'node:events';
import { connect } from 'node:net';
import t, { type Test } from 'tap';
import type { Happening } from '../trace/trace.ts';
import { Program, type ProgramPatience } from './program.ts';

/** Deadline of everything waited for here; nothing should come near it. */
const MILLIS = 20_000;
t.setTimeout(120_000); // what is waited for has limits of its own
const HOST = '127.0.0.1';
/** Programs for `node -e`. `{port}` is argument 1. */
const LISTENS = `require('node:net').createServer((s) => s.end('hi')).listen(+process.argv[1], '${HOST}')`;
const DEAF = `process.on('SIGTERM', () => {}); ${LISTENS}`;

type Watched = { program: Program; said: Happening[]; next: (type: Happening['type']) => Promise<Happening> };
const watched = (t: Test, code: string, listens: boolean, patience?: Partial<ProgramPatience>): Watched =>
  run(t, [process.execPath, '-e', code, '{port}'], listens, patience);

const run = (
  t: Test,
  argv: readonly string[],
  listens: boolean,
  patience: Partial<ProgramPatience> = {},
): Watched => {
  const said: Happening[] = [];
  const heard: (() => void)[] = [];
  const program = new Program(
    { kind: 'program', argv, env: { ANSWER: '42' }, host: HOST, listens },
    (event) => {
      said.push(event);
      for (const wake of heard.splice(0)) wake();
    },
    { readyMillis: MILLIS, stopMillis: MILLIS, ...patience },
  );
  t.teardown(() => program.kill('SIGKILL'));
  let at = 0;
  const next = async (type: Happening['type']): Promise<Happening> => {
    const late = setTimeout(() => {
      throw new Error(`no ${type} within ${MILLIS} ms; said: ${JSON.stringify(said)}`);
    }, MILLIS);
    for (;;) {
      const found = said.findIndex((event, i) => i >= at && event.type === type);
      if (found >= 0) {
        at = found + 1;
        clearTimeout(late);
        return said[found] as Happening;
      }
      await new Promise<void>((resolve) => heard.push(resolve));
    }
  };
  return { program, said, next };
};

const portOf = (event: Happening): number => (event.type === 'host.ready' ? event.port : -1);
const answers = async (port: number): Promise<boolean> => {
  const socket = connect({ host: HOST, port });
  const [text] = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => ['']);
  socket.destroy();
  return String(text) === 'hi';
};

t.test('is ready when it listens, stops in order, and comes back on the same port', async (t) => {
  const { program, next } = watched(t, LISTENS, true);
  await program.start();
  const port = portOf(await next('host.ready'));
  t.ok(await answers(port));
  await program.stop('orderly');
  t.same(await next('host.stopped'), { type: 'host.stopped', code: -1 });
  t.notOk(await answers(port));
  await program.start();
  t.equal(portOf(await next('host.ready')), port);
  t.ok(await answers(port));
  await program.stop('kill');
  await next('host.stopped');
  await program.stop('kill');
});

t.test('one that is started while it runs is the same one; while it is killed, a new one', async (t) => {
  const { program, said, next } = watched(t, LISTENS, true);
  await program.start();
  const { pid } = program;
  await program.start();
  t.equal(program.pid, pid);
  const gone = program.stop('kill');
  await Promise.all([gone, program.start()]);
  await next('host.stopped');
  t.not(program.pid, pid);
  t.equal(said.filter(({ type }) => type === 'host.crashed').length, 0);
});

t.test('whoever dies at once has crashed, with its last words', async (t) => {
  const { program, next, said } = watched(t, `console.error('no\\nroom'); process.exit(3)`, true);
  await program.start();
  t.same(await next('host.crashed'), {
    type: 'host.crashed',
    reason: 'exit code 3; last said: no | room',
  });
  t.notOk(said.some(({ type }) => type === 'host.ready'));
  t.equal(program.pid, undefined);
});

t.test('a signal is a crash too when nobody asked for it', async (t) => {
  const { program, next } = watched(t, LISTENS, true);
  await program.start();
  process.kill(program.pid ?? 0, 'SIGSEGV');
  t.match(await next('host.crashed'), { reason: /^SIGSEGV, said nothing/ });
});

t.test('a command that is not there has crashed', async (t) => {
  const { program, next, said } = run(t, ['/nowhere/relay', '{port}'], true);
  await program.start();
  t.match(await next('host.crashed'), { reason: /ENOENT/ });
  t.equal(said.length, 1, 'and nothing else');
  await program.stop('orderly');
});

t.test('whoever never listens has crashed and does not stay', async (t) => {
  const { program, next } = watched(t, `console.log('thinking'); setInterval(() => {}, 1e6)`, true, {
    readyMillis: 1_000,
  });
  await program.start();
  t.match(await next('host.crashed'), { reason: /does not listen on port \d+ after 1000 ms/ });
  await next('host.stopped');
});

t.test('whoever minds no SIGTERM is killed', async (t) => {
  const { program, next } = watched(t, DEAF, true, { stopMillis: 100 });
  await program.start();
  await program.stop('orderly');
  t.match(await next('host.stopped'), { code: -1 });
});

t.test('its whole group ends with it', async (t) => {
  const child = `setInterval(() => {}, 1e6)`;
  const parent = `const c = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'ignore' });
    console.log('child ' + c.pid); ${LISTENS}`;
  const { program, next, said } = watched(t, parent, true);
  await program.start();
  const line = await next('host.output');
  const pid = Number(line.type === 'host.output' ? line.text.split(' ')[1] : 0);
  t.ok(pid > 0 && process.kill(pid, 0), 'there is a child');
  await program.stop('kill');
  t.ok(said.some(({ type }) => type === 'host.stopped'));
  await untilGone(pid);
  t.pass('and it is gone');
});

const untilGone = async (pid: number): Promise<void> => {
  for (const until = performance.now() + MILLIS; performance.now() < until; ) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`process ${pid} is still there`);
};

t.test('is given its port and its environment, and its books are read from outside', async (t) => {
  const { program, next } = watched(t, `console.log(process.argv[1], process.env.ANSWER); ${LISTENS}`, true);
  await program.start();
  const port = portOf(await next('host.ready'));
  await program.audit('before');
  const books = await next('audit.relay');
  if (process.platform === 'linux') {
    t.match(books, { moment: 'before', listening: 1 });
    t.ok(books.type === 'audit.relay' && books.fds > 3 && books.rssBytes > 1e6);
  }
  await program.stop('kill');
  await program.audit('after');
  t.match(await next('audit.relay'), { moment: 'after', fds: -1 }, 'nothing to read');
  t.ok(port > 0);
});

t.test('one that is not to listen is started and that is all', async (t) => {
  const { program, next, said } = watched(t, `console.log('established relay address: x:41')`, false);
  await program.start();
  t.match(await next('host.output'), { text: 'established relay address: x:41' });
  t.match(await next('host.crashed'), { reason: /^exit code 0/ }, 'nobody told it to end');
  t.notOk(said.some(({ type }) => type === 'host.ready'));
});
