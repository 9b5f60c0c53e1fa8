/**
 * `npm run prove`: what takes too long for every change. Each proof says what it found in a line, and everything in a file of
 * reports/prove/. `npm run prove -- sim mutants` runs those two. Exit code 0: all of them hold.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, globSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Canary } from '../harness/conformance/engine/canary.ts';
import { DEFECTS } from '../harness/conformance/mutants/defects.ts';
import { judgeAllOurs } from '../harness/conformance/ours.ts';
import { compileCache } from '../harness/labs/compile-cache.ts';
import { ROOT } from './tree.ts';

type Outcome = { readonly holds: boolean; readonly says: string };
type Said = { readonly code: number | null; readonly text: string };
type Proof = {
  readonly name: string;
  readonly claim: string;
  readonly prove: (log: Log) => Promise<Outcome>;
};
type Log = (text: string) => void;

const FOLDER = join(ROOT, 'reports', 'prove');
const RELAYLAB = 'harness/cli/relaylab.ts';
const SIM_SEEDS = 100;
const REAL_SEEDS = 3;
/** Inputs of a property test that reads RELAYLAB_FUZZ. */
const FUZZ_RUNS = 100_000;
const HOUR_SECONDS = 3_600;
/** The aim is a minute on one quiet core; five times that is where this proof gives up. */
const MILLION = { deadlineMillis: 300_000, rssBytesMax: 2e9, reportBytesMax: 32e6 };

// thousands of programs are started: the cache takes two thirds off the start of each
Object.assign(process.env, compileCache(ROOT));

