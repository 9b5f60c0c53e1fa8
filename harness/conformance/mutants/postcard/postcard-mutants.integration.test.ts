/** Every broken codec is found out by its own clause, at full length by an adapter that keeps all others. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CLAUSES } from '../../clauses/registry.ts';
import { Canary } from '../../engine/canary.ts';
import { runAdapterCases } from '../../engine/run-adapter-cases.ts';
import type { CaseResult } from '../../outcome.ts';
import { POSTCARD } from '../../suites/postcard/postcard.ts';
import { EVERYTHING } from '../../targets/capabilities.ts';
import { CODEC_DEFECTS } from './defects.ts';

// Each mutant is a process; on a busy machine that takes its time.
t.setTimeout(300_000);

const ADAPTER = fileURLToPath(new URL('./adapter.ts', import.meta.url));
/** Cases that no defect but their own may touch. */
const BYSTANDERS = ['decode/u8', 'encode/unit'];

const canary = new Canary();
t.teardown(() => canary.stop());

const judged = (defect: string, names: readonly string[]): Promise<readonly CaseResult[]> =>
  runAdapterCases({
    profile: POSTCARD,
    cases: POSTCARD.cases.filter(({ name }) => names.includes(name)),
    command: `'${process.execPath}' '${ADAPTER}' --defect ${defect}`,
    surroundings: { capabilities: EVERYTHING, canary, seed: 7 },
    answerMillis: 3_000,
    rerunOf: (id) => id,
    done: () => undefined,
    signal: new AbortController().signal,
  });

for (const [name, { clause, case: finder, says }] of Object.entries(CODEC_DEFECTS))
  t.test(`${name} breaks ${clause}: ${says}`, async (t) => {
    const results = await judged(name, [finder, ...BYSTANDERS]);
    const found = results.find(({ id }) => id === `postcard/${finder}`);
    t.equal(found?.clause, clause, 'the case judges that clause');
    if (clause !== 'POSTCARD-ROBUST-3') t.equal(CLAUSES.get(clause)?.level, 'MUST', 'which obliges');
    t.match(found, { verdict: 'fail', blame: 'target' }, name);
    t.notMatch(found?.got, /^(as expected)?$/, 'and says what came instead');
    const others = results.filter((result) => result !== found && result.verdict !== 'pass');
    if (!clause.startsWith('POSTCARD-KIT')) t.same(others, [], 'what it does not touch still holds');
  });

t.test(
  'every clause that obliges, but for a few about plain writing, has a defect that breaks it',
  async (t) => {
    const broken = new Set(Object.values(CODEC_DEFECTS).map(({ clause }) => clause));
    const judgedClauses = new Set(POSTCARD.cases.map(({ clause }) => clause));
    const spared = [...judgedClauses].filter((id) => CLAUSES.get(id)?.level === 'MUST' && !broken.has(id));
    t.same(
      spared.sort(),
      [
        ...['BOOL-1', 'BYTES-1', 'CHAR-1', 'MAP-1', 'NEST-1', 'NEST-2', 'NEWTYPE-1', 'SEQ-1', 'SIZE-1'],
        ...['STRING-1', 'UNIT-1'],
      ].map((id) => `POSTCARD-${id}`),
    );
  },
);
