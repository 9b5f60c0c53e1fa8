import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { TraceEvent } from '../trace/trace.ts';
import { RunFolder, shownPath } from './run-folder.ts';
import { RunJudge } from './run-judge.ts';
import { UsageError } from './usage.ts';

const AT = new Date('2026-11-21T10:15:42.123Z');
const event = (n: number): TraceEvent => ({ t: n, who: 'relay', n, type: 'run.phase', name: 'ü'.repeat(50) });

t.test('a run leaves every line of its trace in order, and its pages', (t) => {
  const folder = new RunFolder(t.testdir(), 'quick', '7f3a91', AT);
  const lines = Array.from({ length: 3_000 }, (_, n) => event(n));
  for (const line of lines) folder.write(line);
  folder.close();
  const trace = readFileSync(join(folder.path, 'trace.ndjson'), 'utf8');
  t.same(
    trace
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    lines,
  );
  folder.report(new RunJudge({ checks: [] }).model({ interrupted: false, broken: false }));
  t.match(folder.path, /quick.2026-11-21T10-15-42-7f3a91$/);
  t.same(readdirSync(folder.path).sort(), [
    'junit.xml',
    'report.html',
    'report.json',
    'report.md',
    'report.tap',
    'trace.ndjson',
  ]);
  folder.remove();
  t.notOk(existsSync(folder.path));
  t.end();
});

t.test('two runs of one second and one seed do not share a folder', (t) => {
  const reports = t.testdir();
  const folders = [1, 2, 3].map(() => new RunFolder(reports, 'quick', '01', AT));
  t.equal(new Set(folders.map(({ path }) => path)).size, 3);
  for (const folder of folders) folder.close();
  t.end();
});

t.test('a folder that cannot be made is a wrong call, not a crash', (t) => {
  const file = join(t.testdir({ taken: '' }), 'taken');
  t.throws(() => new RunFolder(file, 'quick', '01', AT), new UsageError(''));
  t.throws(
    () => new RunFolder(file, 'quick', '01', AT),
    /reports cannot be written to .*taken \(\w+\).*--reports/,
  );
  t.end();
});

t.test('a page that cannot be written breaks the run with a reason', (t) => {
  const folder = new RunFolder(t.testdir(), 'quick', '01', AT);
  folder.close();
  folder.remove();
  writeFileSync(folder.path, '');
  const model = new RunJudge({ checks: [] }).model({ interrupted: false, broken: false });
  t.throws(() => folder.report(model), { name: 'LabError', message: /could not be written/ });
  t.end();
});

t.test('a path is shown as one can use it from here', (t) => {
  t.equal(shownPath(join(process.cwd(), 'reports', 'x')), join('reports', 'x'));
  t.equal(shownPath('/elsewhere/x'), '/elsewhere/x');
  t.end();
});