/** Ctrl-C: programs that a proof started get it from the terminal, or stay quiet for it here; what a proof judges itself is ended. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

const scenarios = globSync('scenarios/*.ts', { cwd: ROOT })
  .filter((file) => !file.includes('.test.'))
  .map((file) => file.replace(/^scenarios\/|\.ts$/g, ''))
  .sort();

/** Runs one of the project's programs to its end. */
const run = (log: Log, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> =>
  new Promise((resolve, reject) => {
    log(`$ node ${args.join(' ')}\n`);
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, CI: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    const heard = (chunk: Buffer): void => {
      text += chunk;
      log(String(chunk));
    };
    child.stdout.on('data', heard);
    child.stderr.on('data', heard);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });

const relaylab = (log: Log, words: string): Promise<Said> =>
  run(log, [RELAYLAB, ...words.split(' '), '--reports', FOLDER]);

const seedsPass = async (log: Log, lab: string, seeds: number): Promise<Outcome> => {
  const lines: string[] = [];
  let holds = true;
  for (const scenario of scenarios) {
    const { code, text } = await relaylab(log, `scenario ${scenario} --lab ${lab} --seed 1 --seeds ${seeds}`);
    holds &&= code === 0;
    lines.push(`${scenario} ${/(\d+ of \d+) seeds passed/.exec(text)?.[1] ?? `exit ${code}`}`);
  }
  return { holds, says: lines.join(', ') };
};

/** The longest of the durations that runs told, as `up` or `down`. */
const longest = (text: string, told: RegExp): string => {
  const seconds = [...text.matchAll(told)].map((found) => Number(found[1]));
  return seconds.length === 0 ? '?' : Math.max(...seconds).toFixed(1);
};

/** Fifty sites of twenty clients in each real lab; how long they took to start and to go is told, not judged. */
const fiftySitesPass = async (log: Log): Promise<Outcome> => {
  const lines: string[] = [];
  let holds = true;
  const size = `--sites 50 --clients 20 --seed 1 --seeds ${REAL_SEEDS}`;
  for (const lab of ['local', 'docker', 'netns']) {
    const { code, text } = await relaylab(log, `scenario nat-pool --lab ${lab} ${size}`);
    holds &&= code === 0;
    const passed = /(\d+ of \d+) seeds passed/.exec(text)?.[1] ?? `exit ${code}`;
    const up = longest(text, /sites up in ([\d.]+) s/g);
    lines.push(`${lab} ${passed} (up in ${up} s, down in ${longest(text, /down in ([\d.]+) s/g)} s)`);
  }
  return { holds, says: lines.join(', ') };
};

/** The clauses that the run found broken, as its report says. */
const brokenClauses = (text: string): readonly string[] => {
  const page = /report=(\S+)\.html/.exec(text)?.[1];
  if (page === undefined) return [];
  const { checks } = JSON.parse(readFileSync(join(ROOT, `${page}.json`), 'utf8')) as {
    readonly checks: readonly { readonly judgement: { readonly clause: string; readonly verdict: string } }[];
  };
  return checks
    .filter(({ judgement }) => judgement.verdict === 'fail')
    .map(({ judgement }) => judgement.clause);
};

/** Every spoiled relay is found out: the run fails, and by the clause that the defect breaks. */
const mutantsDie = async (log: Log): Promise<Outcome> => {
  const survivors: string[] = [];
  const all = Object.entries(DEFECTS);
  for (const [name, { clause, labs }] of all) {
    const lab = labs === 'all' ? 'sim' : 'local';
    const { code, text } = await relaylab(log, `scenario nat-pool --lab ${lab} --seed 1 --defect ${name}`);
    if (code !== 1 || !brokenClauses(text).includes(clause)) survivors.push(`${name} (${clause})`);
  }
  const killed = `${all.length - survivors.length} of ${all.length} killed by their clause`;
  return { holds: survivors.length === 0, says: [killed, ...survivors].join('; not: ') };
};

const testsPass = async (log: Log, files: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { code, text } = await run(log, ['ci/test.ts', `--timeout=${HOUR_SECONDS}`, ...files], env);
  return { holds: code === 0, says: text.trimEnd().split('\n').at(-1) ?? '' };
};

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** @returns whether it came true in time */
const comesTrue = async (test: () => boolean, millis: number): Promise<boolean> => {
  const deadline = performance.now() + millis;
  while (!test() && performance.now() < deadline) await pause(100);
  return test();
};

const MEASURED = [
  'scenarios/measurement.integration.test.ts',
  'reference-impl/agent/relay/kills.integration.test.ts',
];

/** A runner that is killed cannot clean up: its agents must notice by themselves. */
const killedRunnerLeavesNothing = async (log: Log): Promise<Outcome> => {
  if (process.platform !== 'linux') return { holds: false, says: 'reads /proc: Linux only' };
  const reports = join(FOLDER, `kill-${process.pid}`);
  const words = `scenario nat-pool --lab local --sites 2 --clients 2 --users 2 --reports ${reports}`;
  const runner = spawn(process.execPath, [RELAYLAB, ...words.split(' ')], { cwd: ROOT, stdio: 'ignore' });
  const pid = runner.pid as number;
  const joined = (): boolean =>
    globSync(`${reports}/*/*/trace.ndjson`).some((file) =>
      readFileSync(file, 'utf8').includes('tunnel.connected'),
    );
  const busy = await comesTrue(joined, 60_000);
  const agents = childrenOf(pid).flatMap((child) => [child, ...childrenOf(child)]);
  log(`runner ${pid}, processes below it: ${agents.join(', ')}\n`);
  runner.kill('SIGKILL');
  const gone = await comesTrue(() => !agents.some(isAlive), 15_000);
  const left = agents.filter(isAlive);
  return {
    holds: busy && agents.length > 0 && gone,
    says: `${agents.length} processes below the killed runner, ${left.length} left after 15 s`,
  };
};

/** CPU seconds and largest resident bytes of a process so far (Linux); undefined: it is gone. */
const costOf = (pid: number): { readonly cpuSeconds: number; readonly rssBytes: number } | undefined => {
  try {
    // fields 14 and 15, counted from behind the name; 100 ticks a second everywhere
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    if (peak === undefined) return undefined;
    return { cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100, rssBytes: Number(peak) * 1024 };
  } catch {
    return undefined;
  }
};

const bytesIn = (folder: string): number =>
  globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

/** A million clients on one core lose their relay and all come back; what that took is told, and bounded. */
const millionComesBack = async (log: Log): Promise<Outcome> => {
  const reports = join(FOLDER, `million-${process.pid}`);
  const words = `scenario nat-pool --lab sim --seed 1 --sites 100000 --clients 10 --reports ${reports}`;
  const args = ['--single-threaded-gc', RELAYLAB, ...words.split(' ')];
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, CI: 'true' } });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk;
      log(String(chunk));
    });
  const startedAt = performance.now();
  let cost: ReturnType<typeof costOf>;
  const look = setInterval(() => {
    cost = costOf(child.pid as number) ?? cost;
    if (performance.now() - startedAt > MILLION.deadlineMillis) child.kill('SIGINT');
  }, 500);
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve));
  clearInterval(look);
  const bytes = bytesIn(reports);
  const headline = /headline "(.*)"/.exec(text)?.[1] ?? `exit ${code}`;
  const megabytes = (n: number): string => `${(n / 1e6).toFixed(0)} MB`;
  return {
    holds:
      code === 0 &&
      headline.includes('All came back') &&
      bytes <= MILLION.reportBytesMax &&
      (cost === undefined || cost.rssBytes <= MILLION.rssBytesMax),
    says: `${headline} ${cost === undefined ? '' : `${cost.cpuSeconds.toFixed(0)} CPU s, ${megabytes(cost.rssBytes)} resident, `}${megabytes(bytes)} of trace and report`,
  };
};

