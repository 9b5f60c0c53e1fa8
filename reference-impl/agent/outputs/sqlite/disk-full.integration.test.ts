import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { realClock } from '../../real-clock.ts';
import { batch, points, recordedLog, sampleRegistry } from '../testing/sample-points.ts';
import { SqliteOutput } from './sqlite-output.ts';

const why = process.getuid?.() === 0 ? false : 'only root can mount a small disk';

t.test(
  'a disk that is full is waited for, and every point is stored once there is room',
  { skip: why },
  async (t) => {
    const disk = mkdtempSync(join(tmpdir(), 'relay-small-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
    t.teardown(() => {
      execFileSync('umount', ['-l', disk]);
      rmSync(disk, { recursive: true });
    });
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(1_500_000));
    const { log, lines } = recordedLog();
    const path = join(disk, 'm.sqlite');
    const output = new SqliteOutput(
      {
        ...{
          path,
          synchronous: 'full',
          pointsMax: 1e6,
          bytesMax: 1e9,
          groupPoints: 2_000,
          lingerMillis: 10,
          endMillis: 5_000,
        },
        retry: { baseMillis: 5, factor: 1, capMillis: 5, jitter: 0, healthyMillis: 0, triesMax: Infinity },
      },
      sampleRegistry(),
      log,
      realClock(),
    );
    await output.open();
    const all: Promise<void>[] = [];
    for (let number = 1; number <= 6; number++)
      all.push(
        output.write(batch(points(2_000, number * 2_000), { client: 'a', spool: 's', batch: number })),
      );
    while (!lines.some(({ text }) => /full/.test(text)))
      await new Promise((resolve) => setTimeout(resolve, 5));
    rmSync(ballast);
    await Promise.all(all);
    await output.close();
    const database = new DatabaseSync(path);
    t.strictSame(
      { ...database.prepare('SELECT count(*) AS n, count(DISTINCT value) AS d FROM points').get() },
      { n: 12_000, d: 12_000 },
    );
    t.equal(database.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
    database.close();
  },
);
