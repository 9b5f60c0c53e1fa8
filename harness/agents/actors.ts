/** From a spec to a machine: the one place that knows which class plays which part. */
import { LinkMachine } from 'chaos-proxy';
import { DEFAULT_SCHEDULE } from '../../reference-impl/backoff/schedule.ts';
import type { Address, NameConn, NetMachine } from '../../reference-impl/machine/machine.ts';
import { type Rng, rngFor } from '../../reference-impl/machine/rng.ts';
import { MetricRegistry } from '../../reference-impl/measurement-relay/metrics.ts';
import type { ClientConfig } from '../../reference-impl/port-relay/client/client-config.ts';
import type { ClientReport } from '../../reference-impl/port-relay/client/client-report.ts';
import { EventClient } from '../../reference-impl/port-relay/client/event-client.ts';
import { MultiplexClient } from '../../reference-impl/port-relay/client/multiplex-client.ts';
import { PoolClient } from '../../reference-impl/port-relay/client/pool-client.ts';
import { RelayMachine } from '../../reference-impl/port-relay/relay/relay-machine.ts';
import type { RelayReport } from '../../reference-impl/port-relay/relay/relay-report.ts';
import { defectiveRelay } from '../conformance/mutants/defects.ts';
import { NatMachine } from '../nat/nat-machine.ts';
import type { Happening } from '../trace/trace.ts';
import type { ActorCommand, ActorSpec, Door } from './actor-spec.ts';
import { AgentTap } from './agent-tap.ts';
import { SinkMachine, SourceMachine } from './direct.ts';
import { doorUpstreams, withDoors } from './doors.ts';
import { IdentityNodeActor } from './identity-node.ts';
import { identityRelay } from './identity-relay.ts';
import { LinkActor } from './link-actor.ts';
import { MeasurementAgent } from './measurement-agent.ts';
import { MeasurementServerActor } from './measurement-server.ts';
import type { MeasurementServerSpec } from './measurement-spec.ts';
import { natCommands, natHappenings } from './nat-actor.ts';
import { type Disk, MemoryStore, newDisk } from './point-store.ts';
import { ScriptMachine } from './script.ts';
import { ServiceMachine } from './service.ts';
import { inWork, SqliteStore } from './sqlite-store.ts';
import { commandless, translated } from './translated.ts';
import { UsersMachine } from './users.ts';

/** What an actor gets of the world it is put into. */
export type ActorWorld = {
  /** The well of connection names that the actor's driver uses too. */
  readonly name: NameConn;
  readonly seed: number;
  readonly who: string;
  /** Port to listen on, 0: any. */
  readonly port: number;
  /** What outlives machines here, by their names. Without it nothing does. */
  readonly disks?: Map<string, Disk>;
  /** Tells this run from others that use the same database. */
  readonly run?: string;
  /** A folder that is gone with this world. Without it there are no files. */
  readonly work?: () => string;
};

/** Ids of a simulated relay: ten hex digits from its own seeded stream. Real relays take theirs from a CSPRNG. */
const seededIds = (rng: Rng) => (): string => {
  const word = (): string => (rng.int32() >>> 0).toString(16).padStart(8, '0');
  return `${word()}${word()}`.slice(0, 10).toUpperCase();
};

const TRACED_RELAY = [
  'relay.registered',
  'relay.unregistered',
  'relay.user',
  'relay.tunnel',
  'relay.refused',
];

const relayHappenings = (report: RelayReport): readonly Happening[] => {
  if (report.type === 'relay.listening') return [{ type: 'host.ready', port: report.port }];
  if (report.type === 'relay.failed')
    return [{ type: 'host.crashed', reason: `port ${report.port}: ${report.why}` }];
  return TRACED_RELAY.includes(report.type) ? [report as Happening] : [];
};

const clientOf = (
  mode: 'pool' | 'event' | 'multiplex',
  config: ClientConfig,
): NetMachine<ClientReport, never> => {
  switch (mode) {
    case 'pool':
      return new PoolClient(config);
    case 'event':
      return new EventClient(config);
    case 'multiplex':
      return new MultiplexClient(config);
  }
};

const client = (
  spec: Extract<ActorSpec<Address>, { kind: 'client' }>,
  world: ActorWorld,
): NetMachine<Happening, ActorCommand> => {
  const rng = rngFor(world.seed, `client/${world.who}`);
  const { mode, relay, service, poolSize, schedule, dialMillis, keepaliveMillis, startAfterMillis } = spec;
  // one literal, not a copy of the spec and more: a large world makes very many of these
  return commandless(
    clientOf(mode, {
      relay,
      service,
      poolSize,
      schedule,
      rng,
      name: world.name,
      dialMillis,
      keepaliveMillis,
      startAfterMillis,
    }),
  );
};

