import t from 'tap';
import { CLAUSES, clauseOf, FAMILIES } from './registry.ts';

const ALL = FAMILIES.flat();

t.test('every clause has an id of its own', async (t) => {
  t.equal(CLAUSES.size, ALL.length);
  for (const { id } of ALL) t.match(id, /^[A-Z]+(-[A-Z]+)*-[1-9][0-9]*$/);
});

t.test('every clause says what it asks for, on whose word, how it looks and what breaks it', async (t) => {
  for (const { id, level, title, requires, source, wire, breaks } of ALL) {
    t.match(level, /^(MUST|SHOULD)$/, id);
    t.match(title, /^[^A-Z].{5,60}[^.]$/, `${id}: a few words, no sentence`);
    t.match(requires, /^[A-Z].{20,}\.$/s, `${id}: one sentence`);
    t.ok(source.length > 10, `${id}: a source`);
    t.ok(wire.length > 5, `${id}: what it looks like`);
    t.ok(breaks.length > 0, `${id}: what breaks it`);
  }
});

t.test('a MUST stands on a sentence of a source', async (t) => {
  for (const { id, level, source } of ALL)
    if (level === 'MUST') t.match(source, /:|"|spec|schedule|relay/, id);
});

t.test('an unknown id is the fault of whoever cites it', async (t) => {
  t.throws(() => clauseOf('PORT-NONE-1'), /no clause is called PORT-NONE-1/);
  t.equal(clauseOf('PORT-END-1').id, 'PORT-END-1');
});
