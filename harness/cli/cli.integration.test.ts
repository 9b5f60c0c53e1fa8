import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { isAlive, until, withMark } from '../agents/testing/processes.ts';

/** Deadline of everything waited for here; nothing should come near it. */
const MILLIS = 60_000;
t.setTimeout(600_000); // what is waited for has limits of its own
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const QUICK = fileURLToPath(new URL('./testing/quick.ts', import.meta.url));
const MARK = `RELAYLAB_TEST_${process.pid}_${performance.timeOrigin}`;
const LINUX = process.platform === 'linux' ? false : 'looks for processes in /proc';

const ESC = '\u001b';
const ESCAPE = (text: string): RegExp => new RegExp(`${ESC}\\[${text}`);

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };
type Started = { readonly child: ChildProcess; readonly text: () => string; readonly over: Promise<Ended> };

const quiet = (): NodeJS.ProcessEnv => {
  const env = { ...process.env, [MARK]: '1', LANG: 'C.UTF-8' };
  for (const name of Object.keys(env))
    if (/^(npm_|CI$|FORCE_COLOR|NO_COLOR|GITHUB_|TAP)/.test(name)) delete (env as NodeJS.ProcessEnv)[name];
  return env;
};

const launch = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started => {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...quiet(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const over = once(child, 'close').then(([code]) => ({ code, out, err }) as Ended);
  return { child, text: () => out, over };
};
const lab = (...args: readonly string[]): Started =>
  launch(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    join(ROOT, 'harness/cli/relaylab.ts'),
    ...args,
  ]);

/** The one folder a run left. */
const folderOf = (reports: string): string => {
  const runs = readdirSync(join(reports, 'quick'));
  if (runs.length !== 1) throw new Error(`${runs.length} runs`);
  return join(reports, 'quick', runs[0] as string);
};
const report = (folder: string) => JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
const nobodyLeft = (): Promise<void> => until('no process is left', () => withMark(MARK).length === 0, 5_000);

t.test('a run that passes: lines, reports, and the page’s path at the end', async (t) => {
  const reports = t.testdir();
  const { code, out, err } = await lab('scenario', QUICK, '--lab', 'sim', '--seed', '1', '--reports', reports)
    .over;
  t.same([code, err], [0, '']);
  t.notMatch(out, ESC, 'no control characters where nobody watches');
  const folder = folderOf(reports);
  t.match(lastLine(out), /^ +4\.\d PASS passed=\d+ .*exit=0 report=.*report\.html$/);
  t.ok(lastLine(out).endsWith(`report=${relative(ROOT, join(folder, 'report.html'))}`));
  t.notOk(out.endsWith('\n\n'), 'the last line is the last line');
  const lines = out.trimEnd().split('\n');
  t.equal(new Set(lines).size, lines.length, 'nothing is said twice');
  t.ok(lines.length < 20, 'and not much');
  t.equal(report(folder).exitCode, 0);
});

t.test('a run that fails: a paragraph, a line, and how to run it again', async (t) => {
  const reports = t.testdir();
  const args = ['--lab', 'sim', '--seed', '1', '--defect', 'byte-flipped', '--reports', reports];
  const { code, out } = await lab('scenario', QUICK, ...args).over;
  t.equal(code, 1);
  t.equal(out.match(/^ {2}✖ F1 {2}LEDGER-2 MUST/gm)?.length, 1);
  t.equal(out.match(/check LEDGER-2 FAIL pin=F1/g)?.length, 1);
  t.match(out, /again npm run scenario .*quick\.ts -- --lab sim --seed 000001 --defect byte-flipped$/m);
  t.match(lastLine(out), /FAIL .*exit=1 report=/);
});

