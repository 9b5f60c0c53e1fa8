/** What a topology says of measurement: declared in the trace before anything happens, and handed to other programs on request. */
import type { ActorSpec, Ref } from '../agents/actor-spec.ts';
import type {
  MeasurementAgentSpec,
  MeasurementServerSpec,
  SourceMetric,
} from '../agents/measurement-spec.ts';
import { isPostgres } from '../labs/database-url.ts';
import type { HostedActor, Topology } from '../labs/topology.ts';
import type { Happening } from '../trace/trace.ts';

type Agent = { readonly who: Ref; readonly site: string; readonly spec: MeasurementAgentSpec<Ref> };

const agentsOf = ({ sites }: Topology): readonly Agent[] =>
  sites.flatMap(({ name, actors }) =>
    actors.flatMap(({ who, actor }) =>
      actor.kind === 'measurement-agent' ? [{ who, site: name, spec: actor }] : [],
    ),
  );

const serverOf = ({ servers = [] }: Topology, name: Ref): MeasurementServerSpec | undefined => {
  const actor = servers.find((server) => server.name === name)?.actor;
  return actor?.kind === 'measurement-server' ? actor : undefined;
};

/** Ours at both ends, with acknowledgement. */
const isExact = (agent: MeasurementAgentSpec<Ref>, server: MeasurementServerSpec | undefined): boolean =>
  agent.acknowledge && agent.exec === undefined && server?.acknowledge === true && server.exec === undefined;

const definition = ({ valueType, unit }: SourceMetric): string => `${valueType} ${unit.prefix} ${unit.base}`;

/** Every agent with its metrics. */
export function* measurementDeclarations(
  topology: Topology,
  fleetOf: ReadonlyMap<string, string>,
): Generator<Happening> {
  for (const { who, site, spec } of agentsOf(topology)) {
    const fleet = fleetOf.get(who) ?? '';
    const coded = spec.exec === undefined;
    const exact = isExact(spec, serverOf(topology, spec.server));
    yield { type: 'agent.declared', agent: who, site, fleet, name: spec.agent, exact, coded };
    if (!coded) continue;
    for (const metric of spec.source.metrics) {
      const { name, fromPoint } = metric;
      yield { type: 'agent.metric', agent: who, metric: name, fromPoint, definition: definition(metric) };
    }
  }
}

/** What plays a server, in words. */
export const targetOf = (actor: ActorSpec<Ref>): string =>
  actor.kind === 'measurement-server'
    ? (actor.exec?.join(' ') ?? "relaylab's own measurement server")
    : actor.kind;

/** What else the command line may say of a measurement. */
export type MeasurementChoice = {
  /** Commands of somebody else's programs. */
  readonly agentExec?: string | undefined;
  readonly serverExec?: string | undefined;
  /** Connection string of PostgreSQL, or the path of an SQLite file. */
  readonly db?: string | undefined;
};

const command = (text: string): readonly string[] => ['/bin/sh', '-c', `exec ${text}`];

/** Where a server's points are: a command that names `{csv}` says that it writes one. */
const storeOf = (
  { store }: MeasurementServerSpec,
  { serverExec, db }: MeasurementChoice,
): MeasurementServerSpec['store'] => {
  if (serverExec?.includes('{csv}')) return { csv: '{work}/points.csv' };
  if (db === undefined) return store;
  return isPostgres(db) ? { postgres: db } : { sqlite: db };
};

/** A topology in which others play these roles. */
export const withMeasurementChoice = (topology: Topology, choice: MeasurementChoice): Topology => {
  const { agentExec, serverExec } = choice;
  const agent = (hosted: HostedActor): HostedActor =>
    hosted.actor.kind !== 'measurement-agent' || agentExec === undefined
      ? hosted
      : { ...hosted, actor: { ...hosted.actor, exec: command(agentExec) } };
  const server = (actor: ActorSpec<Ref>): ActorSpec<Ref> => {
    if (actor.kind !== 'measurement-server') return actor;
    const store = storeOf(actor, choice);
    // somebody else's points carry no positions
    const coded = agentExec === undefined ? actor.coded : [];
    return { ...actor, store, coded, exec: serverExec === undefined ? actor.exec : command(serverExec) };
  };
  const { sites, servers } = topology;
  return {
    ...topology,
    sites: sites.map((site) => ({ ...site, actors: site.actors.map(agent) })),
    ...(servers === undefined
      ? {}
      : { servers: servers.map(({ name, actor }) => ({ name, actor: server(actor) })) }),
  };
};
