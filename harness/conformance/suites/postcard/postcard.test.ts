import t from 'tap';
import { CLAUSES } from '../../clauses/registry.ts';
import { CRATE_GROUPS, INVALID_GROUPS, ROBUST_GROUPS, VALUE_GROUPS } from './groups.ts';
import { POSTCARD } from './postcard.ts';
import { featuresOf } from './schema-features.ts';
import { invalid, values } from './vectors.ts';

t.test('every vector is judged by just one group', async (t) => {
  for (const vector of values()) {
    const found = VALUE_GROUPS.filter(({ wants }) => wants(vector)).map(({ name }) => name);
    if (found.length !== 1) t.same(found, [], vector.name);
  }
  for (const vector of invalid()) {
    const groups = [...INVALID_GROUPS, ...CRATE_GROUPS, ...ROBUST_GROUPS];
    const found = groups.filter(({ wants }) => wants(vector)).map(({ name }) => name);
    if (found.length !== 1) t.same(found, [], vector.name);
  }
  t.ok(values().length > 1_000 && invalid().length > 1_300, 'and there are many');
});

t.test('no group is empty', async (t) => {
  for (const { name, wants } of VALUE_GROUPS) t.ok(values().some(wants), name);
  for (const { name, wants } of [...INVALID_GROUPS, ...CRATE_GROUPS, ...ROBUST_GROUPS])
    t.ok(invalid().some(wants), name);
});

t.test('cases have names of their own and clauses that there are', async (t) => {
  const names = POSTCARD.cases.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const { clause, needs } of POSTCARD.cases) {
    t.ok(CLAUSES.has(clause), clause);
    for (const need of needs) t.ok(Object.hasOwn(POSTCARD.capabilities, need), need);
  }
});

t.test('what the crate merely chose, or counts to the end itself, is a SHOULD', async (t) => {
  const open = (name: string): boolean => name.startsWith('strict/') || name === 'robust/empty-items';
  for (const { name, clause } of POSTCARD.cases)
    t.equal(CLAUSES.get(clause)?.level, open(name) ? 'SHOULD' : 'MUST', name);
});

t.test('features are found wherever they stand in a schema', async (t) => {
  const schema = {
    type: 'def',
    name: 'R',
    of: {
      type: 'enum',
      variants: [{ name: 'A', struct: [{ name: 'x', schema: { type: 'map', key: 'u128', value: 'i8' } }] }],
    },
  };
  t.same([...featuresOf(schema)].sort(), ['def', 'enum', 'i8', 'map', 'u128']);
  t.ok(featuresOf({ type: 'ref', name: 'R' }).has('def'));
});
