import { readFileSync } from 'node:fs';
import t from 'tap';
import { FORM_TABLE, FORMS, formRows, supportNote, supports } from './forms.ts';
import type { Nat } from './nat.ts';
import { PRESET_NAMES, PRESETS, presetNote } from './presets.ts';

t.test('every preset can be used in both forms', async (t) => {
  for (const name of PRESET_NAMES) {
    for (const form of FORMS) t.strictSame(supports(PRESETS[name], form), [], `${name}, ${form}`);
  }
});

t.test('what a form cannot do is refused by name', async (t) => {
  const quick: Nat = { ...PRESETS.home, idle: { establishedMillis: 20, notify: 'silent' } };
  t.strictSame(supports(quick, 'kernel'), ['idle below 1 s']);
  t.strictSame(supports(quick, 'machine'), []);
  const stuck: Nat = {
    ...PRESETS.home,
    mapping: { kind: 'range', ports: 1 },
    idle: { establishedMillis: 4_000, notify: 'rebind' },
  };
  for (const form of FORMS) t.strictSame(supports(stuck, form), ['idle rebind in a range of one port']);
});

t.test('every word of a NAT has its row', async (t) => {
  const properties = (nat: Nat): readonly string[] => formRows(nat).map((row) => row.property);
  const home = PRESETS.home;
  for (const filtering of [
    'endpoint-independent',
    'address-dependent',
    'address-and-port-dependent',
  ] as const) {
    t.ok(properties({ ...home, filtering }).includes(`filtering ${filtering}`));
  }
  for (const notify of ['silent', 'rst', 'rebind'] as const) {
    t.ok(properties({ ...home, idle: { establishedMillis: 1_000, notify } }).includes(`idle ${notify}`));
  }
  for (const exhaustion of ['silent', 'rst', 'icmp'] as const) {
    t.ok(properties({ ...home, exhaustion }).includes(`exhaustion ${exhaustion}`));
  }
  for (const unsolicited of ['drop', 'reset'] as const) {
    t.ok(properties({ ...home, unsolicited }).includes(`unsolicited ${unsolicited}`));
  }
  for (const mapping of [{ kind: 'preserving' }, { kind: 'random' }, { kind: 'range', ports: 4 }] as const) {
    t.ok(properties({ ...home, mapping }).includes(`mapping ${mapping.kind}`));
  }
  t.ok(properties({ ...home, depth: 2 }).includes('depth 2'));
  t.notOk(properties({ ...home, hairpin: false }).includes('hairpin'));
  t.equal(new Set(FORM_TABLE.map((row) => row.property)).size, FORM_TABLE.length, 'names are used once');
});

t.test('the README says what the values say', async (t) => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  for (const name of PRESET_NAMES)
    t.ok(readme.includes(`| ${name} | ${presetNote(name)} |\n`), `preset ${name}`);
  const forms = readFileSync(new URL('FORMS.md', import.meta.url), 'utf8');
  const table = FORM_TABLE.map(
    (row) => `| ${row.property} | ${supportNote(row.machine)} | ${supportNote(row.kernel)} |\n`,
  );
  t.ok(forms.endsWith(`| --- | --- | --- |\n${table.join('')}`), `FORMS.md ends in:\n${table.join('')}`);
});
