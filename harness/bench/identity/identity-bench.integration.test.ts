import t from 'tap';
import { renderBenchPage } from '../bench-page.ts';
import { renderBenchEnd } from '../bench-terminal.ts';
import { QUICK, runIdentityBench } from './identity-bench.ts';

t.setTimeout(110_000);

t.test(
  'every relay carries every message of a small bench, and pages name what was recorded elsewhere',
  async (t) => {
    const said: string[] = [];
    const report = await runIdentityBench({
      offset: undefined,
      sizes: { ...QUICK, rounds: 1, millis: 30, warmUpMillis: 30 },
      seed: 7,
      say: (line) => said.push(line),
    });
    t.strictSame(said, [], 'nothing of ours failed');
    for (const { id, rows } of report.measures)
      for (const row of rows.filter(({ name }) => !name.startsWith('Offset')))
        t.equal(row.estimate.rounds, 1, `${id}: ${row.name}`);
    for (const goal of report.goals) t.not(goal.verdict, 'not measured', goal.what);
    const page = renderBenchPage(report).replaceAll('\u00a0', ' ');
    t.match(page, /npm run bench identity -- --quick/);
    t.match(page, /Offset as recorded elsewhere/);
    const end = renderBenchEnd(report, { colour: false, utf8: false }, 'report.html');
    t.match(end, /bench identity --quick: \d+ of 9 goals met/);
  },
);