/** Every mutant of the gate falls to its clause, and nothing correct is refused. */
const checksBite = async (log: Log): Promise<Outcome> => {
  const { code, text } = await run(log, ['harness/conformance/selfproof.ts']);
  return {
    holds: code === 0,
    says: `${text.match(/ killed /g)?.length ?? 0} mutants killed; ${text.trimEnd().split('\n').at(-1)}`,
  };
};

/** Idle runs, and as many busy ones, of every profile: 20 take an hour. */
const STABLE_RUNS = Number(process.env.RELAYLAB_STABLE ?? 20);
/** Keeps a core busy, and looks up often enough to notice that whoever started it is gone: then its standard input ends. */
const BURN = `process.stdin.on("close", () => process.exit()).resume();
  const burn = () => { const until = performance.now() + 50; while (performance.now() < until); setImmediate(burn); };
  burn();`;

/** So often on an idle machine and as often with every core busy: no case of any profile may change between pass and fail. */
const verdictsAreStable = async (log: Log): Promise<Outcome> => {
  const seen = new Map<string, Set<string>>();
  let undecided = 0;
  let runs = 0;
  const canary = new Canary();
  const judge = async (state: string): Promise<void> => {
    for (let n = 0; n < STABLE_RUNS && !interrupted.signal.aborted; n++) {
      const startedAt = performance.now();
      for (const results of judgeAllOurs(canary, n, interrupted.signal).values())
        for (const { id, level, verdict, got } of await results) {
          if (verdict === 'inconclusive') undecided++;
          else seen.set(id, (seen.get(id) ?? new Set()).add(verdict));
          if (verdict !== 'pass' && verdict !== 'not-applicable') log(`${level} ${id} ${verdict}: ${got}\n`);
        }
      if (!interrupted.signal.aborted) runs++;
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      log(`${state} run ${n + 1} of ${STABLE_RUNS}: all profiles in ${seconds} s\n`);
    }
  };
  await judge('idle');
  const burners = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', BURN], { stdio: ['pipe', 'ignore', 'inherit'] }),
  );
  try {
    await judge('busy');
  } finally {
    for (const burner of burners) burner.kill('SIGKILL');
    canary.stop();
  }
  const torn = [...seen].filter(([, verdicts]) => verdicts.size > 1).map(([id]) => id);
  return {
    holds: torn.length === 0 && seen.size > 0 && !interrupted.signal.aborted,
    says: `${runs} runs of ${seen.size} cases, ${undecided} times undecided${torn.length === 0 ? '' : `; changed: ${torn.join(', ')}`}`,
  };
};

