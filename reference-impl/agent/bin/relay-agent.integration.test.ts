import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { eventually, newFolder, Program, shell } from '../testing/program.ts';

t.setTimeout(240_000);

const folderWith = (files: Readonly<Record<string, string>> = {}): string => {
  const folder = newFolder(files);
  t.teardown(() => folder.remove());
  return folder.path;
};
const CONTROL = `[plugins.socket-control]
socket_path = "alumet-control.sock"
`;
const MEMORY = `[plugins.procfs]
kernel = { enabled = false }
network = { enabled = false }
processes = { enabled = false }
memory = { poll_interval = "20ms" }
`;
const CSV = '[plugins.csv]\noutput_path = "out.csv"\n';
const linesOf = (file: string): number =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;

t.test('help and version have short names, too', async (t) => {
  for (const [args, message] of [
    [['-h'], /^Usage: relay-agent /],
    [['exec', '-h'], /^Usage: relay-agent exec /],
    [['-V'], /^\d+\.\d+\.\d+\n$/],
  ] as const) {
    const program = new Program(args, { cwd: folderWith() });
    t.equal(await program.exited(), 0, args.join(' '));
    t.match(program.stdout, message);
  }
});

t.test('a wrong command line ends with 2 and one line on stderr', async (t) => {
  const cwd = folderWith();
  for (const args of [
    ['--nonsense'],
    ['exec'],
    ['watch', 'x'],
    ['nonsense'],
    ['--metrics', 'x:y'],
    ['ctl'],
    ['config'],
  ]) {
    const program = new Program(args, { cwd });
    t.equal(await program.exited(), 2, args.join(' '));
    t.match(program.stderr, /^relay-agent: [^\n]*\n$|^Usage/, args.join(' '));
  }
  t.same(readdirSync(cwd), []);
});

t.test(
  'a configuration that cannot be ends with 2 and one line that says where and what to do',
  async (t) => {
    for (const [text, message] of [
      ['[plugins.cvs]\n', /^relay-agent: alumet-config\.toml: plugins: .*'cvs'; did you mean 'csv'\? .*\n$/],
      [
        '[plugins.csv]\noutput_pat = ""\n',
        /^relay-agent: plugins\.csv\.output_pat: .*did you mean 'output_path'\?.*\n$/,
      ],
      [
        '[plugins.relay-client]\nclient_name = "$' + '{NOT_SET}"\n',
        /^relay-agent: alumet-config\.toml:2: .*NOT_SET.*not set.*\n$/,
      ],
      [
        '[plugins.procfs.memory]\npoll_interval = "5"\n',
        /^relay-agent: plugins\.procfs\.memory\.poll_interval: .*time unit needed.*\n$/,
      ],
      ['[plugins\n', /^relay-agent: alumet-config\.toml:1:\d+: expected TOML.*\n$/],
    ] as const) {
      const program = new Program([], { cwd: folderWith({ 'alumet-config.toml': text }) });
      t.equal(await program.exited(), 2, text);
      t.match(program.stderr, message);
    }
    const absent = new Program(['--no-default-config'], { cwd: folderWith() });
    t.equal(await absent.exited(), 2);
    t.match(absent.stderr, /alumet-config\.toml: .*no such file.*config regen/);
  },
);

t.test('config regen writes a file that runs, over an older one, and the environment names it', async (t) => {
  const cwd = folderWith({ 'mine.toml': 'broken [' });
  const environment = { ALUMET_CONFIG: 'mine.toml' };
  const regen = new Program(['config', 'regen'], { cwd, environment });
  t.equal(await regen.exited(), 0);
  t.same(readdirSync(cwd), ['mine.toml'], 'nothing else is left');
  const agent = await Program.agent(['--no-default-config'], { cwd, environment });
  t.same((await agent.logged('running')).plugins, ['procfs', 'csv']);
  agent.kill('SIGINT');
  t.equal(await agent.exited(), 0);
  t.ok(linesOf(join(cwd, 'alumet-output.csv')) > 1);
});

t.test('an agent whose stdout nobody reads any more goes on, and ends in order', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CONTROL + MEMORY + CSV });
  const agent = new Program([], { cwd });
  agent.child.stdout?.destroy();
  await agent.logged('running');
  const file = join(cwd, 'out.csv');
  const before = linesOf(file);
  await eventually('more points', () => linesOf(file) > before + 8);
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 0, agent.stderr);
});