t.test('a trace judged again says the same; cut, it is undecided', async (t) => {
  const reports = t.testdir();
  for (const [defect, exit] of [
    [[], 0],
    [['--defect', 'byte-flipped'], 1],
  ] as const) {
    const own = join(reports, `exit-${exit}`);
    await lab('scenario', QUICK, '--lab', 'sim', '--seed', '1', ...defect, '--reports', own).over;
    const folder = folderOf(own);
    const before = report(folder);
    const again = await lab('judge', join(folder, 'trace.ndjson'), '--scenario', QUICK).over;
    t.equal(again.code, exit);
    t.same(report(folder), before, 'to the last number');
  }
  const trace = readFileSync(join(folderOf(join(reports, 'exit-0')), 'trace.ndjson'), 'utf8');
  const cut = join(reports, 'cut.ndjson');
  writeFileSync(cut, trace.slice(0, Math.floor(trace.length * 0.7)));
  const half = await lab('judge', cut, '--scenario', QUICK).over;
  t.equal(half.code, 4);
  t.match(half.err, /cut\.ndjson:\d+ is no event of a trace and was left out/);
  t.match(lastLine(half.out), /UNDECIDED .*partial=yes exit=4/);
});

t.test('what is no trace is a wrong call', async (t) => {
  const folder = t.testdir({
    empty: '',
    garbage: 'hello\n\u0000\u0001\n',
    json: '1\nnull\n{}\n[]\n{"t":"x"}\n7\n',
    headless: '{"t":0,"who":"relay","n":1,"type":"host.ready","port":1}\n',
    alien: '{"t":0,"who":"plan","n":1,"type":"run.began","scenario":"nat-pol"}\n',
  });
  for (const [name, says] of [
    ['empty', /no event in it/],
    ['garbage', /no event in it/],
    ['json', /no event in it/],
    ['headless', /no run\.began in it/],
    ['alien', /unknown scenario 'nat-pol'\. Nearest: 'nat-pool'/],
    ['absent', /cannot be read \(ENOENT\)/],
    ['', /cannot be read \(EISDIR\)/],
  ] as const) {
    const { code, err } = await lab('judge', join(folder, name)).over;
    t.equal(code, 2, name);
    t.match(err, says);
    t.notMatch(err, /^ +at /m, 'no stack');
  }
});

t.test('a wrong call exits 2 and names what is near', async (t) => {
  const file = join(t.testdir({ taken: '' }), 'taken');
  for (const [args, says] of [
    [['scenaro', 'nat-pool'], /unknown command 'scenaro'\. Nearest: 'scenario'/],
    [['scenario'], /missing required argument 'name'/],
    [['scenario', 'nat-pol'], /unknown scenario 'nat-pol'\. Nearest: 'nat-pool'/],
    [['scenario', './nowhere.ts'], /unknown scenario file/],
    [['scenario', 'nat-pool', '--lab', 'smi'], /unknown lab 'smi'\. Nearest: 'sim'/],
    [['scenario', 'nat-pool', '--lba', 'sim'], /unknown option '--lba'[\s\S]*--lab/],
    [['scenario', 'nat-pool', '--seed', 'xyz'], /expected one to eight hex digits/],
    [['scenario', 'nat-pool', '--sites', '0'], /whole number from 1/],
    [['scenario', 'nat-pool', 'sim'], /too many arguments/],
    [['scenario', 'nat-pool', '--lab', 'sim', '--defect', 'byte-fliped'], /Nearest: 'byte-flipped'/],
    [['scenario', 'nat-pool', '--lab', 'sim', '--relay-exec', './r {port}'], /--lab local or --lab docker/],
    [['scenario', 'nat-pool', '--lab', 'sim', '--keep'], /--lab local or --lab docker/],
    [['scenario', 'nat-pool', '--lab', 'sim', '--agent-exec', './a {port}'], /--lab local or --lab docker/],
    [
      ['scenario', 'nat-pool', '--lab', 'local', '--server-exec', './s {csv}', '--db', 'a.sqlite'],
      /\{csv\}: leave out --db/,
    ],
    [
      ['scenario', 'nat-pool', '--lab', 'sim', '--db', 'postgres://u:p@h/d'],
      /the sim lab has none.*--lab local/,
    ],
    [['scenario', 'nat-pool', '--db', 'postgres://u:secret@h:99999/d'], /--db: expected postgres:\/\/user/],
    [['scenario', 'multiplex-stall', '--agents', '3'], /multiplex-stall has no measurement/],
    [['scenario', 'backoff-herd', '--defect', 'byte-flipped'], /backoff-herd has no relay/],
    [['scenario', QUICK, '--lab', 'sim', '--reports', file], /reports cannot be written to .*--reports/],
    [['explain', 'PORT-POL-5'], /unknown clause 'PORT-POL-5'\. Nearest: 'PORT-POOL-5'/],
  ] as const) {
    const { code, out, err } = await lab(...args).over;
    t.equal(code, 2, args.join(' '));
    t.match(err, says);
    t.equal(out, '');
    t.notMatch(err, /^ +at /m, 'no stack');
  }
});

