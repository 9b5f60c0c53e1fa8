import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { dial, Service, within } from '../testing/tcp-pair.ts';

const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));

class Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  out = '';
  err = '';
  readonly code: Promise<number | null>;
  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (text) => {
      this.out += text;
    });
    this.child.stderr.on('data', (text) => {
      this.err += text;
    });
    this.code = within(
      once(this.child, 'close').then(([code]) => code as number | null),
      'end of the process',
    );
  }
  /** The port of the ready line. */
  async port(): Promise<number> {
    while (!this.out.includes('\n')) await within(once(this.child.stdout, 'data'), 'ready line');
    return Number(/ready on 127\.0\.0\.1:(\d+),/.exec(this.out)?.[1]);
  }
}

t.test('runs, tells seed and faults, and prints what each fault did when interrupted', async (t) => {
  const upstream = await Service.start();
  const run = new Run(
    ...['--upstream', `127.0.0.1:${upstream.port}`, '--seed', 'C0FFEE', '--receipts', 'json'],
    ...['--fault', 'latency:ms=5,direction=up', '--fault', 'refuse:first=1'],
  );
  const port = await run.port();
  t.match(run.out, /^chaos-proxy ready on .*, seed 00c0ffee, faults: latency, refuse\n$/);
  const refused = dial(port);
  await within(refused.closed, 'refusal');
  const { user, service } = await upstream.pair(port);
  user.socket.write('word');
  await within(service.has(4), 'delayed word');
  run.child.kill('SIGINT');
  t.equal(await run.code, 0);
  const receipts = run.out
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line));
  t.same(
    receipts.map(({ id, effects }) => [id, effects]),
    [
      ['latency', 4],
      ['refuse', 1],
    ],
  );
  await within(Promise.all([user.closed, service.closed]), 'end of the sockets');
  t.equal(run.err, '');
  upstream.close();
});

t.test('a profile is a list of faults, a duration ends the run, receipts are text', async (t) => {
  const upstream = await Service.start();
  const run = new Run(
    ...['--upstream', String(upstream.port), '--profile', 'lossy', '--duration', '1ms'],
    ...['--fault', 'slowClose:ms=1'],
  );
  t.equal(await run.code, 0);
  t.match(run.out, /seed [0-9a-f]{8}, faults: latency, lossLike, slowClose\n/);
  t.match(run.out, /\nreceipt slowClose: slowClose: did nothing\n$/);
  upstream.close();
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /FLAG_MISSING.*--upstream/],
  [['--upstraem', 'x:1'], /FLAG_UNKNOWN.*'--upstream'/],
  [['--upstream', 'nowhere'], /ADDRESS_SYNTAX/],
  [['--upstream', 'x:99999'], /ADDRESS_SYNTAX/],
  [['--upstream', 'x:1', '--fault', 'latncy:ms=1'], /FAULT_UNKNOWN.*'latency'/],
  [['--upstream', 'x:1', '--fault', 'latency:mss=1'], /ATTRIBUTE_UNKNOWN.*'ms'/],
  [['--upstream', 'x:1', '--profile', 'mobil'], /PROFILE_UNKNOWN.*'mobile'/],
  [['--upstream', 'x:1', '--seed', 'xyz'], /SEED_SYNTAX/],
  [['--upstream', 'x:1', '--duration', 'soon'], /ATTRIBUTE_VALUE.*duration/],
  [['--upstream', 'x:1', '--receipts', 'xml'], /text \| json/],
  [['stray'], /FLAG_UNKNOWN/],
  [['--upstream'], /FLAG_UNKNOWN/],
];

t.test('wrong usage ends with 2 and one line that says what is right', async (t) => {
  const runs = WRONG.map(([args, says]) => ({ run: new Run(...args), args, says }));
  for (const { run, args, says } of runs) {
    t.equal(await run.code, 2, args.join(' '));
    t.match(run.err, says);
    t.match(run.err, /^chaos-proxy: [^\n]*\n$/);
    t.equal(run.out, '');
  }
});

t.test('an address in use ends with 3', async (t) => {
  const upstream = await Service.start();
  const address = `127.0.0.1:${upstream.port}`;
  const run = new Run('--upstream', address, '--listen', address);
  t.equal(await run.code, 3);
  t.match(run.err, /LISTEN_FAILED.*in use/);
  upstream.close();
});

t.test('help and version', async (t) => {
  const help = new Run('--help');
  t.equal(await help.code, 0);
  t.match(help.out, /latency:ms=60/);
  const version = new Run('--version');
  t.equal(await version.code, 0);
  t.match(version.out, /^chaos-proxy \d+\.\d+\.\d+\n$/);
});
