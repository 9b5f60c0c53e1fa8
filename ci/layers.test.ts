/** Holds every import to the arrows of ci/layers.ts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  isTestSupport,
  isWithin,
  LAYERS,
  layersTable,
  rowOf,
  TEST_SUPPORT,
  TESTS_MAY_IMPORT,
} from './layers.ts';
import { importsOf, isSource, isTest, ROOT, repositoryFiles, textOf } from './tree.ts';

/** Foreign programs, each with packages of its own. */
const PEERS = 'ci/peers';
const HOUSES = ['reference-impl', 'harness', 'scenarios', 'ci'];

/** What is wrong with one import, or nothing. */
const objection = (file: string, target: string): string | undefined => {
  const forTests = isTest(file) || isTestSupport(file);
  const layers = forTests ? TESTS_MAY_IMPORT : LAYERS;
  const row = rowOf(file, layers);
  if (row === undefined) return `${file} lies in no layer: give its folder a row in ci/layers.ts`;
  if (forTests && rowOf(target, TESTS_MAY_IMPORT) === undefined) return undefined;
  if (!forTests && (isTest(target) || isTestSupport(target)))
    return `${file} imports ${target}, which is there for tests only`;
  const allowed = layers[row] ?? [];
  if ((!forTests && rowOf(target, layers) === row) || allowed.some((entry) => isWithin(target, entry)))
    return undefined;
  return `${file} imports ${target}, but ${row} may import only: ${allowed.join(', ') || 'nothing'}`;
};

const objections = (file: string, text: string): readonly string[] => [
  ...new Set(importsOf(file, text).flatMap((target) => objection(file, target) ?? [])),
];

const sources = repositoryFiles().filter(
  (path) => isSource(path) && !isWithin(path, PEERS) && HOUSES.some((house) => isWithin(path, house)),
);

t.test('every import follows the arrows', async (t) => {
  t.ok(sources.length > 100, `${sources.length} files read`);
  t.same(
    sources.flatMap((file) => objections(file, textOf(file) ?? '')),
    [],
  );
});

t.test('a wrong import is named with its file, its target and what is allowed', async (t) => {
  for (const [file, text, says] of [
    [
      'reference-impl/yamux/session.ts',
      "import { connect } from 'node:net';",
      /may import only: reference-impl\/machine/,
    ],
    [
      'reference-impl/yamux/session.ts',
      "import { YamuxDuplex } from './duplex.ts';",
      /yamux\/duplex\.ts, but/,
    ],
    [
      'reference-impl/machine/rng.ts',
      "import type {\n  A,\n} from '../backoff/schedule.ts';",
      /only: nothing/,
    ],
    [
      'reference-impl/port-relay/relay/ends.ts',
      "export { a } from '../library.ts';",
      /port-relay\/library\.ts/,
    ],
    [
      'reference-impl/port-relay/bin/relay.ts',
      "import '../../../harness/conformance/mutants/defects.ts';",
      /mutants/,
    ],
    [
      'reference-impl/port-relay/live.ts',
      "import { DEFECTS } from '../../harness/conformance/mutants/defects.ts';",
      /defects/,
    ],
    [
      'reference-impl/yamux/session.test.ts',
      "import { a } from '../../harness/measure/ledger.ts';",
      /measure\/ledger/,
    ],
    ['reference-impl/yamux/session.ts', "import { a } from './virtual-link.ts';", /tests only/],
    ['harness/trace/trace.ts', "await import('node:fs');", /node:fs/],
    ['harness/agents/agent.ts', "new URL('../labs/lab.ts', import.meta.url)", /harness\/labs\/lab\.ts/],
    ['harness/agents/agent.ts', "programFile('../labs/lab', import.meta.url)", /harness\/labs\/lab\.ts/],
    ['harness/scenario/judge.ts', "import { a } from '../report/json.ts';", /harness\/report/],
    ['harness/chaos-proxy/src/link.ts', "import { createServer } from 'node:net';", /node:net/],
    ['harness/chaos-proxy/src/link.test.ts', "import { a } from '../../nat/nat.ts';", /nat\/nat\.ts/],
    ['nowhere/new.ts', "import { a } from 'node:fs';", /lies in no layer/],
  ] as const)
    t.match(objections(file, text).join('\n'), says, `${file}: ${text}`);
});

t.test('what the arrows allow passes', async (t) => {
  for (const [file, text] of [
    ['reference-impl/yamux/session.ts', "import { frame } from './frame.ts';"],
    ['reference-impl/drivers/node.ts', "import net from 'node:net';"],
    [
      'harness/nat/nat-sim.test.ts',
      "import { Sim } from '../../reference-impl/drivers/sim.ts';\nimport t from 'tap';",
    ],
    ['scenarios/nat-pool.ts', "import { scenario } from '../harness/scenario/scenario.ts';"],
  ] as const)
    t.same(objections(file, text), [], `${file}: ${text}`);
});

t.test('the table speaks of what is there', async (t) => {
  const paths = [...Object.keys(LAYERS), ...Object.values(LAYERS).flat(), ...TEST_SUPPORT].filter((entry) =>
    HOUSES.some((house) => isWithin(entry, house)),
  );
  t.same(
    paths.filter((path) => !existsSync(join(ROOT, path))),
    [],
    'no row or entry for a folder that is gone',
  );
});

t.test('ARCHITECTURE.md prints this very table', async (t) => {
  t.ok(textOf('ARCHITECTURE.md')?.includes(layersTable()), `expected there:\n${layersTable()}`);
});
