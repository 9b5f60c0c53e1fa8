import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readTrusted, writeTrusted } from './record.ts';

const DAY = 86_400_000;

t.test('a result holds for this machine and a day', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-links-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'links', 'trusted.json');
  t.same(readTrusted(file, 'here', 0), {}, 'no file');
  writeTrusted(file, 'here', { reset: 1_000, down: 5_000 });
  t.same(readTrusted(file, 'here', 6_000), { reset: 1_000, down: 5_000 });
  t.same(readTrusted(file, 'here', 2_000 + DAY), { down: 5_000 }, 'a day later');
  t.same(readTrusted(file, 'here', 500), {}, 'a clock that went back');
  t.same(readTrusted(file, 'there', 6_000), {}, 'another machine');
  writeFileSync(file, '{"format":');
  t.same(readTrusted(file, 'here', 6_000), {}, 'half a file');
});

t.test('a folder that cannot be written is no failure', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-links-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'links'), 'a file where the folder should be');
  const file = join(folder, 'links', 'trusted.json');
  t.doesNotThrow(() => writeTrusted(file, 'here', { reset: 1 }));
  t.same(readTrusted(file, 'here', 1), {});
});
