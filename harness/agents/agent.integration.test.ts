import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { encodeRequest, payload } from '../measure/payload.ts';
import type { EventOf, TraceEvent } from '../trace/trace.ts';
import type { AgentCommand } from './protocol.ts';
import { isAlive, until } from './testing/processes.ts';

/** Deadline of everything waited for here; nothing should come near it. */
const MILLIS = 20_000;
t.setTimeout(120_000); // what is waited for has limits of its own
const AGENT = fileURLToPath(new URL('./agent.ts', import.meta.url));
const BIND = '127.0.0.1';
const LISTENS = `require('node:net').createServer().listen(+process.argv[1], '${BIND}')`;

class Agent {
  readonly child: ChildProcess;
  readonly events: TraceEvent[] = [];
  readonly complaints: string[] = [];

  constructor(t: Test) {
    this.child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', AGENT], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    createInterface({ input: stdout }).on('line', (line) => this.events.push(JSON.parse(line) as TraceEvent));
    createInterface({ input: stderr }).on('line', (line) => this.complaints.push(line));
    t.teardown(() => this.child.kill('SIGKILL'));
    this.send({ do: 'begin', base: String(process.hrtime.bigint()), seed: 1 });
  }

  say(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  send(command: AgentCommand): void {
    this.say(JSON.stringify(command));
  }

  program(who: string): void {
    const argv = [process.execPath, '-e', LISTENS, '{port}'];
    this.send({
      do: 'start',
      who,
      actor: { kind: 'program', argv, env: {}, host: BIND, listens: true },
      bind: BIND,
      watch: false,
    });
  }

  async heard<Type extends TraceEvent['type']>(type: Type, who: string): Promise<EventOf<Type>> {
    const find = (): TraceEvent | undefined =>
      this.events.find((event) => event.type === type && event.who === who);
    await until(`${type} of ${who}`, () => find() !== undefined, MILLIS);
    return find() as EventOf<Type>;
  }

  /** Process of a program it started. */
  async pid(who: string): Promise<number> {
    return Number(/^pid (\d+)/.exec((await this.heard('host.started', who)).form)?.[1]);
  }

  async complained(about: RegExp): Promise<void> {
    await until(`complaint ${about}`, () => this.complaints.some((line) => about.test(line)), MILLIS);
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

t.test('runs an actor over real sockets, tells it what it is told, and stamps what it says', async (t) => {
  const agent = new Agent(t);
  const start = { do: 'start', bind: BIND, watch: true } as const;
  agent.send({ ...start, who: 'home/service', actor: { kind: 'service' } });
  const { port } = await agent.heard('host.ready', 'home/service');
  agent.send({ ...start, who: 'users', actor: { kind: 'users' } });
  agent.send({
    do: 'tell',
    who: 'users',
    command: {
      ...{ do: 'open', tunnel: 1, to: { host: BIND, port }, mode: 'pool', client: 'c' },
      ...{ up: 96, down: 500, close: 'half', patienceMillis: MILLIS, stallMillis: 0, round: -1 },
    },
  });
  t.match(await agent.heard('tunnel.done', 'users'), { received: 500, sentEnd: 'fin', gotEnd: 'fin' });
  t.match(await agent.heard('tunnel.done', 'home/service'), { received: 96, gotEnd: 'fin' });
  t.match(await agent.heard('conn.opened', 'users'), { role: 'dialled', to: `${BIND}:${port}` }, 'watched');
  for (const who of ['users', 'home/service']) {
    const own = agent.events.filter((event) => event.who === who);
    t.same(
      own.map(({ n }) => n),
      own.map((_event, i) => i + 1),
      'numbered',
    );
    t.ok(
      own.every((event, i) => i === 0 || event.t >= (own[i - 1]?.t ?? 0)),
      'in time',
    );
  }
});

t.test('an actor that is killed lets go of its port', async (t) => {
  const agent = new Agent(t);
  agent.send({ do: 'start', who: 'service', actor: { kind: 'service' }, bind: BIND, watch: false });
  const { port } = await agent.heard('host.ready', 'service');
  const socket = connect({ host: BIND, port });
  await once(socket, 'connect');
  const tunnel = { tunnel: 1, up: 32, down: 9e6, mode: 'pool', close: 'full', round: -1 } as const;
  socket.write(encodeRequest(tunnel));
  t.same((await once(socket, 'data'))[0].subarray(0, 64), Buffer.from(payload(1, 'down', 0, 64)));
  socket.on('error', () => {});
  agent.send({ do: 'stop', who: 'service', how: 'kill' });
  await agent.heard('host.stopped', 'service');
  await until('the connection is gone', () => socket.closed, MILLIS);
  const again = connect({ host: BIND, port });
  t.match(await once(again, 'error').then(([error]) => error.code), 'ECONNREFUSED');
});

t.test('the end of its input is the end of it and of its programs', async (t) => {
  const agent = new Agent(t);
  agent.program('relay');
  await agent.heard('host.ready', 'relay');
  const pid = await agent.pid('relay');
  t.ok(isAlive(pid));
  agent.child.stdin?.end();
  t.equal(await agent.ended(), 0);
  await until('the program is gone', () => !isAlive(pid), MILLIS);
});

t.test('SIGTERM and exit end it alike; Ctrl-C in its terminal does not', async (t) => {
  for (const how of ['SIGTERM', 'exit'] as const) {
    const agent = new Agent(t);
    agent.program('relay');
    await agent.heard('host.ready', 'relay');
    const pid = await agent.pid('relay');
    for (const signal of ['SIGINT', 'SIGHUP'] as const) agent.child.kill(signal);
    agent.send({ do: 'audit', who: 'relay', moment: 'sample' });
    await agent.heard('audit.relay', 'relay');
    if (how === 'exit') agent.send({ do: 'exit' });
    else agent.child.kill(how);
    t.equal(await agent.ended(), 0, how);
    await until('the program is gone', () => !isAlive(pid), MILLIS);
  }
});

t.test('an agent that breaks takes its programs with it', async (t) => {
  const agent = new Agent(t);
  agent.program('relay');
  await agent.heard('host.ready', 'relay');
  const pid = await agent.pid('relay');
  const steps = [
    { do: 'wait', millis: 10 },
    { do: 'end', conn: 'never dialled' },
  ] as const;
  const actor = { kind: 'script', to: { host: BIND, port: 1 }, steps } as const;
  agent.send({ do: 'start', who: 'users/broken', actor, bind: BIND, watch: false });
  await agent.ended();
  await until('the program is gone', () => !isAlive(pid), MILLIS);
  t.pass();
});

t.test('what is no command is complained about, and the next one is heard', async (t) => {
  const agent = new Agent(t);
  agent.say('{"do":');
  await agent.complained(/not a command/);
  agent.say('null');
  agent.say('[]');
  agent.say('{"do":"dance"}');
  await agent.complained(/no such command.*dance/);
  agent.send({ do: 'tell', who: 'nobody', command: { do: 'push', round: 0, bytes: 1 } });
  await agent.complained(/tell failed.*no actor nobody here/);
  agent.send({ do: 'stop', who: 'nobody', how: 'kill' });
  await agent.complained(/stop failed/);
  agent.send({ do: 'start', who: 'service', actor: { kind: 'service' }, bind: BIND, watch: false });
  await agent.heard('host.ready', 'service');
  t.ok(agent.complaints.every((line) => line.startsWith('agent: ')));
});

t.test('an actor that cannot be has crashed, for whoever waits for it', async (t) => {
  const agent = new Agent(t);
  const start = { do: 'start', bind: BIND, watch: false } as const;
  agent.say(JSON.stringify({ ...start, who: 'home/wizard', actor: { kind: 'wizard' } }));
  t.match(await agent.heard('host.crashed', 'home/wizard'), { reason: /no actor is called "wizard"/ });
  agent.send({ ...start, who: 'service', actor: { kind: 'service' }, bind: '203.0.113.1' });
  t.match(await agent.heard('host.crashed', 'service'), { reason: /cannot listen/ });
});

t.test('one told to keep outlives its input, and SIGTERM ends it with its programs', async (t) => {
  const agent = new Agent(t);
  agent.program('relay');
  await agent.heard('host.ready', 'relay');
  const pid = await agent.pid('relay');
  agent.send({ do: 'keep' });
  agent.child.stdin?.end();
  agent.child.stdout?.destroy();
  agent.child.stderr?.destroy();
  const { pid: own = 0 } = agent.child;
  const gone = until('the agent is gone', () => !isAlive(own), 500);
  await t.rejects(gone, 'half a second later it is still there');
  t.ok(isAlive(pid), 'and its program');
  agent.child.kill('SIGTERM');
  await until('both are gone', () => !isAlive(own) && !isAlive(pid), MILLIS);
});
