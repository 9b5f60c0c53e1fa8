/** `relaylab explain CLAUSE`: what it asks for, where that comes from, what usually breaks it, and who judges it. */
import { CLAUSES } from '../conformance/clauses/registry.ts';
import { PROFILES } from '../conformance/suites/registry.ts';
import { unknown } from './usage.ts';

type Found = { readonly clause: string; readonly above: readonly string[] };

/** `port-relay/reg/silent-probe`, or `reg/silent-probe` where only one profile has it. */
const caseNamed = (text: string): Found | undefined => {
  const found = PROFILES.flatMap((profile) =>
    profile.cases
      .filter(({ name }) => text === name || text === `${profile.name}/${name}`)
      .map(({ name, title, clause }) => ({ id: `${profile.name}/${name}`, title, clause })),
  );
  const [first] = found;
  if (first === undefined) return undefined;
  return { clause: first.clause, above: [...found.map(({ id, title }) => `${id}  ${title}`), ''] };
};

/** `POOL-5`, `pool 5` and `PORTPOOL5` for PORT-POOL-5, where only one fits. */
const clauseNamed = (text: string): string | undefined => {
  const bare = (id: string): string => id.toUpperCase().replace(/[^A-Z0-9]/g, '');
  const wanted = bare(text);
  const ids = [...CLAUSES.keys()];
  const whole = ids.filter((id) => bare(id) === wanted);
  const ends = ids.filter(
    (id) => wanted !== '' && `-${id}`.endsWith(`-${text.toUpperCase().replaceAll(' ', '-')}`),
  );
  return whole[0] ?? (ends.length === 1 ? ends[0] : undefined);
};

const judges = (id: string): readonly string[] =>
  PROFILES.flatMap((profile) =>
    profile.cases.filter(({ clause }) => clause === id).map(({ name }) => `${profile.name}/${name}`),
  );

/** @throws UsageError naming the nearest */
export const explain = (text: string): string => {
  const found: Found = caseNamed(text) ?? { clause: clauseNamed(text) ?? text, above: [] };
  const clause = CLAUSES.get(found.clause);
  if (clause === undefined)
    throw text.includes('/')
      ? unknown(
          'case',
          text,
          PROFILES.flatMap((profile) => profile.cases.map(({ name }) => `${profile.name}/${name}`)),
          'relaylab conformance PROFILE --list prints them',
        )
      : unknown(
          'clause',
          text.toUpperCase(),
          [...CLAUSES.keys()],
          'relaylab conformance PROFILE --list prints those of a profile',
        );
  const cases = judges(clause.id);
  return [
    ...found.above,
    `${clause.id}  ${clause.level}  ${clause.title}`,
    '',
    `  ${clause.requires}`,
    '',
    `  source  ${clause.source}`,
    `  wire    ${clause.wire}`,
    `  breaks  ${clause.breaks.join('\n          ')}`,
    ...(cases.length === 0 ? [] : [`  cases   ${cases.join('\n          ')}`]),
  ].join('\n');
};
