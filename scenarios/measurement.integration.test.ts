// The measurement scenarios in each real lab, through the command people type: relay-agent, a database, kernel NATs.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { probeEngine } from '../harness/labs/docker/engine.ts';
import { whyNoKernel } from '../harness/labs/netns/kernel-here.ts';
import { postgresFolder, ThrowawayPostgres } from '../reference-impl/agent/outputs/throwaway-postgres.ts';

const RELAYLAB = fileURLToPath(new URL('../harness/cli/relaylab.ts', import.meta.url));
const AGENT = fileURLToPath(new URL('../reference-impl/agent/bin/relay-agent.ts', import.meta.url));
const SIZE = ['--sites', '2', '--agents', '3', '--duration', '18', '--seed', 'b07'];
const engine = await probeEngine(10_000);
t.setTimeout(600_000);

type Told = {
  readonly code: number | null;
  readonly said: string;
  readonly verdicts: ReadonlyMap<string, string>;
};

const run = async (t: Test, scenario: string, ...flags: readonly string[]): Promise<Told> => {
  const reports = mkdtempSync(join(tmpdir(), 'measurement-'));
  t.teardown(() => rmSync(reports, { recursive: true, force: true }));
  const args = [RELAYLAB, 'scenario', scenario, ...SIZE, ...flags, '--reports', reports];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const [folder = ''] = readdirSync(join(reports, scenario));
  const report = JSON.parse(readFileSync(join(reports, scenario, folder, 'report.json'), 'utf8')) as {
    readonly checks: readonly { readonly judgement: { readonly clause: string; readonly verdict: string } }[];
  };
  if (code !== 0) t.comment(said.slice(-3_000));
  return {
    code,
    said,
    verdicts: new Map(report.checks.map(({ judgement }) => [judgement.clause, judgement.verdict])),
  };
};

/**
 * `npm run prove` asks for the long ones as well: every other change is held to one lab and one foreign pair, and the output into
 * PostgreSQL to tests of its own.
 */
const LONG = process.env.RELAYLAB_LONG === '1';

for (const lab of LONG ? ['local', 'docker'] : ['local']) {
  const skip = lab === 'docker' && !engine.ok ? engine.reason : false;
  t.test(
    `a server that is killed in the ${lab} lab has every point once, in its SQLite file`,
    { skip },
    async (t) => {
      const { code, verdicts } = await run(t, 'backoff-herd', '--lab', lab);
      t.equal(code, 0);
      for (const clause of ['MEAS-POINT-1', 'MEAS-ACK-1', 'MEAS-RETRY-1', 'MEAS-BACK-1', 'MEAS-NAME-1'])
        t.equal(verdicts.get(clause), 'pass', clause);
    },
  );
}

if (LONG)
  t.test('a storm in the local lab is pushed back, and every point of it is stored', async (t) => {
    const { code, verdicts } = await run(t, 'measurement-storm', '--lab', 'local');
    t.equal(code, 0);
    for (const clause of ['MEAS-POINT-1', 'MEAS-FLOW-1']) t.equal(verdicts.get(clause), 'pass', clause);
  });

const postgres = postgresFolder() === undefined ? 'no PostgreSQL here' : false;
const NO_LAB: Readonly<Record<string, string | undefined>> = {
  docker: engine.ok ? undefined : engine.reason,
  netns: whyNoKernel('relaylab-try'),
};
const PASSWORD = 'not-to-be-shown';

/** Command lines: what every user of the machine may read. The runner has the one that was typed. */
const whoShows = (word: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return line.includes(word) && !line.includes('relaylab.ts') ? [line.replaceAll('\0', ' ')] : [];
      } catch {
        return [];
      }
    });

const socketsOf = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('relaylab-db-'));