t.test('what there is can be asked for', async (t) => {
  const list = await lab('list').over;
  t.equal(list.code, 0);
  t.match(list.out, /^nat-pool +\S/m);
  t.match(list.out, /^PORT-POOL-5 +MUST/m);
  const explain = await lab('explain', 'port-pool-5').over;
  t.equal(explain.code, 0);
  t.match(explain.out, /^PORT-POOL-5 {2}MUST[\s\S]*source[\s\S]*breaks/);
  for (const args of [['--help'], ['scenario', '--help'], ['--version']]) {
    const { code, err } = await lab(...args).over;
    t.same([code, err], [0, ''], args.join(' '));
  }
});

t.test('a flag that npm swallowed is answered with the right line', async (t) => {
  for (const [script, flags, line] of [
    [['scenario', 'nat-pool'], ['--lab', 'sim'], 'npm run scenario nat-pool -- --lab sim'],
    [
      ['scenario', 'nat-pool'],
      ['--lab=sim', '--seed', '1'],
      'npm run scenario nat-pool -- --lab sim --seed 1',
    ],
    [['relaylab', 'scenario', 'nat-pool'], ['--keep'], 'npm run relaylab scenario nat-pool -- --keep'],
  ] as const) {
    const { code, err } = await launch('npm', ['run', '-s', ...script, ...flags]).over;
    t.equal(code, 2);
    t.ok(err.includes(`\n\n  ${line}\n`), err);
  }
});

t.test('many seeds: a line each, and reports of those that did not pass', async (t) => {
  const reports = t.testdir();
  const args = ['--lab', 'sim', '--seed', '9', '--seeds', '3', '--reports', reports];
  const good = await lab('scenario', QUICK, ...args).over;
  t.equal(good.code, 0, good.out);
  t.match(good.out, /^seed 000009 {2}exit 0 [\s\S]*^seed 00000b {2}exit 0[\s\S]*^3 of 3 seeds passed\n$/m);
  t.same(readdirSync(join(reports, 'quick')), []);
  const bad = await lab('scenario', QUICK, ...args, '--defect', 'byte-flipped').over;
  t.equal(bad.code, 1);
  t.equal(readdirSync(join(reports, 'quick')).length, 3);
  t.match(bad.out, /0 of 3 seeds passed/);
});

t.test(
  'a relay that cannot be started is the lab’s trouble: exit 3, and no stack',
  { skip: LINUX },
  async (t) => {
    const reports = t.testdir();
    const args = ['--lab', 'local', '--relay-exec', '/nowhere/relay {port}', '--reports', reports];
    const { code, out, err } = await lab('scenario', QUICK, ...args).over;
    t.equal(code, 3);
    t.match(
      err,
      /^relaylab: relay did not start: .*\n +run it by hand to see why\. Not the relay's fault\.\n$/,
    );
    t.match(lastLine(out), /HARNESS-ERROR .*partial=yes exit=3 report=/);
    await nobodyLeft();
  },
);

const running = async (t: Test, ...flags: readonly string[]): Promise<Started & { reports: string }> => {
  const reports = t.testdir();
  const run = lab('scenario', QUICK, '--lab', 'local', '--duration', '600', '--reports', reports, ...flags);
  await until('the run is under way', () => run.text().includes('phase "steady"'), MILLIS);
  return { ...run, reports };
};

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  t.test(`${signal} midway: a report marked partial, exit 130, nobody left`, { skip: LINUX }, async (t) => {
    const { child, over, reports } = await running(t);
    const at = performance.now();
    child.kill(signal);
    const { code, out, err } = await over;
    t.equal(code, 130);
    t.ok(performance.now() - at < MILLIS / 2);
    t.match(err, /interrupted/);
    t.match(lastLine(out), /INTERRUPTED .*partial=yes exit=130 report=/i);
    const folder = folderOf(reports);
    t.match(report(folder), { partial: true, exitCode: 130, partialWhy: 'interrupted' });
    t.match(lastLine(readFileSync(join(folder, 'trace.ndjson'), 'utf8')), /"run\.ended","complete":false/);
    await nobodyLeft();
  });

