/** What is scored: clauses with their level, and the cases of each profile. Frozen once a revision, so that none vanishes unseen. */
import type { Profile } from '../case.ts';
import { clauseOf } from '../clauses/registry.ts';

/** A file `<year>-<month>.json` of this folder. */
export type Requirements = {
  readonly revision: string;
  /** By profile: clauses that its cases judge, each with its level and the ids of its cases. */
  readonly profiles: Readonly<
    Record<string, Readonly<Record<string, { readonly level: string; readonly cases: readonly string[] }>>>
  >;
};

export const scoredNow = (revision: string, profiles: readonly Profile[]): Requirements => ({
  revision,
  profiles: Object.fromEntries(
    profiles.map(({ name, cases }) => {
      const clauses = [...new Set(cases.map(({ clause }) => clause))].sort();
      return [
        name,
        Object.fromEntries(
          clauses.map((clause) => [
            clause,
            {
              level: clauseOf(clause).level,
              cases: cases.filter((item) => item.clause === clause).map((item) => item.name),
            },
          ]),
        ),
      ];
    }),
  ),
});

/** What a revision scored and is scored no more, or otherwise; empty when everything is still there. */
export const vanished = (frozen: Requirements, now: Requirements): readonly string[] =>
  Object.entries(frozen.profiles).flatMap(([profile, clauses]) =>
    Object.entries(clauses).flatMap(([clause, { level, cases }]) => {
      const found = now.profiles[profile]?.[clause];
      if (found === undefined) return [`${profile}: ${clause} is judged no more`];
      const gone = cases.filter((name) => !found.cases.includes(name));
      return [
        ...(found.level === level ? [] : [`${profile}: ${clause} was a ${level} and is a ${found.level}`]),
        ...gone.map((name) => `${profile}: ${clause} lost its case ${name}`),
      ];
    }),
  );
