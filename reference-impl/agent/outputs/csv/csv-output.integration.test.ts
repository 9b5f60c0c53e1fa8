import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ManualClock } from '../../testing/manual-clock.ts';
import { batch, point, points, recordedLog, sampleRegistry, text } from '../testing/sample-points.ts';
import { type CsvConfig, CsvOutput } from './csv-output.ts';

const stage = (path: string, changes: Partial<CsvConfig> = {}) => {
  const { log, lines } = recordedLog();
  const clock = new ManualClock();
  const config: CsvConfig = {
    ...{ path, forceFlush: true, endMillis: 5_000 },
    ...{ appendUnit: true, displayUnit: true, delimiter: ';', lateDelimiter: ',' },
    retry: { baseMillis: 100, factor: 2, capMillis: 1_000, jitter: 0, healthyMillis: 0, triesMax: Infinity },
    ...changes,
  };
  return { output: new CsvOutput(config, sampleRegistry(), log, clock), lines, clock };
};

const rows = (path: string): readonly string[] => readFileSync(path, 'utf8').trimEnd().split('\n');

t.test('a batch is in the file when its write resolves', async (t) => {
  const path = join(t.testdir(), 'out.csv');
  const { output } = stage(path);
  await output.open();
  await output.write(batch(points(2_500)));
  t.equal(rows(path).length, 2_501);
  await output.write(batch([]));
  await output.write(batch(points(1, 9_999)));
  t.match(rows(path).at(-1), /;9999;cpu_core;19;local_machine;;idle;$/);
  await output.close();
});

t.test('a row that is longer than all that is written at once is written whole', async (t) => {
  const path = join(t.testdir(), 'out.csv');
  const { output } = stage(path);
  await output.open();
  const long = 'x'.repeat(700_000);
  await output.write(batch([point(), point({ attributes: [text('long', long)] }), point()]));
  t.strictSame(
    rows(path).map((row) => row.length > long.length),
    [false, false, true, false],
  );
  await output.close();
});

t.test('without force_flush lines are held, unless their sender forgets them', async (t) => {
  const path = join(t.testdir(), 'out.csv');
  const { output } = stage(path, { forceFlush: false });
  await output.open();
  await output.write(batch(points(2)));
  t.equal(readFileSync(path, 'utf8'), '');
  await output.write(batch(points(2), { client: 'a', spool: 's', batch: 1 }));
  t.equal(rows(path).length, 5);
  await output.write(batch(points(3)));
  t.equal(rows(path).length, 5);
  await output.flush();
  t.equal(rows(path).length, 8);
  await output.write(batch(points(10_000)));
  t.ok(rows(path).length > 5_000, 'not for ever');
  await output.close();
});

t.test('a file goes on with its own columns, behind the last whole line', async (t) => {
  const path = join(t.testdir(), 'out.csv');
  const first = stage(path);
  await first.output.open();
  await first.output.write(batch(points(3)));
  await first.output.close();
  appendFileSync(path, 'cpu_time_ms;2023-11-14T22:1');
  const second = stage(path);
  await second.output.open();
  t.match(second.lines, [{ level: 'warn', text: /torn/ }]);
  await second.output.write(batch([point({ attributes: [text('late', 'x')] })]));
  await second.output.close();
  t.equal(rows(path).length, 5);
  t.match(rows(path)[0], /;cpu_state;__late_attributes$/);
  t.match(rows(path).at(-1), /;local_machine;;;late=x$/);
  const torn = stage(path);
  writeFileSync(path, 'metric;timest');
  await torn.output.open();
  await torn.output.write(batch(points(1)));
  await torn.output.close();
  t.match(
    rows(path)[0],
    /^metric;timestamp;value;.*;cpu_state;__late_attributes$/,
    'a torn header is written anew',
  );
});

t.test('what is no file of measurements is left alone', async (t) => {
  const folder = t.testdir({ other: 'a,b,c\n1,2,3\n', noline: 'precious' });
  for (const name of ['other', 'noline']) {
    const { output } = stage(join(folder, name));
    await t.rejects(output.open(), { code: 'OUTPUT_FILE', where: 'plugins.csv.output_path' });
    await output.close();
  }
  t.equal(readFileSync(join(folder, 'noline'), 'utf8'), 'precious');
});

