/** A service nobody wrote for this: Redis behind the forwarder, used by its ordinary client through the relay. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { until } from '../agents/testing/processes.ts';

/** Deadline of everything waited for here; nothing should come near it. */
const MILLIS = 30_000;
t.setTimeout(300_000); // what is waited for has limits of its own
const HOST = '127.0.0.1';
const RELAY = fileURLToPath(new URL('../../reference-impl/port-relay/bin/relay.ts', import.meta.url));
const absent = ['redis-server', 'redis-cli', 'redis-benchmark'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
);
const skip = absent.length === 0 ? false : `not installed here: ${absent.join(', ')} (Debian: redis)`;
const run = promisify(execFile);

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return address !== null && typeof address === 'object' ? address.port : 0;
};

const children = new Set<ChildProcess>();
const start = (command: string, args: readonly string[]): ChildProcess => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
};
const stop = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
};
t.teardown(() => {
  for (const child of children) child.kill('SIGKILL');
});

const listening = async (port: number): Promise<void> => {
  let up = false;
  const knock = (): void => {
    const socket: Socket = connect({ host: HOST, port });
    socket.once('connect', () => {
      up = true;
      socket.destroy();
    });
    socket.once('error', () => setTimeout(knock, 50));
  };
  knock();
  await until(`port ${port} answers`, () => up, MILLIS);
};

const relayOn = (port: number): ChildProcess =>
  start(process.execPath, [RELAY, String(port), '--bind', HOST, '--log-level', 'error']);

/** Public ports the forwarder told, in order. */
const forward = (service: number, relay: number): { child: ChildProcess; ports: number[] } => {
  const flags = [`--localForwardPort=${service}`, '--log-level', 'error', HOST, String(relay)];
  const child = start(process.execPath, [RELAY, ...flags]);
  const ports: number[] = [];
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const port = /^established relay address: .*:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) ports.push(Number(port));
    });
  return { child, ports };
};

const cli = async (port: number, ...words: readonly string[]): Promise<string> => {
  const { stdout } = await run('redis-cli', ['-h', HOST, '-p', String(port), ...words], { timeout: MILLIS });
  return stdout.trimEnd();
};

/** One connection that pipelines: everything is written before anything is read. */
const pipelined = async (port: number, commands: number): Promise<string> => {
  const socket = connect({ host: HOST, port });
  socket.setTimeout(MILLIS, () => socket.destroy(new Error('silence')));
  const all = Array.from(
    { length: commands },
    (_, i) => `*3\r\n$3\r\nSET\r\n$6\r\n${String(i).padStart(6, '0')}\r\n$1\r\nx\r\n`,
  );
  socket.end(all.join(''));
  let text = '';
  for await (const piece of socket) text += piece;
  return text;
};

t.test('Redis behind the forwarder is Redis, also after the relay was away', { skip }, async (t) => {
  const [servicePort, relayPort] = [await freePort(), await freePort()];
  const flags = ['--port', String(servicePort), '--bind', HOST, '--save', '', '--appendonly', 'no'];
  const redis = start('redis-server', [...flags, '--dir', t.testdir()]);
  redis.stdout?.resume();
  await listening(servicePort);
  let relay = relayOn(relayPort);
  const { child, ports } = forward(servicePort, relayPort);
  await until('the forwarder is registered', () => ports.length > 0, MILLIS);
  let port = ports[0] as number;
  t.not(port, servicePort);

  await t.test('a command and its answer', async (t) => {
    t.equal(await cli(port, 'SET', 'greeting', 'through the relay'), 'OK');
    t.equal(await cli(port, 'GET', 'greeting'), 'through the relay');
    t.equal(await cli(servicePort, 'GET', 'greeting'), 'through the relay', 'it is that very server');
    const big = 'x'.repeat(100_000);
    t.equal(await cli(port, 'SET', 'big', big), 'OK');
    t.equal(await cli(port, 'GET', 'big'), big);
  });

  await t.test(
    'a pipeline of 10,000 commands is answered whole, after the client has ended its half',
    async (t) => {
      t.equal(await pipelined(port, 10_000), '+OK\r\n'.repeat(10_000));
      t.equal(await cli(port, 'DBSIZE'), '10002');
    },
  );

  await t.test('fifty connections at once', async (t) => {
    const bench = ['-h', HOST, '-p', String(port), '-q', '-n', '2000', '-c', '50', '-t', 'set,get'];
    const { stdout } = await run('redis-benchmark', bench, { timeout: MILLIS });
    t.match(stdout, /SET: [\d.]+ requests per second[\s\S]*GET: [\d.]+ requests per second/);
  });

  const heard: string[] = [];
  const subscriber = start('redis-cli', ['-h', HOST, '-p', String(port), 'SUBSCRIBE', 'news']);
  if (subscriber.stdout !== null)
    createInterface({ input: subscriber.stdout }).on('line', (line) => heard.push(line));
  await t.test('a subscriber hears what others publish', async (t) => {
    await until('it is subscribed', () => heard.includes('subscribe'), MILLIS);
    for (const word of ['one', 'two', 'three']) t.equal(await cli(port, 'PUBLISH', 'news', word), '1');
    await until('it heard the last one', () => heard.includes('three'), MILLIS);
    t.same(
      heard.filter((line) => ['one', 'two', 'three'].includes(line)),
      ['one', 'two', 'three'],
    );
  });

  await t.test(
    'a relay that is killed and comes back is registered at again, and nothing is lost behind it',
    async (t) => {
      await stop(relay, 'SIGKILL');
      await t.rejects(cli(port, 'PING'), 'nobody answers meanwhile');
      t.equal(await cli(servicePort, 'DBSIZE'), '10003', 'the server noticed nothing but ended connections');
      relay = relayOn(relayPort);
      await until('the forwarder is registered again', () => ports.length > 1, MILLIS);
      port = ports.at(-1) as number;
      t.equal(await cli(port, 'GET', 'greeting'), 'through the relay');
      t.equal(await pipelined(port, 1_000), '+OK\r\n'.repeat(1_000));
    },
  );

  await t.test('no connection to the server is left behind', async (t) => {
    if (children.has(subscriber)) await stop(subscriber, 'SIGKILL');
    await stop(child, 'SIGTERM');
    await stop(relay, 'SIGTERM');
    let clients = -1;
    const ask = async (): Promise<void> => {
      clients = Number(/connected_clients:(\d+)/.exec(await cli(servicePort, 'INFO', 'clients'))?.[1]);
    };
    for (let tries = 0; tries < 50 && clients !== 1; tries++) await ask();
    t.equal(clients, 1, 'the one who asks');
  });
});
