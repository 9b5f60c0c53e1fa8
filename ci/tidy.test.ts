/** Holds the repository to ci/tidy.ts, and shows of every rule that it bites. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { capabilityFolders, RULES } from './tidy.ts';
import { ROOT, repositoryFiles, textOf } from './tree.ts';

type RuleName = keyof typeof RULES;
type Fixture = readonly [path: string, text: string];

const half = (...pieces: readonly string[]): string => pieces.join('');

/** What each rule must refuse. */
const REFUSED: Readonly<Record<RuleName, readonly Fixture[]>> = {
  'a source file has at most 400 lines': [['harness/nat/nat.ts', 'const a = 1;\n'.repeat(401)]],
  'names say the concept': [
    ['harness/nat/utils.ts', ''],
    ['harness/helpers/nat.ts', ''],
    ['reference-impl/yamux/types.test.ts', ''],
  ],
  'syntax is erasable': [
    ['harness/nat/nat.ts', 'export const enum Kind { A }'],
    ['harness/nat/nat.ts', 'export namespace Nat {}'],
    [
      'harness/nat/nat.ts',
      `class A {\n  constructor(\n    a: number,\n    ${half('pri', 'vate')} b: number,\n  ) {}\n}`,
    ],
  ],
  'machines own no clock, timer, chance or process': [
    ['reference-impl/yamux/session.ts', 'const now = Date.now();'],
    ['reference-impl/machine/rng.ts', 'return Math.random();'],
    ['reference-impl/drivers/sim.ts', 'setTimeout(wake, 5);'],
    ['harness/nat/nat-machine.ts', 'if (process.env.DEBUG) {}'],
    ['harness/chaos-proxy/src/link.ts', 'const now = performance.now();'],
    ['harness/verdict/verdict.ts', 'const at = new Date();'],
  ],
  'nothing is left over': [
    ['README.md', half('FIX', 'ME: words')],
    ['harness/nat/nat.ts', half('// TO', 'DO close it')],
    ['harness/nat/nat.test.ts', half('t.on', "ly('a claim', () => {});")],
  ],
  "no path of somebody's machine": [
    ['README.md', half('see /wo', 'rk/main')],
    ['ci/a.sh', half('cd /ro', 'ot/project')],
    ['ci/a.sh', half('cd /ho', 'me/ann/project')],
  ],
  'no registry by its host': [
    ['package-lock.json', half('"resol', 'ved": "https://example.org/a.tgz"')],
    ['.npmrc', half('regis', 'try = https://example.org')],
    ['README.md', half('https://regis', 'try.npmjs.org/tap')],
  ],
  'a test file asserts': [['harness/nat/nat.test.ts', "t.test('a claim', async () => { run(); });"]],
  'titles of tests are claims': [
    ['harness/nat/nat.test.ts', half('t.te', "st('should work', () => {});")],
    ['harness/nat/nat.test.ts', half('t.te', "st('keeps the port (#12)', () => {});")],
  ],
  'a README of a folder has its five headings and 8 to 40 lines': [
    ['harness/nat/README.md', '# nat\n\n## What it does\n\nMuch.\n\n## Files\n\nnat.ts\n'],
    ['harness/nat/README.md', '# nat\n## What it does\n## Start here\n## Files\n## May import\n## Spec\n'],
  ],
};

/** What looks like a breach and is none. */
const ALLOWED: readonly Fixture[] = [
  ['reference-impl/drivers/node.ts', 'const now = performance.now();'],
  ['reference-impl/yamux/session.ts', '// Date.now() is not for us\nconst word = "process";'],
  ['harness/conformance/clauses/port-tunnel.ts', "requires: 'Nothing ends the relay process.'"],
  ['harness/report/tap.ts', half("return ' # TO", "DO observation';")],
  ['harness/nat/nat.test.ts', "t.test('a mapping outlives its client', async (t) => { t.ok(nat); });"],
  ['harness/chaos-proxy/README.md', '# chaos-proxy\n'],
];

const files = repositoryFiles();
const texts = files.flatMap((path) => {
  const text = textOf(path);
  return text === undefined ? [] : [[path, text] as const];
});

t.test('the repository keeps the rules', async (t) => {
  for (const [name, rule] of Object.entries(RULES))
    t.same(
      texts.flatMap(([path, text]) => rule(path, text)),
      [],
      name,
    );
});

t.test('every rule bites', async (t) => {
  for (const [name, fixtures] of Object.entries(REFUSED))
    for (const [path, text] of fixtures)
      t.not(RULES[name as RuleName](path, text).length, 0, `${name}: ${path}: ${text.slice(0, 60)}`);
});

t.test('no rule bites what is right', async (t) => {
  for (const [path, text] of ALLOWED)
    t.same(
      Object.values(RULES).flatMap((rule) => rule(path, text)),
      [],
      `${path}: ${text.slice(0, 60)}`,
    );
});

t.test('every folder that stands for a capability has a README', async (t) => {
  t.same(
    capabilityFolders(files).filter((folder) => !files.includes(`${folder}/README.md`)),
    [],
  );
  t.same(
    capabilityFolders(['harness/new/new.ts', 'ci/a.ts']).includes('harness/new'),
    true,
    'a new folder too',
  );
});

t.test('programs can be started by their name', async (t) => {
  const programs = ['package.json', 'harness/chaos-proxy/package.json'].flatMap((manifest) => {
    const { bin = {} } = JSON.parse(textOf(manifest) ?? '{}') as { readonly bin?: Record<string, string> };
    return Object.values(bin).map((path) => join(manifest, '..', path));
  });
  t.ok(programs.length >= 3, programs.join());
  for (const path of [...programs, '.ci/run', 'ci/dockerd.sh']) {
    t.ok(existsSync(join(ROOT, path)), path);
    t.equal(statSync(join(ROOT, path)).mode & 0o111, 0o111, `${path} is executable`);
    t.match(textOf(path), /^#!\/usr\/bin\/env (node|bash)\n/, `${path} names its interpreter`);
  }
});
