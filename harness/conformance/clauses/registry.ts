/** All clauses, one registry for the checks of scenarios and for the gate. */
import type { Clause } from './clause.ts';
import { LAB_CLAUSES } from './lab.ts';
import { MEASUREMENT_CLAUSES } from './measurement.ts';
import { PORT_CLIENT_CLAUSES } from './port-client.ts';
import { PORT_CONTROL_CLAUSES } from './port-control.ts';
import { PORT_TUNNEL_CLAUSES } from './port-tunnel.ts';
import { POSTCARD_CLAUSES } from './postcard.ts';
import { POSTCARD_AROUND_CLAUSES } from './postcard-around.ts';
import { YAMUX_CLAUSES } from './yamux.ts';

/** By family; an id that stands twice is an error of ours, found at start. */
export const FAMILIES: readonly (readonly Clause[])[] = [
  PORT_CONTROL_CLAUSES,
  PORT_TUNNEL_CLAUSES,
  PORT_CLIENT_CLAUSES,
  MEASUREMENT_CLAUSES,
  LAB_CLAUSES,
  YAMUX_CLAUSES,
  POSTCARD_CLAUSES,
  POSTCARD_AROUND_CLAUSES,
];

const byId = (): ReadonlyMap<string, Clause> => {
  const found = new Map<string, Clause>();
  for (const clause of FAMILIES.flat()) {
    if (found.has(clause.id)) throw new Error(`two clauses are called ${clause.id}`);
    found.set(clause.id, clause);
  }
  return found;
};

export const CLAUSES: ReadonlyMap<string, Clause> = byId();

/** @throws Error for an id that no clause has: a check that cites it is broken */
export const clauseOf = (id: string): Clause => {
  const clause = CLAUSES.get(id);
  if (clause === undefined) throw new Error(`no clause is called ${id}`);
  return clause;
};