const PROOFS: readonly Proof[] = [
  { name: 'sim', claim: `${SIM_SEEDS} seeds pass in sim`, prove: (log) => seedsPass(log, 'sim', SIM_SEEDS) },
  { name: 'mutants', claim: 'every broken relay is found out', prove: mutantsDie },
  { name: 'bites', claim: 'every check of the gate bites', prove: checksBite },
  { name: 'stable', claim: 'load changes no verdict of the gate', prove: verdictsAreStable },
  { name: 'million', claim: 'a million clients come back, in 2 GB', prove: millionComesBack },
  {
    name: 'fuzz',
    claim: `properties hold for ${FUZZ_RUNS} inputs`,
    prove: (log) =>
      testsPass(log, globSync('{harness,reference-impl}/**/*.property.test.ts', { cwd: ROOT }), {
        RELAYLAB_FUZZ: String(FUZZ_RUNS),
      }),
  },
  { name: 'kill', claim: 'kill -9 of a local run leaves nothing', prove: killedRunnerLeavesNothing },
  {
    name: 'measurement',
    claim: 'measurements keep their promises in Docker too, through a storm, and whoever is killed',
    prove: (log) => testsPass(log, MEASURED, { RELAYLAB_LONG: '1' }),
  },
  {
    name: 'docker-tests',
    claim: 'killed runners and lost engines leave nothing',
    prove: (log) => testsPass(log, ['harness/labs/docker']),
  },
  {
    name: 'local',
    claim: `${REAL_SEEDS} seeds pass in local`,
    prove: (log) => seedsPass(log, 'local', REAL_SEEDS),
  },
  {
    name: 'docker',
    claim: `${REAL_SEEDS} seeds pass in docker`,
    prove: (log) => seedsPass(log, 'docker', REAL_SEEDS),
  },
  {
    name: 'netns',
    claim: `${REAL_SEEDS} seeds pass in netns`,
    prove: (log) => seedsPass(log, 'netns', REAL_SEEDS),
  },
  { name: 'fifty', claim: 'nat-pool passes with 50 sites in every real lab', prove: fiftySitesPass },
];

const row = (name: string, claim: string, result: string, seconds: string, says: string): string =>
  `${name.padEnd(13)} ${claim.padEnd(46)} ${result.padEnd(6)} ${seconds.padStart(7)}  ${says}`;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PROOFS.some((proof) => proof.name === name));
if (unknown.length > 0) {
  console.error(
    `prove: no proof is called ${unknown.join(', ')}; there are ${PROOFS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
mkdirSync(FOLDER, { recursive: true });
console.log(row('proof', 'claim', 'holds', 'seconds', 'found'));
let failed = 0;
for (const { name, claim, prove } of PROOFS.filter(
  (proof) => wanted.length === 0 || wanted.includes(proof.name),
)) {
  const file = createWriteStream(join(FOLDER, `${name}.log`));
  const startedAt = performance.now();
  const outcome = await prove((text) => void file.write(text)).catch((error: unknown) => ({
    holds: false,
    says: `the proof broke: ${String(error)}`,
  }));
  file.end();
  if (!outcome.holds) failed++;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(row(name, claim, outcome.holds ? 'yes' : 'NO', seconds, outcome.says));
  if (interrupted.signal.aborted) process.exit(130);
}
console.log(failed === 0 ? 'every proof holds' : `${failed} do not hold: see reports/prove/`);
process.exitCode = failed === 0 ? 0 : 1;