t.test('a ^C that comes by several ways is one: the stop is in order', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CONTROL + MEMORY + CSV });
  const agent = await Program.agent([], { cwd });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) agent.kill(signal);
  t.equal(await agent.exited(), 0);
  t.match(await agent.logged('stopped'), { clean: true });
});

t.test('an output that nobody reads keeps no agent from its end', async (t) => {
  const cwd = folderWith({
    'alumet-config.toml': `shutdown_grace = "300ms"\n${MEMORY}[plugins.csv]\noutput_path = "pipe"\n[plugins.synthetic]\nrate = 100_000\n`,
  });
  t.equal((await shell('mkfifo pipe', cwd)).code, 0);
  const agent = await Program.agent([], { cwd });
  await agent.logged('whoever measures waits until pipe has room');
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 1);
  t.match(agent.stderr, /not everything could be written within shutdown_grace/);
});

t.test('the socat lines of the document work as printed', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CONTROL + MEMORY + CSV });
  const agent = await Program.agent([], { cwd });
  const say = (command: string): Promise<{ readonly code: number; readonly stdout: string }> =>
    shell(`echo "${command}" | socat UNIX-CONNECT:./alumet-control.sock -`, cwd);
  t.equal(statSync(join(cwd, 'alumet-control.sock')).mode & 0o777, 0o600);
  const file = join(cwd, 'out.csv');
  await eventually('points', () => linesOf(file) > 8);
  for (const command of [
    ...['control * pause', 'control */*/* resume', 'control output resume', 'control output/*/* pause'],
    ...['control transform/plugin-energy-attribution/* pause', 'control source/plugin-procfs/memory pause'],
  ])
    t.same(await say(command), { code: 0, stdout: 'ok\n' }, command);
  t.same(await say('control output enable'), { code: 0, stdout: 'ok\n' });
  // an ok means that it is in force: from here on nothing is measured
  await say('control source stop');
  const before = linesOf(file);
  t.match(await say('control source resume'), { stdout: 'ok\n' });
  t.match(await say('hello'), { code: 0, stdout: /^error: unknown command 'hello'; available commands are/ });
  const ctl = new Program(['ctl', 'control output pause', 'control sauce pause'], { cwd });
  t.equal(await ctl.exited(), 1);
  t.match(ctl.stdout, /^ok\nerror: bad kind: 'sauce'.*did you mean 'source'\?\n$/);
  t.equal(linesOf(file), before);
  t.same(await say('shutdown'), { code: 0, stdout: 'ok\n' });
  t.equal(await agent.exited(), 0);
  t.same(readdirSync(cwd).sort(), ['alumet-config.toml', 'out.csv'], 'the socket is gone');
  const nobody = new Program(['ctl', 'shutdown'], { cwd });
  t.equal(await nobody.exited(), 3);
  t.match(
    nobody.stderr,
    /^relay-agent: alumet-control\.sock: expected the control socket of a running agent/,
  );
});

t.test('a second agent on the same control socket does not start, and leaves the first alone', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CONTROL + MEMORY });
  const first = await Program.agent([], { cwd });
  const second = new Program([], { cwd });
  t.equal(await second.exited(), 1);
  t.match(second.stderr, /alumet-control\.sock: .*the socket of a process that runs.*SOCKET_IN_USE/);
  first.kill('SIGKILL');
  await first.exited();
  t.ok(existsSync(join(cwd, 'alumet-control.sock')), 'kill -9 leaves it behind');
  const third = await Program.agent([], { cwd });
  third.kill('SIGTERM');
  t.equal(await third.exited(), 0);
  t.notOk(existsSync(join(cwd, 'alumet-control.sock')));
});

t.test('SIGHUP takes over what changed, leaves the rest, and a mistake changes nothing', async (t) => {
  const period = (text: string): string => MEMORY.replace('"20ms"', text);
  const cwd = folderWith({ 'alumet-config.toml': CSV + CONTROL + period('"1h"') });
  const file = join(cwd, 'alumet-config.toml');
  const agent = await Program.agent([], { cwd });
  const csv = join(cwd, 'out.csv');
  await eventually('the first poll', () => linesOf(csv) === 9);
  writeFileSync(file, CSV + CONTROL + period('"soon"'));
  agent.kill('SIGHUP');
  t.match((await agent.logged('reload failed')).why, /poll_interval.*expected number at 0/);
  writeFileSync(file, CSV + CONTROL + period('"20ms"'));
  agent.kill('SIGHUP');
  const { started, stopped } = await agent.logged('reloaded');
  t.same([started, stopped], [['procfs'], ['procfs']]);
  await eventually('more polls', () => linesOf(csv) > 40);
  writeFileSync(file, CSV.replace('out.csv', 'other.csv') + CONTROL + period('"20ms"'));
  agent.kill('SIGHUP');
  await eventually('the other file', () => linesOf(join(cwd, 'other.csv')) > 9);
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 0);
});

