/** What a lab is to start: hosts, what stands between them, and the actors in them. Plain data, made by a scenario. */
import type { Fault } from 'chaos-proxy';
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { RelayLimits } from '../../reference-impl/port-relay/relay/limits.ts';
import type { ActorSpec, NatEvent, Ref } from '../agents/actor-spec.ts';
import type { Nat } from '../nat/nat.ts';

export type HostedActor = {
  /** Host path: the site (or `users`) first, e.g. `home/client-03`. */
  readonly who: Ref;
  readonly actor: ActorSpec<Ref>;
  /** Its wire goes to the trace. */
  readonly watch: boolean;
};

/** Everything behind one NAT. Whatever an inside actor dials outside goes client -> link -> NAT -> there. */
export type Site = {
  readonly name: string;
  /** Preset name and value. */
  readonly nat: { readonly name: string; readonly value: Nat; readonly note: string };
  readonly link: { readonly name: string; readonly faults: readonly Fault[]; readonly note: string };
  readonly actors: readonly HostedActor[];
};

/** The port relay. */
export type RelayServer = {
  /** A foreign relay: command with `{port}`. undefined: our own. */
  readonly exec: readonly string[] | undefined;
  readonly limits: Partial<RelayLimits>;
  /** A defect of our own relay, switched on to prove that checks bite (harness/conformance/mutants). */
  readonly defect: string | undefined;
};

/**
 * A server on the open side besides the relay, on a host of its own. Its name is host, actor and target in one: sites reach it by
 * that name through their one link and NAT, and an outage hits it by that name. What it plays must listen.
 */
export type Server = {
  readonly name: Ref;
  readonly actor: ActorSpec<Ref>;
  /** Folders of this machine that its host sees besides what all see, read-only (sockets in them can be spoken to). */
  readonly sees?: readonly string[];
};

export type Topology = {
  /** On the host `relay`; undefined: this scenario is about other servers. */
  readonly relay: RelayServer | undefined;
  readonly servers?: readonly Server[];
  readonly sites: readonly Site[];
  /** Actors on the open side, all on the host `users`. */
  readonly outside: readonly HostedActor[];
  /** TCP keepalive of our own ends: how long a silent death goes unnoticed. */
  readonly keepaliveMillis: Millis;
};

/** Names of all servers outside: the relay first, if there is one. Each is a host. */
export const serverNames = ({ relay, servers = [] }: Topology): readonly Ref[] => [
  ...(relay === undefined ? [] : ['relay']),
  ...servers.map(({ name }) => name),
];

/** Every host on the open side: the servers, and `users`. */
export const outsideHosts = (topology: Topology): readonly string[] => [...serverNames(topology), 'users'];

/** A fault of the timeline. `fault`: 1..n; `site`: see `fault.begun`. Every one ends in a `fault.receipt`. */
export type FaultOrder = {
  readonly do: 'fault';
  readonly fault: number;
  readonly site: string;
  readonly what:
    | { readonly kind: 'nat'; readonly event: NatEvent }
    | { readonly kind: 'link'; readonly fault: Fault; readonly forMillis: Millis }
    /** `server` is killed without a word and started again where it was. */
    | { readonly kind: 'outage'; readonly server: Ref; readonly millis: Millis };
};
