import t from 'tap';
import { postgresFolder } from '../../../reference-impl/agent/outputs/throwaway-postgres.ts';
import { renderBenchPage } from '../bench-page.ts';
import { renderBenchEnd } from '../bench-terminal.ts';
import { NAMES } from './ingest-contenders.ts';
import { QUICK, runMeasurementBench } from './measurement-bench.ts';

t.setTimeout(110_000);

const skip = postgresFolder() === undefined ? 'PostgreSQL is not installed here' : false;

t.test(
  'every output takes every point of a small bench, and pages name what was recorded elsewhere',
  { skip },
  async (t) => {
    const said: string[] = [];
    const report = await runMeasurementBench({
      alumet: undefined,
      sizes: { ...QUICK, rounds: 1, seconds: 0.02, warmUpSeconds: 0.02, standstillSeconds: 0.6 },
      seed: 7,
      say: (line) => said.push(line),
    });
    t.strictSame(said, [], 'nothing of ours failed');
    t.strictSame(
      report.measures.map(({ id }) => id),
      ['ingest-1', 'ingest-8', 'standstill'],
    );
    for (const { id, rows } of report.measures)
      for (const row of rows.filter(({ name }) => !name.startsWith('Alumet'))) {
        t.equal(row.estimate.rounds, 1, `${id}: ${row.name}`);
        t.notOk('lost %' in row.beside, 'nothing is lost');
      }
    for (const goal of report.goals) t.not(goal.verdict, 'not measured', goal.what);
    const page = renderBenchPage(report).replaceAll('\u00a0', ' ');
    t.match(page, /npm run bench measurement -- --quick/);
    t.match(page, /Alumet as recorded elsewhere/);
    t.ok(page.includes(NAMES.postgres));
    const end = renderBenchEnd(report, { colour: false, utf8: false }, 'report.html');
    t.match(end, /bench measurement --quick: \d+ of 7 goals met/);
  },
);