/** Where the first door leads. */
const firstUpstream = ({ doors, kind }: { doors: readonly Door<Address>[]; kind: string }): Address => {
  const [first] = doors;
  if (first === undefined) throw new Error(`a ${kind} without a door leads nowhere`);
  return first.upstream;
};

const link = (
  spec: Extract<ActorSpec<Address>, { kind: 'link' }>,
  { name, seed, who, port }: ActorWorld,
): NetMachine<Happening, ActorCommand> => {
  const { doors, from, faults, keepaliveMillis } = spec;
  const machine = new LinkMachine({
    listen: { port },
    upstream: firstUpstream(spec),
    upstreams: doorUpstreams(doors),
    ...(from === undefined ? {} : { from: { host: from, port: 0 } }),
    faults,
    seed: rngFor(seed, who).int32() >>> 0,
    name,
    keepaliveMillis,
  });
  return withDoors(new LinkActor(machine, who, keepaliveMillis), doors, port);
};

const nat = (
  spec: Extract<ActorSpec<Address>, { kind: 'nat' }>,
  { name, seed, who, port }: ActorWorld,
): NetMachine<Happening, ActorCommand> => {
  const { doors, publicHost, nat, innerKeepaliveMillis, outerKeepaliveMillis } = spec;
  const machine = new NatMachine({
    listen: { host: undefined, port },
    upstream: firstUpstream(spec),
    upstreams: doorUpstreams(doors),
    publicHost,
    nat,
    rng: rngFor(seed, who),
    name,
    innerKeepaliveMillis,
    outerKeepaliveMillis,
  });
  const told = translated(machine, natCommands(publicHost), (report) => natHappenings(report, who));
  return withDoors(told, doors, port);
};

/** One that is started again has another name behind an `@` (it draws anew), and the same disk. */
const diskOf = ({ disks, who }: ActorWorld, coded: readonly string[]): Disk => {
  const [name = who] = who.split('@');
  const disk = disks?.get(name) ?? newDisk(coded);
  disks?.set(name, disk);
  return disk;
};

const measurementServer = (
  spec: MeasurementServerSpec,
  world: ActorWorld,
): NetMachine<Happening, ActorCommand> => {
  const { who, port, work } = world;
  const { store: where, coded } = spec;
  const registry = new MetricRegistry();
  if (where !== 'memory' && !('sqlite' in where))
    throw new Error(`${who}: PostgreSQL is a program's to write to`);
  const store =
    where === 'memory'
      ? new MemoryStore(diskOf(world, coded), registry)
      : new SqliteStore(inWork(where.sqlite, work), registry);
  return new MeasurementServerActor(spec, { port, registry, store });
};

/**
 * The machine that plays a part. Reports are words of the trace, commands those of `ActorCommand` (others are not heard).
 * @throws Error for a program (an agent starts those itself) and for a kind that does not exist
 */
export const makeActor = (
  spec: ActorSpec<Address>,
  world: ActorWorld,
): NetMachine<Happening, ActorCommand> => {
  const { name, seed, who, port } = world;
  switch (spec.kind) {
    case 'client':
      return client(spec, world);
    case 'forwarder': {
      const { relay, service } = spec;
      const bounds = { poolSize: 1, dialMillis: 10_000, keepaliveMillis: 30_000, startAfterMillis: 0 };
      return client(
        { kind: 'client', mode: 'multiplex', relay, service, schedule: DEFAULT_SCHEDULE, ...bounds },
        world,
      );
    }
    case 'service':
      return new ServiceMachine(port);
    case 'users':
      return new UsersMachine(name);
    case 'sink':
      return new SinkMachine(port);
    case 'source':
      return new SourceMachine(spec.to, name);
    case 'script':
      return new ScriptMachine(spec.to, spec.steps, name);
    case 'link':
      return link(spec, world);
    case 'nat':
      return nat(spec, world);
    case 'relay': {
      const ids = seededIds(rngFor(seed, `ids/${who}`));
      const config = { port: spec.port, limits: spec.limits, newId: ids, name, publicPorts: undefined };
      const machine =
        spec.defect === undefined ? new RelayMachine(config) : defectiveRelay(spec.defect, config, 'sim');
      return translated(machine, () => undefined, relayHappenings);
    }
    case 'agent-tap':
      return new AgentTap(
        new LinkMachine({ listen: { port }, upstream: spec.upstream, faults: [], seed: 0, name }),
      );
    case 'measurement-agent':
      return new MeasurementAgent(spec, world);
    case 'measurement-server':
      return measurementServer(spec, world);
    case 'identity-relay':
      return identityRelay(spec, world);
    case 'identity-node':
      return new IdentityNodeActor(spec, world);
    case 'store-reader':
      throw new Error(`${who}: whoever reads a store is no machine`);
    case 'program':
      throw new Error(`${who}: a program is no machine`);
    default:
      throw new Error(`${who}: no actor is called ${JSON.stringify((spec as { kind?: unknown }).kind)}`);
  }
};
