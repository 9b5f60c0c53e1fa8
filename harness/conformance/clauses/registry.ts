/** All clauses, one registry for the checks of scenarios and for the gate. */
import type { Clause } from './clause.ts';
import { IDENTITY_CHANNEL_CLAUSES } from './identity.ts';
import { IDENTITY_LAB_CLAUSES } from './identity-lab.ts';
import { IDENTITY_NODE_CLAUSES, IDENTITY_RELAY_CLAUSES } from './identity-nodes.ts';
import { LAB_CLAUSES } from './lab.ts';
import { MEASUREMENT_CLAUSES } from './measurement.ts';
import { MEASUREMENT_CLIENT_CLAUSES } from './measurement-client.ts';
import { MEASUREMENT_SERVER_CLAUSES } from './measurement-wire.ts';
import { PORT_CLIENT_CLAUSES } from './port-client.ts';
import { PORT_CONTROL_CLAUSES } from './port-control.ts';
import { PORT_TUNNEL_CLAUSES } from './port-tunnel.ts';
import { POSTCARD_CLAUSES } from './postcard.ts';
import { POSTCARD_AROUND_CLAUSES } from './postcard-around.ts';
import { SOCKET_CONTROL_CLAUSES } from './socket-control.ts';
import { YAMUX_CLAUSES } from './yamux.ts';

/** By family; an id that stands twice is an error of ours, found at start. */
export const FAMILIES: readonly (readonly Clause[])[] = [
  PORT_CONTROL_CLAUSES,
  PORT_TUNNEL_CLAUSES,
  PORT_CLIENT_CLAUSES,
  MEASUREMENT_CLAUSES,
  MEASUREMENT_SERVER_CLAUSES,
  MEASUREMENT_CLIENT_CLAUSES,
  SOCKET_CONTROL_CLAUSES,
  LAB_CLAUSES,
  YAMUX_CLAUSES,
  IDENTITY_CHANNEL_CLAUSES,
  IDENTITY_RELAY_CLAUSES,
  IDENTITY_NODE_CLAUSES,
  IDENTITY_LAB_CLAUSES,
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
