import t from 'tap';
import { FRAME_LINES_MAX, Progress } from './progress.ts';
import { SAMPLE, sampleTrace } from './testing/sample-trace.ts';
import { began, client, lost, registered, site, trace } from './testing/small-trace.ts';

const TTY = { form: 'tty', colour: false, utf8: true } as const;
const CI = { form: 'lines', colour: false, utf8: true } as const;

t.test('the table counts connected, unaware, retrying and lost as it happens', async (t) => {
  const progress = new Progress(TTY);
  const events = trace([
    [0, 'run', began],
    [0, 'run', site('home', 4)],
    ...['a', 'b', 'c', 'd'].map((name) => [0, 'run', client(`home/${name}`)] as const),
    ...['a', 'b', 'c'].map((name) => [1, `home/${name}`, registered] as const),
    [2, 'home/a', lost(0)],
    [3, 'home/nat', { type: 'nat.dropped', mappings: 2, cause: 'reboot' }],
    [3.5, 'home/b', lost(0)],
    [4, 'home/b', registered],
  ]);
  for (const event of events) progress.event(event);
  const row = progress.frame(4_000_000, 100).find((line) => line.includes('home'));
  t.match(row, /home +home +clean +█{5}▒{5}·{10} +1 +1 +1 +2$/);
});

t.test('a frame is at most 20 lines, fits its width, and is nothing where no table fits', async (t) => {
  for (const sites of [1, 6, 12, 13, 300]) {
    const progress = new Progress(TTY);
    for (const event of sampleTrace({ ...SAMPLE, sites, perSite: 2 })) {
      progress.event(event);
      if (event.type !== 'run.phase') continue;
      for (const columns of [72, 80, 200]) {
        const lines = progress.frame(event.t, columns);
        t.ok(lines.length > 3 && lines.length <= FRAME_LINES_MAX, `${sites} sites: ${lines.length} lines`);
        t.ok(
          lines.every((line) => line.length < columns),
          `${columns} columns`,
        );
      }
      t.strictSame(progress.frame(event.t, 71), []);
    }
  }
});

t.test('CI lines tell faults, receipts and returns in order, once each', async (t) => {
  const progress = new Progress(CI);
  const lines = sampleTrace(SAMPLE).flatMap((event) => progress.event(event));
  const about = (word: string) => lines.filter((line) => new RegExp(`^ *[\\d.]+ ${word} `).test(line));
  t.equal(about('fault').length, 4);
  t.equal(about('receipt').length, 4);
  t.equal(about('back').length, 3, 'fault 3 threw nobody out');
  t.match(about('back'), [
    /back site=train fault=1 20\/20 after /,
    /site=hotel fault=2 10\/10/,
    /site=all fault=4 120\/120/,
  ]);
  t.match(lines[0], /^ +0\.0 nat-pool lab=local .*seed=7f3a91/);
  for (const line of lines) t.match(line, /^ *\d+\.\d \S/);
  t.strictSame(progress.frame(0, 200), []);
});

t.test('silence of ten seconds makes one heartbeat, and talk makes none', async (t) => {
  const progress = new Progress(CI);
  for (const event of trace([[0, 'run', began]])) progress.event(event);
  const beats = Array.from({ length: 31 }, (_, second) => progress.heartbeat(second * 1_000_000));
  t.strictSame(
    beats.flatMap((lines, second) => (lines.length > 0 ? [second] : [])),
    [10, 20, 30],
  );
  t.match(beats[10], [/^ +10\.0 alive connected=0\/0 open=0 done=0$/]);
  t.strictSame(new Progress(TTY).heartbeat(60_000_000), []);
});