t.test('who asks twice is obeyed at once', { skip: LINUX }, async (t) => {
  // a lab that cannot end by itself: its agents are stopped and do not hear that they are to go
  const { child, over } = await running(t);
  const agents = withMark(MARK).filter((pid) => pid !== child.pid);
  for (const pid of agents) process.kill(pid, 'SIGSTOP');
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 600)); // later than any echo of the first
  child.kill('SIGINT');
  t.equal((await over).code, 130);
  for (const pid of agents) if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  await nobodyLeft();
});

t.test('a runner that is killed leaves nobody, and its trace', { skip: LINUX }, async (t) => {
  const { child, over, reports } = await running(t);
  t.ok(withMark(MARK).length > 4);
  child.kill('SIGKILL');
  await over;
  await nobodyLeft();
  t.ok(existsSync(join(folderOf(reports), 'trace.ndjson')));
});

const SCRIPT = existsSync('/usr/bin/script') ? LINUX : 'needs script (util-linux)';
const terminal = (...args: readonly string[]): Started => {
  const words = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    'harness/cli/relaylab.ts',
    ...args,
  ];
  const command = `stty cols 100 rows 40; exec ${words.map((word) => `'${word}'`).join(' ')}`;
  return launch('script', ['-qefc', command, '/dev/null'], { TERM: 'xterm' });
};

t.test('on a terminal a table is redrawn, goes, and leaves the summary', { skip: SCRIPT }, async (t) => {
  const reports = t.testdir();
  const { code, out } = await terminal('scenario', QUICK, '--lab', 'local', '--reports', reports).over;
  t.equal(code, 0, out);
  t.match(out, ESCAPE(`\\d+A${ESC}\\[0J`), 'redrawn in place');
  t.match(out, /here +home +clean/, 'a row a site');
  t.match(out, 'Ctrl-C ends cleanly');
  t.match(out, ESCAPE('\\d+m'), 'coloured');
  const end = out.slice(out.lastIndexOf(`${ESC}[0J`));
  t.match(end, /passed/);
  t.match(lastLine(end), /PASS \(exit 0\).*report\.html/);
  t.notMatch(end, /headline/, 'no lines for machines');
  await nobodyLeft();
});

t.test('NO_COLOR is obeyed on a terminal', { skip: SCRIPT }, async (t) => {
  const reports = t.testdir();
  const words = ['scenario', QUICK, '--lab', 'sim', '--reports', reports];
  const command = `stty cols 100; NO_COLOR=1 exec '${process.execPath}' harness/cli/relaylab.ts ${words.join(' ')}`;
  const { code, out } = await launch('script', ['-qefc', command, '/dev/null'], { TERM: 'xterm' }).over;
  t.equal(code, 0, out);
  t.notMatch(out, ESCAPE('\\d*m'));
});

t.test(
  'one Ctrl-C in a terminal is one, though npm and the launcher pass it on',
  { skip: SCRIPT },
  async (t) => {
    const reports = t.testdir();
    const flags = `--lab local --duration 600 --reports '${reports}'`;
    const command = `stty cols 100 rows 40; exec npm run -s scenario '${QUICK}' -- ${flags}`;
    const { child, over, text } = launch('script', ['-qefc', command, '/dev/null'], { TERM: 'xterm' });
    await until('users are under way', () => text().includes('tunnels open'), MILLIS);
    child.stdin?.write('\u0003');
    const { code, out } = await over;
    t.equal(code, 130, out);
    t.match(report(folderOf(reports)), { partial: true, exitCode: 130 });
    await nobodyLeft();
  },
);