for (const lab of LONG ? ['local', 'docker', 'netns'] : ['netns'])
  t.test(
    `the same points lie in PostgreSQL when --db names one in the ${lab} lab`,
    { skip: postgres || (NO_LAB[lab] ?? false) },
    async (t) => {
      const database = await ThrowawayPostgres.start();
      t.teardown(() => database.close());
      const url = database.url.replace('@', `:${PASSWORD}@`);
      const shown = new Set<string>();
      const timer = setInterval(() => {
        for (const line of whoShows(PASSWORD)) shown.add(line);
      }, 250);
      const { code, said, verdicts } = await run(t, 'backoff-herd', '--lab', lab, '--db', url);
      clearInterval(timer);
      t.equal(code, 0);
      t.equal(verdicts.get('MEAS-POINT-1'), 'pass');
      t.same([...shown], [], 'nobody on the machine sees the password');
      t.notMatch(said, new RegExp(PASSWORD));
      t.same(socketsOf(), [], 'no socket is left');
    },
  );

t.test(
  'Ctrl-C leaves no socket of the database',
  { skip: postgres || (NO_LAB.netns ?? false) },
  async (t) => {
    const database = await ThrowawayPostgres.start();
    t.teardown(() => database.close());
    const args = [RELAYLAB, 'scenario', 'backoff-herd', ...SIZE, '--lab', 'netns', '--db', database.url];
    const child = spawn(process.execPath, [...args, '--reports', t.testdir()], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += text;
      if (/phase/.test(said)) break;
    }
    t.equal(socketsOf().length, 1, said);
    child.stdout.resume();
    child.kill('SIGINT');
    t.equal(await closed, 130);
    t.same(socketsOf(), []);
  },
);

if (LONG)
  t.test("somebody else's CSV file is judged point by point", async (t) => {
    const server = (plugins: string): string =>
      `${process.execPath} ${AGENT} --log-level warn --config /nowhere/none.toml --relay-in {host}:{port} --output-file {csv} --plugins ${plugins} --config-override plugins.relay-server.acknowledge=false`;
    const whole = await run(t, 'nat-pool', '--lab', 'local', '--server-exec', server('relay-server,csv'));
    t.equal(whole.code, 0);
    for (const clause of ['MEAS-POINT-2', 'MEAS-LATE-1', 'MEAS-NAME-1', 'MEAS-LIVE-1'])
      t.equal(whole.verdicts.get(clause), 'pass', clause);
    const sieve = `${server('relay-server,filter,csv')} --config-override 'plugins.filter.exclude=["late"]'`;
    const sieved = await run(t, 'nat-pool', '--lab', 'local', '--server-exec', sieve);
    t.equal(sieved.code, 1);
    for (const clause of ['MEAS-POINT-2', 'MEAS-LATE-1'])
      t.equal(sieved.verdicts.get(clause), 'fail', clause);
    t.match(sieved.said, /MEAS-POINT-2 MUST .* broken/);
  });

t.test(
  "somebody else's server is judged by what it stores, somebody else's agent by when it comes back",
  async (t) => {
    const agent = `${process.execPath} ${AGENT} --log-level warn --config /nowhere/none.toml`;
    const server = `${agent} --relay-in {host}:{port} --plugins relay-server,sqlite --config-override "plugins.sqlite.path='{db}'" --config-override plugins.relay-server.acknowledge=false`;
    const stored = await run(t, 'backoff-herd', '--lab', 'local', '--server-exec', server);
    t.equal(stored.code, 0);
    t.equal(stored.verdicts.get('MEAS-POINT-1'), 'not-applicable', 'nobody acknowledges');
    t.equal(stored.verdicts.get('MEAS-POINT-2'), 'pass');
    const client = `${agent} --relay-out {host}:{port} --plugins relay-client,synthetic --config-override "plugins.relay-client.client_name='{name}'"`;
    const timed = await run(t, 'backoff-herd', '--lab', 'local', '--agent-exec', client);
    t.equal(timed.code, 0);
    t.equal(timed.verdicts.get('MEAS-POINT-2'), 'not-applicable', 'its points carry no numbers');
    t.equal(timed.verdicts.get('MEAS-RETRY-1'), 'pass');
    t.equal(timed.verdicts.get('MEAS-BACK-1'), 'pass');
  },
);
