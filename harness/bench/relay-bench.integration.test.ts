import t from 'tap';
import { renderBenchPage } from './bench-page.ts';
import { measureLines, renderBenchEnd } from './bench-terminal.ts';
import { plan, QUICK, type Sizes } from './plan.ts';
import { runRelayBench } from './relay-bench.ts';

t.setTimeout(110_000);

/** Every kind of turn once, as small as it can be. */
const TINY: Sizes = {
  ...QUICK,
  rounds: 2,
  fewRounds: 1,
  seconds: 0.01,
  usersMillis: 40,
  arrivalsMillis: 60,
  idleTunnels: 20,
  pings: 2,
  rateSeconds: 0.05,
};

const NOBODY = {
  ...{ goRelay: undefined, haproxy: undefined, socat: undefined, toxiproxy: undefined },
  sessions: {
    'hashicorp/yamux (Go)': undefined,
    'tokio-yamux (Rust)': undefined,
    '@libp2p/yamux': undefined,
    'yamux-js': undefined,
  },
} as const;

t.test(
  'a bench without peers measures ours, and says of every missing peer that it is missing',
  async (t) => {
    const said: string[] = [];
    const report = await runRelayBench({
      peers: NOBODY,
      sizes: TINY,
      seed: 7,
      say: (line) => said.push(line),
    });
    t.strictSame(said, [], 'nothing of ours failed');
    t.strictSame(
      report.measures.map(({ id }) => id),
      plan(NOBODY, TINY).map(({ id }) => id),
    );
    for (const { id, rows } of report.measures) {
      for (const row of rows.filter(({ own }) => own)) {
        t.ok(row.estimate.value > 0 || id === 'idle' || id === 'latency', `${id}: ${row.name} has a figure`);
        t.equal(row.failed, 0);
      }
      for (const row of rows.filter(({ estimate }) => estimate.rounds === 0)) t.type(row.why, 'string');
    }
    t.ok(report.goals.length > 20);
    for (const goal of report.goals) {
      if (goal.against !== undefined)
        t.match(goal, { verdict: 'not measured', why: /not (here|on PATH|built)/ });
      else t.not(goal.verdict, 'not measured', goal.what);
    }
    // the page ties numbers to their units
    const page = renderBenchPage(report).replaceAll('\u00a0', ' ');
    t.match(page, /<h1>\d+ of \d+ goals met/);
    t.notMatch(page, /(src|href)="(https?:)?\/\//, 'nothing is fetched');
    for (const { what } of report.goals) t.ok(page.includes(what), `the page tells ${what}`);
    const end = renderBenchEnd(report, { colour: false, utf8: false }, 'report.html');
    t.match(end, /bench relay --quick: \d+ of \d+ goals met.*seed 7/);
    const lines = measureLines(report.measures[0] as (typeof report.measures)[number]).join('\n');
    t.match(lines, /HAProxy: not measured, not on PATH/);
  },
);

t.test('a peer that does not run costs its own rows only', async (t) => {
  const said: string[] = [];
  const report = await runRelayBench({
    peers: { ...NOBODY, haproxy: process.execPath },
    sizes: TINY,
    seed: 8,
    only: ['connections'],
    say: (line) => said.push(line),
  });
  const rows = report.measures[0]?.rows ?? [];
  t.ok((rows.find(({ name }) => name === 'relaylab, pool')?.estimate.rounds ?? 0) > 0);
  t.match(
    rows.find(({ name }) => name === 'HAProxy'),
    { estimate: { rounds: 0 }, failed: 3, why: /ended/ },
  );
  t.ok(said.length > 0);
});
