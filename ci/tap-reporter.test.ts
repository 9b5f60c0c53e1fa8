/** What the closing line says of a run, whatever went wrong in it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { closingLine, NOTHING_SKIPPED, sum, TALLY_FILE, tallyOf } from './tally.ts';
import ClosingLine from './tap-reporter.ts';

const TAP = {
  passing: '# Subtest: a.test.ts\n    ok 1 - one\n    ok 2 - two\n    1..2\nok 1 - a.test.ts\n1..1\n',
  failing: '# Subtest: a.test.ts\n    ok 1 - one\n    not ok 2 - two\n    1..2\nnot ok 1 - a.test.ts\n1..1\n',
  crashed: '# Subtest: a.test.ts\n    ok 1 - one\n    1..1\nnot ok 1 - a.test.ts\n1..1\n',
  empty: 'not ok 1 - a.test.ts # time=5ms\n1..1\n',
  skipping: '# Subtest: a.test.ts\n    ok 1 - kernel # SKIP needs root\n    1..1\nok 1 - a.test.ts\n1..1\n',
  bailed: 'Bail out! no more\n',
} as const;

const reported = async (tap: string, env: Readonly<Record<string, string>>): Promise<string> => {
  const before = { ...process.env };
  delete process.env[TALLY_FILE];
  delete process.env[NOTHING_SKIPPED];
  Object.assign(process.env, env);
  const reporter = new ClosingLine();
  reporter.end(tap);
  const said = await text(reporter);
  for (const name of [TALLY_FILE, NOTHING_SKIPPED]) delete process.env[name];
  Object.assign(process.env, before);
  return said;
};

t.test('the last line counts assertions, crashes and skips', async (t) => {
  for (const [tap, env, line] of [
    [TAP.passing, {}, '2 passed, 0 failed, 0 skipped'],
    [TAP.failing, {}, '1 passed, 1 failed, 0 skipped'],
    [TAP.crashed, {}, '1 passed, 1 failed, 0 skipped'],
    [TAP.empty, {}, '0 passed, 1 failed, 0 skipped'],
    [TAP.bailed, {}, '0 passed, 1 failed, 0 skipped'],
    [TAP.skipping, {}, '0 passed, 0 failed, 1 skipped'],
    [TAP.skipping, { [NOTHING_SKIPPED]: '1' }, '0 passed, 1 failed, 1 skipped'],
  ] as const)
    t.equal((await reported(tap, env)).trimEnd().split('\n').at(-1), line);
});

t.test('where nothing may be skipped, each skip is named with its reason', async (t) => {
  const said = await reported(TAP.skipping, { [NOTHING_SKIPPED]: '1' });
  t.match(said, /# skipped where nothing may be: .*kernel \(needs root\)/);
});

t.test('with a file for the tally there is no line, and two runs add up', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-tally-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [first, second] = [join(folder, '1.json'), join(folder, '2.json')];
  t.equal(await reported(TAP.passing, { [TALLY_FILE]: first }), TAP.passing);
  await reported(TAP.failing, { [TALLY_FILE]: second });
  t.same(JSON.parse(readFileSync(first, 'utf8')), { passed: 2, failed: 0, skipped: 0 });
  t.equal(closingLine(sum([tallyOf(first, 0), tallyOf(second, 1)])), '3 passed, 1 failed, 0 skipped');
});

t.test('a run that fails without a failure to show counts as one', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-tally-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'tally.json');
  t.same(tallyOf(file, 0), { passed: 0, failed: 1, skipped: 0 }, 'no tally at all');
  await reported(TAP.passing, { [TALLY_FILE]: file });
  t.same(tallyOf(file, 1), { passed: 2, failed: 1, skipped: 0 }, 'a bad exit code');
});
