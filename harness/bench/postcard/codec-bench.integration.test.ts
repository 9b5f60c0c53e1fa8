import t from 'tap';
import { builtNative, runCodecBench, versionsOf } from './codec-bench.ts';
import { commandOf, renderCodecPage } from './codec-page.ts';
import { type CodecSizes, codecPlan, QUICK } from './codec-plan.ts';
import { raceLines, renderCodecEnd } from './codec-terminal.ts';
import { Turner } from './turner.ts';

t.setTimeout(240_000);

/** Every turn of every workload, as small as it can be. */
const TINY: CodecSizes = {
  ...QUICK,
  ...{ rounds: 2, starts: 2, warmNanos: 1, turnNanos: 1, points: 10, manyPoints: 20, bennySeconds: 0.01 },
};

t.test('a tiny bench runs every workload and prints one model thrice', async (t) => {
  const said: string[] = [];
  const told: string[] = [];
  const report = await runCodecBench({
    ...{ sizes: TINY, seed: 7, native: builtNative(), say: (line) => said.push(line) },
    done: (race) => told.push(...raceLines(race)),
  });
  const planned = codecPlan({ program: undefined, folder: '' }, TINY).flatMap(({ races }) => races);
  t.strictSame(
    report.races.map(({ id }) => id),
    planned.map(({ id }) => id),
  );
  for (const { id, rows } of report.races)
    for (const row of rows)
      if (row.why === undefined) t.ok(row.estimate.value > 0, `${id}: ${row.name} has a figure`);
      else t.match(row.why, /not built/);
  t.ok(said.length >= 5);
  t.ok(told.some((line) => /COBS on random/.test(line)));
  for (const goal of report.goals.filter(({ against }) => !/Rust/.test(against ?? '')))
    t.not(goal.verdict, 'not measured', goal.what);
  // the page ties numbers to their units
  const page = renderCodecPage(report).replaceAll('\u00a0', ' ');
  t.match(page, /<h1>postcard-ts writes measurements [\d.]+ times as fast as msgpackr/);
  t.notMatch(page, /(src|href)="(https?:)?\/\//, 'nothing is fetched');
  for (const { what } of report.goals) t.ok(page.includes(what), `the page tells ${what}`);
  for (const [name, version] of Object.entries(report.versions))
    t.ok(page.includes(`${name} ${version}`), `the page tells the version of ${name}`);
  t.ok(page.includes('npm run bench postcard -- --quick --seed 7'));
  t.match(renderCodecEnd(report, { colour: false, utf8: false }, 'report.html'), /\d+ of \d+ goals met/);
});

t.test('a run of some workloads says so, and has no overview without the first', async (t) => {
  const report = await runCodecBench({
    ...{ sizes: TINY, seed: 8, native: undefined, only: ['D'], say: () => {} },
  });
  t.strictSame([...new Set(report.races.map(({ workload }) => workload))], ['D']);
  t.equal(commandOf(report), 'npm run bench postcard -- --quick --only D --seed 8');
  const page = renderCodecPage(report);
  t.match(page, /partial/);
  t.notMatch(page, /At a glance/);
  t.match(page, /not built: run/, 'who is absent is named with the reason');
  t.notMatch(Object.keys(versionsOf(undefined)).join(), /Rust/);
});

t.test('a contender that does not start says why', async (t) => {
  await t.rejects(Turner.start({ set: 'measurements', id: 'nothing', points: 1 }), {
    message: /^nothing of measurements: .*no format is called nothing/s,
  });
});

t.test('after its turns a contender reads back what it was timed with', async (t) => {
  const turner = await Turner.start({ set: 'kept', id: 'postcard-references', points: 10 });
  t.ok((await turner.turn('decode', 40)) > 0);
  await t.resolves(turner.check());
  t.ok((await turner.turn('decode', 40)) > 0, 'and goes on');
  await turner.stop();
  await t.rejects(turner.check(), { message: /^postcard-references of kept: node ended/ });
});
