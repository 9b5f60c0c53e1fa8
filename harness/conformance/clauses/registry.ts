/** All clauses, one registry for the checks of scenarios and for the gate. */
import type { Clause } from './clause.ts';
import { LAB_CLAUSES } from './lab.ts';
import { PORT_RELAY_CLAUSES } from './port-relay.ts';

export const CLAUSES: ReadonlyMap<string, Clause> = new Map(
  [...PORT_RELAY_CLAUSES, ...LAB_CLAUSES].map((clause) => [clause.id, clause]),
);

/** @throws Error for an id that no clause has: a check that cites it is broken */
export const clauseOf = (id: string): Clause => {
  const clause = CLAUSES.get(id);
  if (clause === undefined) throw new Error(`no clause is called ${id}`);
  return clause;
};
