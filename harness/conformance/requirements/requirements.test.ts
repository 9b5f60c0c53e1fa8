import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Profile } from '../case.ts';
import { CLAUSES } from '../clauses/registry.ts';
import { PROFILES } from '../suites/registry.ts';
import { clausePage } from './clause-page.ts';
import { type Requirements, scoredNow, vanished } from './scored.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const WRITE = 'npm run node -- harness/conformance/requirements/write.ts';

/** A family that a profile answers for; every clause of it has a case there. */
const ANSWERS: Readonly<Record<string, RegExp>> = {
  'port-client': /^PORT-CLIENT-/,
  yamux: /^YAMUX-/,
  'yamux-client': /^YAMUX-/,
};

t.test('docs/clauses.md is what the registry prints', async (t) => {
  const page = readFileSync(path('../../../docs/clauses.md'), 'utf8');
  t.equal(page, clausePage([...CLAUSES.values()], PROFILES), `print it again: ${WRITE}`);
});

t.test('every case judges a clause that there is, under a name of its own', async (t) => {
  for (const { name, cases } of PROFILES) {
    t.ok(cases.length > 0, `${name} has cases`);
    const names = cases.map((item) => item.name);
    t.equal(new Set(names).size, names.length, `${name}: no case twice`);
    for (const item of cases) t.ok(CLAUSES.has(item.clause), `${name}/${item.name}: ${item.clause}`);
  }
});

for (const [name, family] of Object.entries(ANSWERS))
  t.test(`${name} has a case for every clause it answers for`, async (t) => {
    const profile = PROFILES.find((one) => one.name === name) as Profile;
    const judged = new Set(profile.cases.map(({ clause }) => clause));
    const missing = [...CLAUSES.keys()].filter((id) => family.test(id) && !judged.has(id));
    t.same(missing, []);
  });

t.test('every clause of a port relay that no scenario judges alone has a case', async (t) => {
  const relay = PROFILES.find(({ name }) => name === 'port-relay') as Profile;
  const judged = new Set(relay.cases.map(({ clause }) => clause));
  const missing = [...CLAUSES.keys()].filter(
    (id) => /^PORT-(CTRL|POOL|EVENT|MUX|END|DATA|FLOW|PORT|ID|LIVE)-/.test(id) && !judged.has(id),
  );
  t.same(missing, []);
});

for (const file of readdirSync(path('.')).filter((name) => name.endsWith('.json')))
  t.test(`nothing that ${file} scores has vanished`, async (t) => {
    const frozen = JSON.parse(readFileSync(path(`./${file}`), 'utf8')) as Requirements;
    t.equal(`${frozen.revision}.json`, file);
    t.same(vanished(frozen, scoredNow('now', PROFILES)), []);
  });

t.test('a clause, a level or a case that is gone is told', async (t) => {
  const frozen: Requirements = {
    revision: 'r',
    profiles: { p: { 'A-1': { level: 'MUST', cases: ['a', 'b'] }, 'A-2': { level: 'MUST', cases: ['c'] } } },
  };
  const now: Requirements = {
    revision: 'n',
    profiles: { p: { 'A-1': { level: 'SHOULD', cases: ['b', 'd'] } } },
  };
  t.same(vanished(frozen, now), [
    'p: A-1 was a MUST and is a SHOULD',
    'p: A-1 lost its case a',
    'p: A-2 is judged no more',
  ]);
  t.same(vanished(frozen, frozen), []);
});
