import { readFileSync } from 'node:fs';
import t from 'tap';
import { CHAOS_ERRORS, ChaosError } from './chaos-error.ts';
import { FAMILIES } from './faults/registry.ts';
import { additionTable, faultTable, helpText, profileTable, serveHelpText, toxicTable } from './help.ts';
import { PROFILES, profileOf } from './profiles.ts';
import { TOXIC_TYPES } from './rest/toxic-types.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const between = (name: string): string | undefined =>
  new RegExp(`<!-- ${name} -->\n([^]*?)\n<!-- /${name} -->`).exec(README)?.[1];

t.test('the tables of the README are those of the registry', (t) => {
  t.equal(between('faults'), faultTable());
  t.equal(between('profiles'), profileTable());
  t.equal(between('toxics'), toxicTable());
  t.equal(between('additions'), additionTable());
  t.end();
});

t.test('help names every fault, attribute and profile', (t) => {
  const help = helpText();
  for (const { kind, attributes, example } of Object.values(FAMILIES)) {
    for (const part of [kind, example, ...attributes.map(({ name }) => name)])
      t.ok(help.includes(part), `${kind}: ${part}`);
  }
  for (const name of Object.keys(PROFILES)) t.ok(help.includes(name), name);
  for (const type of TOXIC_TYPES.keys()) t.ok(serveHelpText().includes(type), type);
  t.end();
});

t.test('an unknown profile names the nearest', (t) => {
  t.throws(() => profileOf('mobil'), { code: 'PROFILE_UNKNOWN', hint: "did you mean 'mobile'?" });
  t.throws(() => profileOf('toString'), { code: 'PROFILE_UNKNOWN' });
  t.equal(profileOf('clean').faults.length, 0);
  t.end();
});

t.test('an error says code, expected, got and what to try', (t) => {
  const error = new ChaosError('SEED_SYNTAX', { expected: 'a', got: 'b', hint: 'c' });
  t.equal(error.message, 'SEED_SYNTAX: expected a, got b - c');
  t.ok(error.code in CHAOS_ERRORS);
  t.end();
});
