/** Redis by public key between two sites behind kernel NATs of their own: nothing leads from one to the other but `stnode`. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { until } from '../harness/agents/testing/processes.ts';
import { whyNoKernel } from '../harness/labs/netns/kernel-here.ts';

const MILLIS = 30_000;
t.setTimeout(180_000);
const RELAY = '10.79.0.1';
const RULES = `
table ip rl {
  chain post { type nat hook postrouting priority 100; oifname "wan0" masquerade fully-random; }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "lan0" accept
    ct state established accept
  }
}`;
const run = promisify(execFile);
const bin = (name: string): string =>
  fileURLToPath(new URL(`../reference-impl/identity-relay/bin/${name}.ts`, import.meta.url));

const ip = (...words: readonly string[]): void => {
  const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
};

/** Namespaces `hub` (open to both), and a gateway and a host for each of two sites. */
const layOut = (ns: (name: string) => string): void => {
  const inside = (name: string, ...words: readonly string[]): void => ip('-n', ns(name), ...words);
  const pair = (a: string, aDev: string, aIp: string, b: string, bDev: string, bIp: string): void => {
    ip('link', 'add', aDev, 'netns', ns(a), 'type', 'veth', 'peer', 'name', bDev, 'netns', ns(b));
    for (const [name, dev, address] of [
      [a, aDev, aIp],
      [b, bDev, bIp],
    ] as const) {
      inside(name, 'addr', 'add', address, 'dev', dev);
      inside(name, 'link', 'set', dev, 'up');
    }
  };
  for (const name of ['hub', 'gw1', 'gw2', 'in1', 'in2']) {
    ip('netns', 'add', ns(name));
    inside(name, 'link', 'set', 'lo', 'up');
  }
  inside('hub', 'addr', 'add', `${RELAY}/32`, 'dev', 'lo');
  for (const n of [1, 2]) {
    pair('hub', `hub${n}`, `10.77.${n}.1/24`, `gw${n}`, 'wan0', `10.77.${n}.2/24`);
    pair(`gw${n}`, 'lan0', `10.78.${n}.1/24`, `in${n}`, 'eth0', `10.78.${n}.2/24`);
    inside(`gw${n}`, 'route', 'add', 'default', 'via', `10.77.${n}.1`);
    inside(`in${n}`, 'route', 'add', 'default', 'via', `10.78.${n}.1`);
    const gateway = ['netns', 'exec', ns(`gw${n}`)];
    ip(...gateway, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const { status, stderr } = spawnSync('ip', [...gateway, 'nft', '-f', '-'], { input: RULES });
    if (status !== 0) throw new Error(`nft: ${stderr}`);
  }
};

const absent = ['redis-server', 'redis-cli', 'redis-benchmark'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
);
const skip =
  absent.length > 0
    ? `not installed here: ${absent.join(', ')} (Debian: redis)`
    : (whyNoKernel('relaylab-redis') ?? false);

t.test('a Redis session by key between two sites behind NATs', { skip }, async (t) => {
  const ns = (name: string): string => `redis-by-key-${process.pid}-${name}`;
  const folder = t.testdir();
  const children: ChildProcess[] = [];
  t.teardown(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
    for (const name of ['hub', 'gw1', 'gw2', 'in1', 'in2']) spawnSync('ip', ['netns', 'del', ns(name)]);
  });
  layOut(ns);
  const start = async (
    where: string,
    says: RegExp,
    ...command: readonly string[]
  ): Promise<RegExpExecArray> => {
    const args = ['netns', 'exec', ns(where), ...command];
    const child = spawn('ip', args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let said = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    await until(`${command.join(' ')} says ${says}`, () => says.test(said), MILLIS);
    return says.exec(said) as RegExpExecArray;
  };
  const at = async (where: string, ...command: readonly string[]): Promise<string> => {
    const args = ['netns', 'exec', ns(where), ...command];
    return (await run('ip', args, { cwd: folder, timeout: MILLIS })).stdout.trimEnd();
  };
  const node = process.execPath;
  for (const name of ['relay', 'db', 'laptop'])
    await at('hub', node, bin('stmgr'), 'gen-ident', '-o', `${name}.ident`);
  const ticket = ['relay-ticket', '-a', `${RELAY}:4567`, '-i', 'relay.ident', '-o', 'our.relay'];
  await at('hub', node, bin('stmgr'), ...ticket);
  const keyOf = async (file: string): Promise<string> =>
    /[\w-]{43}/.exec(await at('hub', node, bin('stmgr'), 'show', file))?.[0] ?? '';
  const laptop = await keyOf('laptop.ident');

  await start('in1', /Ready to accept/, 'redis-server', '--bind', '127.0.0.1', '--save', '');
  const relay = ['-i', 'relay.ident', '-l', '0.0.0.0:4567', '--log-level', 'warn'];
  await start('hub', /listening on/, node, bin('strelay'), ...relay);
  const own = ['--relay', 'our.relay', '--log-level', 'error'];
  const [, key = ''] = await start(
    ...(['in1', /reachable as (\S+)\n/, node, bin('stnode'), 'expose', '--idfile', 'db.ident'] as const),
    ...['--to', 'localhost:6379', '--allow', laptop, ...own],
  );
  const reach = ['reach', key, '--idfile', 'laptop.ident', '--listen', '6380', ...own];
  await start('in2', /listening on 127\.0\.0\.1:6380\n/, node, bin('stnode'), ...reach);

  await t.rejects(at('in2', 'redis-cli', '-h', '10.78.1.2', '-t', '1', 'PING'), 'no other way leads there');
  const cli = (...words: readonly string[]): Promise<string> =>
    at('in2', 'redis-cli', '-p', '6380', ...words);
  t.equal(await cli('SET', 'greeting', 'by key'), 'OK');
  t.equal(await cli('GET', 'greeting'), 'by key');
  t.equal(await at('in1', 'redis-cli', 'GET', 'greeting'), 'by key', 'it is that very server');
  const bench = ['-p', '6380', '-q', '-n', '500', '-c', '50', '-t', 'set,get'];
  t.match(await at('in2', 'redis-benchmark', ...bench), /SET: [\d.]+ requests[\s\S]*GET: [\d.]+ requests/);
});
