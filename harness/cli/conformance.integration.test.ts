/** The gate as somebody else's CI calls it: targets of every bad kind, exit codes, files, a baseline from first to last. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { until, withMark } from '../agents/testing/processes.ts';
import { identityOf } from '../conformance/suites/identity/keys.ts';
import { execServer } from '../conformance/targets/exec-server.ts';

t.setTimeout(300_000);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MARK = `RELAYLAB_TEST_${process.pid}_${performance.timeOrigin}`;
const LINUX = process.platform === 'linux' ? false : 'looks for processes in /proc';
const node = (file: string): string => `"${process.execPath}" "${join(ROOT, file)}"`;
const YAMUX = node('harness/conformance/subjects/yamux-app.ts');
const GOOD = `${YAMUX} listen {port}`;
const BAD = `${YAMUX} --defect ping-unanswered listen {port}`;
const script = (text: string): string => `"${process.execPath}" -e "${text.replaceAll('"', '\\"')}" {port}`;

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

const environment = (more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const env: NodeJS.ProcessEnv = { ...process.env, [MARK]: '1', LANG: 'C.UTF-8' };
  for (const name of Object.keys(env))
    if (/^(npm_|CI$|FORCE_COLOR|NO_COLOR|GITHUB_|TAP)/.test(name)) delete env[name];
  return { ...env, ...more };
};

const launch = (cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const program = ['--disable-warning=ExperimentalWarning', join(ROOT, 'harness/cli/relaylab.ts'), ...args];
  const child = spawn(process.execPath, program, { cwd, env: environment(env) });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const over = once(child, 'close').then(([code]) => ({ code, out, err }) as Ended);
  return { child, out: () => out, over };
};
const lab = (cwd: string, ...args: readonly string[]): Promise<Ended> => launch(cwd, args).over;
const gate = (cwd: string, exec: string, ...more: readonly string[]): Promise<Ended> =>
  lab(cwd, 'conformance', 'yamux', '--exec', exec, '--seed', '7', '--out', 'out', ...more);
const report = (cwd: string) => JSON.parse(readFileSync(join(cwd, 'out', 'report.json'), 'utf8'));
const nobodyLeft = (t: Test): void =>
  t.teardown(() => until('no process is left', () => withMark(MARK).length === 0, 10_000));

t.test('exit 0: everything holds, and every file is there', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const { code, out, err } = await gate(cwd, GOOD, '--case', 'ping,frame');
  t.same([code, err], [0, '']);
  t.match(out, /PASS \(exit 0\) {2}out\/report\.html\n$/);
  for (const name of ['report.html', 'report.json', 'report.md', 'report.tap', 'junit.xml', 'badge.json'])
    t.ok(existsSync(join(cwd, 'out', name)), name);
  t.match(report(cwd), { exitCode: 0, partial: /^18 of 43 cases were asked for$/ });
  nobodyLeft(t);
});

t.test('exit 1: clause, bytes, and a command that shows just that again', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const { code, out } = await gate(cwd, BAD, '--case', 'ping');
  t.equal(code, 1);
  t.match(out, /✖ F1 {2}yamux\/ping\/\S+ {2}YAMUX-PING-1 MUST {2}blame: target/);
  t.match(out, /-> carrier +12 bytes {2}0002000100000000/);
  const again = /again +relaylab (conformance .*)/.exec(out)?.[1] ?? '';
  t.match(again, /--case yamux\/ping\/value-\w+ --seed 000007$/);
  const words = [...again.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  );
  const second = await lab(cwd, ...words, '--out', 'again');
  t.equal(second.code, 1, 'the command is true');
  t.match(second.out, /One case fails/);
});

t.test('a baseline from first to last: written, known, healed, expired', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const file = join(cwd, 'relaylab.baseline.json');
  await gate(cwd, BAD, '--case', 'ping');
  const written = await lab(
    cwd,
    'baseline',
    'update',
    'out/report.json',
    '--owner',
    'ana',
    '--reason',
    'see 31',
  );
  t.equal(written.code, 0, written.err);
  t.match(written.out, /\+ yamux\/ping\/value-0 {2}see 31\n/);
  const known = await gate(cwd, BAD, '--case', 'ping,frame/payload-on-fin');
  t.equal(known.code, 0, 'what is known does not fail');
  t.match(known.out, /using relaylab\.baseline\.json/);
  t.match(known.out, /! K1 {3}yamux\/ping\/\S+ {2}see 31/);
  const healed = await gate(cwd, GOOD, '--case', 'ping');
  t.equal(healed.code, 5, 'what is healed has to go');
  t.match(healed.out, /STALE BASELINE \(exit 5\)/);
  t.match(healed.out, /relaylab baseline update/);
  const entries = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>[];
  writeFileSync(file, JSON.stringify(entries.map((entry) => ({ ...entry, expires: '2020-01-01' }))));
  t.equal((await gate(cwd, BAD, '--case', 'frame/payload-on-fin')).code, 5, 'what has expired has to go');
  const overdue = await gate(cwd, BAD, '--case', 'ping');
  t.equal(overdue.code, 5, 'also while the case still fails: that is no news');
  t.match(overdue.out, /it expired on 2020-01-01/);
  await gate(cwd, GOOD, '--case', 'ping');
  const struck = await lab(cwd, 'baseline', 'update', 'out/report.json', '--owner', 'ana');
  t.match(struck.out, /- yamux\/ping\/value-0 {2}passes now/);
  t.same(JSON.parse(readFileSync(file, 'utf8')), []);
});

t.test('exit 2: wrong words name the nearest right one', { skip: LINUX }, async (t) => {
  const { code, err } = await lab(t.testdir(), 'conformance', 'yamx', '--exec', GOOD);
  t.equal(code, 2);
  t.match(err, /unknown profile 'yamx'\. Nearest: 'yamux'/);
});

const HOPELESS: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'a target that ends at once',
    ['--exec', script('console.log(17);process.exit(7)')],
    /is not ready: .*7[\s\S]*It said: 17/,
  ],
  ['a command that is not there', ['--exec', './not-there {port}'], /is not ready/],
  ['an address where nobody listens', ['--address', '127.0.0.1:1'], /does not take connections[\s\S]*--exec/],
  ['a pid that is none', ['--address', '127.0.0.1:1', '--pid', '4194304'], /no such process/],
];
for (const [what, args, says] of HOPELESS)
  t.test(`exit 4: ${what} is explained on one screen`, { skip: LINUX }, async (t) => {
    const { code, err } = await lab(t.testdir(), 'conformance', 'yamux', ...args);
    t.equal(code, 4);
    t.match(err, says);
    t.match(err, /Nothing was judged \(exit 4\)/);
    t.ok(err.split('\n').length < 20);
    nobodyLeft(t);
  });

t.test('a relay that runs already is held to the key it was said to have', { skip: LINUX }, async (t) => {
  const seed = Buffer.alloc(32, 3);
  const relay = await execServer(
    `${node('reference-impl/identity-relay/bin/strelay.ts')} --idfile {idfile} --laddr 127.0.0.1:{port}`,
    { idfile: JSON.stringify({ privateKey: seed.toString('base64url') }) },
  ).start();
  t.teardown(() => relay.stop());
  const address = `127.0.0.1:${relay.address.port}`;
  const ticket = (key: Buffer): string =>
    JSON.stringify({ publicKey: key.toString('base64url'), address: 'relay.example.org:1' });
  const { publicKey } = identityOf(seed);
  const cwd = t.testdir({ 'our.relay': ticket(publicKey), 'other.relay': ticket(Buffer.alloc(32, 9)) });
  const judged = (...more: readonly string[]): Promise<Ended> =>
    lab(cwd, 'conformance', 'identity-relay', '--address', address, '--case', 'shake/relay-key', ...more);
  const asked = await judged();
  t.equal(asked.code, 2, 'nothing is judged without it');
  t.match(asked.err, /must be told who the target has to be[\s\S]*--key[\s\S]*--ticket/);
  t.equal((await judged('--ticket', 'our.relay')).code, 0);
  t.equal((await judged('--key', publicKey.toString('base64url'))).code, 0);
  const other = await judged('--ticket', 'other.relay');
  t.equal(other.code, 1, 'somebody else');
  t.match(other.out, /ID-SHAKE-2 MUST[\s\S]*--ticket other\.relay --case identity-relay\/shake\/relay-key/);
});

t.test('exit 4: a target that lacks all that is asked for', { skip: LINUX }, async (t) => {
  const cwd = t.testdir({ 'relaylab.conformance.json': '{"profile":"yamux","capabilities":{"open":false}}' });
  const { code, out } = await gate(cwd, GOOD, '--case', 'stream/parity');
  t.equal(code, 4, 'nothing was shown');
  t.match(out, /using relaylab\.conformance\.json/);
  t.match(out, /- 1 not applicable/);
});

const CRASHES =
  "require('net').createServer((s)=>s.on('data',()=>{console.error('panic: index out of range');process.exit(3)})).listen(+process.argv.at(-1),'127.0.0.1')";
const HANGS =
  "require('net').createServer((s)=>s.on('error',()=>{}).resume()).listen(+process.argv.at(-1),'127.0.0.1')";

t.test('a target that crashes is blamed with its last words, case by case', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const { code, out } = await gate(cwd, script(CRASHES), '--case', 'ping');
  t.equal(code, 1);
  t.match(out, /✖ 4 failed/);
  t.match(out, /panic: index out of range/);
  nobodyLeft(t);
});

t.test('a target that hangs fails by its silence, within the patience', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const { code, out } = await gate(cwd, script(HANGS), '--case', 'ping/value-0');
  t.equal(code, 1);
  t.match(out, /got +nothing within 5000 ms|got .*5000 ms/);
  nobodyLeft(t);
});

t.test('exit 130: an interrupted run leaves a partial report and no process', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const args = ['conformance', 'yamux', '--exec', script(HANGS), '--jobs', '1', '--out', 'out'];
  const run = launch(cwd, args);
  await until('a case has failed', () => run.out().includes('✖'), 60_000);
  run.child.kill('SIGINT');
  const { code, out } = await run.over;
  t.equal(code, 130);
  t.match(out, /INTERRUPTED \(exit 130\)/);
  t.match(report(cwd), { exitCode: 130, partial: 'interrupted' });
  t.ok(report(cwd).rows.length < 43);
  nobodyLeft(t);
});

t.test(
  'in a CI job: annotations, a summary, and only what does not hold on its own line',
  { skip: LINUX },
  async (t) => {
    const cwd = t.testdir({ summary: '' });
    const env = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(cwd, 'summary') };
    const args = [
      'conformance',
      'yamux',
      '--exec',
      BAD,
      '--case',
      'ping/value-0,frame/payload-on-fin',
      '--out',
      'out',
    ];
    const { code, out } = await launch(cwd, args, env).over;
    t.equal(code, 1);
    t.match(out, /^::error title=F1 YAMUX-PING-1::yamux\/ping\/value-0/m);
    t.notMatch(out, '✔ yamux/frame/payload-on-fin');
    t.match(readFileSync(join(cwd, 'summary'), 'utf8'), /^## Failed \(partial\): yamux conformance/);
  },
);

t.test('links and NATs: every case on every path, with what the path did', { skip: LINUX }, async (t) => {
  const cwd = t.testdir();
  const { code } = await gate(
    cwd,
    GOOD,
    '--case',
    'ping/value-0',
    '--link',
    'clean,mobile',
    '--nat',
    'home,strict',
  );
  t.equal(code, 0);
  const { rows, paths } = report(cwd);
  t.same(paths, ['clean+home', 'clean+strict', 'mobile+home', 'mobile+strict']);
  t.equal(rows.length, 4);
  for (const row of rows) t.match(row.receipts[0], /^NAT (home|strict): 1 mappings, 0 forgotten$/);
  t.match(
    rows.find(({ path }: { path: string }) => path === 'mobile+home').receipts[1],
    /^link mobile: latency/,
  );
});