t.test('a path that cannot be written is told at the start', async (t) => {
  const folder = t.testdir();
  for (const path of [folder, join(folder, 'no/such/folder.csv')]) {
    const { output } = stage(path);
    await t.rejects(output.open(), { code: 'OUTPUT_FILE', got: /EISDIR|ENOENT/ });
    await output.close();
  }
});

const FULL = '/dev/full';
t.test(
  'a full disk makes senders wait, and the end tells what is not written',
  { skip: existsSync(FULL) ? false : 'there is no /dev/full here' },
  async (t) => {
    const { output, clock, lines } = stage(FULL);
    await output.open();
    let taken: unknown = 'waits';
    void output.write(batch(points(5))).catch((error: unknown) => {
      taken = error;
    });
    for (let i = 0; i < 200 && lines.length < 3; i++) {
      await clock.turn(1_000);
      // the file system answers from another thread
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.equal(taken, 'waits');
    t.match(lines[2], { level: 'error', text: /ENOSPC/ });
    await output.close();
    for (let i = 0; i < 200 && taken === 'waits'; i++) await new Promise((resolve) => setImmediate(resolve));
    t.match(taken, { code: 'OUTPUT_CLOSED', got: /bytes that are not in/ });
    const second = stage(FULL, { endMillis: 0, forceFlush: false });
    await second.output.open();
    await second.output.write(batch(points(5)));
    await t.rejects(second.output.flush(), { code: 'OUTPUT_STUCK', got: /ENOSPC/ });
    await second.output.close();
  },
);

const readAll = (fd: number): Buffer => {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(65_536);
    try {
      const bytes = readSync(fd, part);
      if (bytes === 0) break;
      parts.push(part.subarray(0, bytes));
    } catch (error) {
      // nothing more in it for now
      t.match(error, { code: 'EAGAIN' });
      break;
    }
  }
  return Buffer.concat(parts);
};

const newPipe = (path: string): string => {
  execFileSync('mkfifo', [path]);
  return path;
};

t.test('a reader that is slow makes senders wait, and gets everything', async (t) => {
  for (const isEarly of [true, false]) {
    const path = newPipe(join(t.testdir(), 'pipe'));
    const { output, clock, lines } = stage(path);
    const openReader = (): number => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const early = isEarly ? openReader() : undefined;
    await output.open();
    const reader = early ?? openReader();
    let taken = false;
    // many times what the pipe and one read of it hold
    void output.write(batch(points(10_000))).then(() => {
      taken = true;
    });
    let text = '';
    for (let i = 0; i < 5_000 && lines.length === 0; i++) await clock.turn(20);
    t.match(lines[0], { level: 'error', text: /EAGAIN.*whoever measures waits/ });
    t.notOk(taken, 'the pipe holds less than the batch');
    for (let i = 0; i < 50_000 && !taken; i++) {
      text += readAll(reader).toString();
      await clock.turn(20);
    }
    t.ok(taken);
    text += readAll(reader).toString();
    t.equal(text.trimEnd().split('\n').length, 10_001);
    t.match(lines.at(-1), { level: 'info', text: /takes measurements again/ });
    t.equal(lines.length, 2, 'told once');
    await output.close();
    closeSync(reader);
  }
});

t.test('a reader that has gone is told: nobody waits for it', async (t) => {
  const path = newPipe(join(t.testdir(), 'pipe'));
  const { output } = stage(path);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await output.open();
  await output.write(batch(points(5)));
  closeSync(reader);
  await t.rejects(output.write(batch(points(5))), { code: 'OUTPUT_FILE', got: /EPIPE/ });
  await output.close();
});

t.test('a pipe that nobody reads holds up no end', async (t) => {
  const { output, clock } = stage(newPipe(join(t.testdir(), 'pipe')), {
    forceFlush: false,
    endMillis: 1_000,
  });
  await output.open();
  const refused = t.rejects(output.write(batch(points(10_000))), { code: 'OUTPUT_CLOSED' });
  await clock.turn(100);
  await output.close();
  await refused;
});
