/** docs/clauses.md, printed from the registry: every clause with its sentence, its source, and the cases that judge it. */
import type { Profile } from '../case.ts';
import type { Clause } from '../clauses/clause.ts';

/** Text that means only itself in Markdown. */
const md = (text: string): string => text.replace(/[\\`*_[\]|<>#]/g, (letter) => `\\${letter}`);

const familyOf = (id: string): string => id.split('-')[0] ?? '';

const judgedBy = (id: string, profiles: readonly Profile[]): string => {
  const parts = profiles.flatMap((profile) => {
    const names = profile.cases.filter(({ clause }) => clause === id).map(({ name }) => name);
    return names.length === 0 ? [] : [`\`${profile.name}\` ${names.map((name) => `\`${name}\``).join(', ')}`];
  });
  return parts.length === 0 ? 'checks of scenarios' : parts.join('; ');
};

const section = (clause: Clause, profiles: readonly Profile[]): string =>
  [
    `### ${clause.id}: ${md(clause.title)}`,
    '',
    `**${clause.level}.** ${md(clause.requires)}`,
    '',
    `- source: ${md(clause.source)}`,
    `- on the wire: ${md(clause.wire)}`,
    `- usually broken by: ${md(clause.breaks.join('; '))}`,
    `- judged by: ${judgedBy(clause.id, profiles)}`,
    '',
  ].join('\n');

/** @param clauses in the order of the registry */
export const clausePage = (clauses: readonly Clause[], profiles: readonly Profile[]): string => {
  const families = [...new Set(clauses.map(({ id }) => familyOf(id)))];
  const bodies = families.map((family) =>
    [
      `## ${family}`,
      '',
      ...clauses.filter(({ id }) => familyOf(id) === family).map((clause) => section(clause, profiles)),
    ].join('\n'),
  );
  return [
    '# Clauses',
    '',
    'What is judged, clause by clause: only a MUST decides a verdict. Printed from `harness/conformance/clauses` by',
    '`npm run node -- harness/conformance/requirements/write.ts`; `relaylab explain CLAUSE` says the same on a terminal.',
    '',
    ...bodies,
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
};
