/** Starts every actor of a topology on real hosts, from the servers inwards: each is told the address of the one before it. */
import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorSpec, Ref } from '../agents/actor-spec.ts';
import type { SourceMetric } from '../agents/measurement-spec.ts';
import type { Ground } from './ground.ts';
import type { Hosts } from './hosts.ts';
import { agentProgram, POSTGRES_TABLE, serverProgram } from './measurement-program.ts';
import { resolved, siteWay } from './paths.ts';
import { relayProgram } from './relay-program.ts';
import { type Site, serverNames, type Topology } from './topology.ts';

/** @throws LabError when an actor does not come up, the reason of the end when the run is over before */
export const bringUp = async (hosts: Hosts): Promise<void> => {
  const { sites, outside } = hosts.topology;
  await Promise.all(serverNames(hosts.topology).map((name) => startServer(hosts, name)));
  await startReaders(hosts);
  const scripts = outside.filter(({ actor }) => actor.kind === 'script');
  await startOutside(
    hosts,
    outside.filter((hosted) => !scripts.includes(hosted)),
  );
  await Promise.all(sites.map((site) => startSite(hosts, site)));
  // Last: a script waits for what the timeline does, and its patience must not be spent on slow starts.
  await startOutside(hosts, scripts);
};

/** Starts a server, and again after it ended: then on the same port. @returns its port */
export const startServer = (hosts: Hosts, name: Ref): Promise<number> =>
  hosts.launch(name, name, serverActor(hosts, name), { watch: false, listens: true });

/** Who reads the store of a server, on the server's own host. */
export const readerOf = (server: Ref): Ref => `${server}/store`;

/** What agents measure, each name with each of its units once. */
const metricsOf = ({ sites }: Topology): readonly SourceMetric[] => {
  const metrics = new Map<string, SourceMetric>();
  for (const { actor } of sites.flatMap(({ actors }) => actors))
    if (actor.kind === 'measurement-agent')
      for (const metric of actor.source.metrics)
        metrics.set(JSON.stringify([metric.name, metric.unit]), metric);
  return [...metrics.values()];
};

/** Starts those who read what servers store. */
const startReaders = async (hosts: Hosts): Promise<void> => {
  for (const { name, actor } of hosts.topology.servers ?? []) {
    if (actor.kind !== 'measurement-server' || actor.store === 'memory') continue;
    const { store, coded } = actor;
    const metrics = metricsOf(hosts.topology);
    const reader = { kind: 'store-reader', store, table: POSTGRES_TABLE, metrics, coded } as const;
    await hosts.launch(name, readerOf(name), reader, { watch: false, listens: true });
  }
};

/** @throws Error for a name that no server has */
const serverActor = (hosts: Hosts, name: Ref): ActorSpec<Address> => {
  const { topology, ground } = hosts;
  const { relay, servers = [], keepaliveMillis } = topology;
  if (name === 'relay' && relay !== undefined)
    return relayProgram(relay, keepaliveMillis, ground.address(name), ground);
  const server = servers.find((candidate) => candidate.name === name);
  if (server === undefined) throw new Error(`no server is called ${name}`);
  const actor = resolved(server.actor, (ref) => hosts.outside(ref));
  const program =
    actor.kind === 'measurement-server' ? serverProgram(actor, ground.address(name), ground) : undefined;
  return program ?? actor;
};

const startOutside = async (hosts: Hosts, hosted: Topology['outside']): Promise<void> => {
  await Promise.all(
    hosted.map(({ who, actor, watch }) => {
      const spec = resolved(actor, (ref) => hosts.outside(ref));
      return hosts.launch('users', who, spec, { watch, listens: listens(spec) });
    }),
  );
};

const startSite = async (hosts: Hosts, site: Site): Promise<void> => {
  const { ground, topology } = hosts;
  const bind = ground.bind(site.name);
  const entries = new Map<Ref, Address>();
  const userspace = ground.kernelNat === undefined;
  // Where packets meet the link's faults, the link itself only waits for those of the timeline that act on streams.
  const onStreams = ground.packetLinks === undefined ? site : { ...site, link: { ...site.link, faults: [] } };
  const { targets, hops } = siteWay(onStreams, topology, userspace, ground.publicHost(site));
  let towards = (target: Ref): Address => hosts.outside(target);
  for (const { who, spec } of hops) {
    await hosts.launch(site.name, who, spec(towards), { watch: false, listens: true });
    towards = (target) => ({ host: bind, port: hosts.door(who, target) });
  }
  for (const target of targets) entries.set(target, towards(target));
  const address = (ref: Ref): Address => entries.get(ref) ?? { host: bind, port: hosts.port(ref) };
  const start = async ({ who, actor, watch }: Site['actors'][number]): Promise<void> => {
    const spec = resolved(actor, address);
    if (spec.kind === 'measurement-agent' && spec.exec !== undefined) {
      // the tap has the agent's name: what it sees is what the agent does
      const tap = { kind: 'agent-tap', upstream: spec.server } as const;
      const port = await hosts.launch(site.name, who, tap, { watch, listens: true });
      const program = agentProgram({ ...spec, server: { host: bind, port } });
      await hosts.launch(site.name, `${who}/program`, program, { watch: false, listens: false });
      return;
    }
    const run = asProgram(spec, ground) ?? spec;
    await hosts.launch(site.name, who, run, { watch, listens: listens(run) });
  };
  await Promise.all(site.actors.filter(({ actor }) => actor.kind === 'service').map(start));
  for (const hosted of site.actors) if (hosted.actor.kind !== 'service') await start(hosted);
};

/** Whether an actor says `host.ready` once it listens. */
const listens = (actor: ActorSpec<Address>): boolean => {
  switch (actor.kind) {
    case 'service':
    case 'sink':
    case 'link':
    case 'nat':
    case 'relay':
    case 'measurement-server':
    case 'identity-relay':
    case 'store-reader':
    case 'agent-tap':
      return true;
    case 'program':
      return actor.listens;
    case 'client':
    case 'forwarder':
    case 'users':
    case 'source':
    case 'script':
    case 'measurement-agent':
    case 'identity-node':
      return false;
  }
};

/** What is a program here and a machine in the simulator. */
const asProgram = (
  spec: ActorSpec<Address>,
  ground: Pick<Ground, 'node' | 'root'>,
): ActorSpec<Address> | undefined => {
  return spec.kind === 'forwarder' ? forwarderProgram(spec, ground) : undefined;
};

/** In real labs the forwarder is the program people run. */
const forwarderProgram = (
  { relay, service }: Extract<ActorSpec<Address>, { kind: 'forwarder' }>,
  { node, root }: Pick<Ground, 'node' | 'root'>,
): ActorSpec<Address> => {
  const bin = `${root}/reference-impl/port-relay/bin/relay.ts`;
  const to = [relay.host, String(relay.port)];
  const argv = [node, bin, `--localForwardPort=${service.port}`, '--log-level', 'warn', ...to];
  return { kind: 'program', argv, env: {}, host: service.host, listens: false };
};