t.test('a reload whose new plugins cannot start goes back to the old ones', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CSV + MEMORY });
  const agent = await Program.agent([], { cwd });
  const csv = join(cwd, 'out.csv');
  await eventually('points', () => linesOf(csv) > 9);
  writeFileSync(join(cwd, 'alumet-config.toml'), CSV.replace('out.csv', 'no/such/folder.csv') + MEMORY);
  agent.kill('SIGHUP');
  await agent.logged('reload failed');
  const before = linesOf(csv);
  await eventually('points in the old file', () => linesOf(csv) > before + 16);
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 0);
});

t.test("exec passes on the command's output and code, and measures meanwhile", async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': `${CSV}${MEMORY.replace('"20ms"', '"1h"')}` });
  const agent = new Program(['exec', '--', '/bin/sh', '-c', 'echo out; echo err >&2; exit 7', '--flag'], {
    cwd,
  });
  t.equal(await agent.exited(), 7);
  t.equal(agent.stdout, 'out\n', 'stdout is the command alone');
  t.match(agent.stderr, /^err$/m);
  t.ok(linesOf(join(cwd, 'out.csv')) >= 1 + 2 * 8, 'polled when it began and when it ended');
  const ignored = new Program(['exec', '--ignore-exit-code', '--', 'false'], { cwd });
  t.equal(await ignored.exited(), 0);
  const absent = new Program(['exec', '--', './no-such-command'], { cwd });
  t.equal(await absent.exited(), 127);
  t.match(absent.stderr, /relay-agent: \.\/no-such-command: no such command/);
  const killed = new Program(['exec', '--', '/bin/sh', '-c', 'kill -9 $$'], { cwd });
  t.equal(await killed.exited(), 137);
});

t.test('a signal to exec goes to the command, and its code comes back', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CSV + MEMORY });
  const script = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done';
  const agent = new Program(['exec', '--', '/bin/sh', '-c', script], { cwd });
  await agent.said(/^ready\n/);
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 5);
});

t.test('watch ends with the process it watches', async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CSV + MEMORY });
  const watched = new Program(['3600'], { cwd, command: ['sleep'] });
  const agent = new Program(['watch', String(watched.child.pid)], { cwd });
  await agent.logged('running');
  watched.kill('SIGKILL');
  t.equal(await agent.exited(), 0);
  const gone = new Program(['watch', String(watched.child.pid)], { cwd });
  t.equal(await gone.exited(), 1);
  t.match(gone.stderr, /watch: expected the number of a process that runs/);
});

t.test("the agent's own metrics are served where asked, and a port in use ends the start", async (t) => {
  const cwd = folderWith({ 'alumet-config.toml': CSV + MEMORY });
  const agent = await Program.agent(['--metrics', '127.0.0.1:0'], { cwd });
  const { address } = (await agent.logged('metrics')) as unknown as {
    address: { address: string; port: number };
  };
  t.equal(address.address, '127.0.0.1');
  await eventually('points', () => linesOf(join(cwd, 'out.csv')) > 9);
  const text = await (await fetch(`http://127.0.0.1:${address.port}/metrics`)).text();
  t.match(text, /^relay_agent_source_polls_total\{element="procfs\/memory"\} [1-9]/m);
  t.match(text, /^relay_agent_output_points_total\{element="csv\/out"\} [1-9]/m);
  const second = new Program(['--metrics', String(address.port), '--output-file', 'other.csv'], { cwd });
  t.equal(await second.exited(), 1);
  t.match(second.stderr, /--metrics: expected an address that can be listened on.*EADDRINUSE/);
  agent.kill('SIGTERM');
  t.equal(await agent.exited(), 0);
});

t.test('a port in use ends the start of a server with one line', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const cwd = folderWith();
  const agent = new Program(['--relay-in', `127.0.0.1:${port}`], { cwd });
  t.equal(await agent.exited(), 1);
  t.match(agent.stderr, /^relay-agent: relay-server\/tcp_server: .*in use.*RELAY_LISTEN\)\n$/m);
  taken.close();
});
