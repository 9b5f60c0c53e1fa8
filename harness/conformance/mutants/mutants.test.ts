/** Every broken relay is found out by its own clause, and a healthy one by none. */
import t from 'tap';
import natPool from '../../../scenarios/nat-pool.ts';
import { SimLab } from '../../labs/sim/sim-lab.ts';
import { execute } from '../../scenario/execute.ts';
import { exitOf, Judge } from '../../scenario/judge.ts';
import type { TraceEvent } from '../../trace/trace.ts';
import { EXIT, type Judgement } from '../../verdict/verdict.ts';
import { CLAUSES } from '../clauses/registry.ts';
import { DEFECTS, defectiveRelay } from './defects.ts';

// Thirty runs in one file: on a busy machine more than the usual half minute.
t.setTimeout(300_000);

const SIZES = { sites: 6, clients: 5, users: 20, durationMillis: 40_000 };
const SEED = 7;

const run = async (
  seed: number,
  defect: string | undefined,
): Promise<{ readonly exit: number; readonly failed: readonly Judgement[] }> => {
  const events: TraceEvent[] = [];
  await execute({
    scenario: natPool,
    chosen: { lab: new SimLab(), reason: 'asked for' },
    options: { lab: 'sim', seed, ...SIZES },
    relayExec: undefined,
    defect,
    version: '0',
    rerun: 'none',
    sink: (event) => void events.push(event),
    signal: new AbortController().signal,
    progress: () => {},
    keep: false,
  });
  const judge = new Judge(natPool.checks);
  for (const event of events) judge.event(event);
  const judgements = judge.judgements();
  const failed = judgements.filter(({ level, verdict }) => level === 'MUST' && verdict === 'fail');
  return { exit: exitOf(judgements, judge.analysis.complete), failed };
};

for (const [name, { clause, says, labs }] of Object.entries(DEFECTS)) {
  if (labs !== 'all') continue;
  t.test(`${name} breaks ${clause}: ${says}`, async (t) => {
    const { exit, failed } = await run(SEED, name);
    t.equal(exit, EXIT.fail);
    const found = failed.find((judgement) => judgement.clause === clause);
    t.ok(found, `found: ${failed.map((judgement) => judgement.clause).join(' ')}`);
    if (found === undefined) return;
    t.equal(found.blame, 'target');
    t.ok(found.broken > 0 && found.broken <= found.exercised, `${found.broken} of ${found.exercised}`);
    t.not(found.expected, '', 'says what was expected');
    t.notMatch(found.got, /^(as expected)?$/, 'says what came instead');
    t.ok(found.evidence.length > 0, 'shows where');
    t.ok(
      found.evidence.some(({ here }) => here),
      'points at the event that broke it',
    );
  });
}

t.test('a relay without defects passes in the same sizes', async (t) => {
  for (let seed = SEED; seed < SEED + 5; seed++) {
    const { exit, failed } = await run(seed, undefined);
    t.equal(
      exit,
      EXIT.pass,
      `seed ${seed}: ${failed.map(({ clause, got }) => `${clause} ${got}`).join(', ')}`,
    );
  }
});

t.test('defects name clauses that exist and oblige', async (t) => {
  for (const [name, { clause }] of Object.entries(DEFECTS)) t.equal(CLAUSES.get(clause)?.level, 'MUST', name);
});

t.test('a defect that nobody wrote is refused with the list of those there are', async (t) => {
  const config = { port: 0, limits: {}, newId: () => 'A', name: () => 1, publicPorts: undefined };
  t.throws(
    () => defectiveRelay('no-such', config, 'sim'),
    /no defect is called no-such; there are padded-port/,
  );
  t.throws(() => defectiveRelay('dies-on-garbage', config, 'sim'), /--relay-exec/);
});
