/** How an actor behind a NAT gets out: through its site's one link and, where the lab has no kernel NAT, its one NAT. */
import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorSpec, Door, Ref } from '../agents/actor-spec.ts';
import type { Site, Topology } from './topology.ts';

/** Hops from outside to inside: each is started with where the one before it takes whoever wants to reach a target. */
export type SiteWay = {
  /** Whom actors of the site speak with outside: every hop has a door for each, in this order. */
  readonly targets: readonly Ref[];
  /** None when nobody of the site speaks with anybody outside. */
  readonly hops: readonly {
    readonly who: Ref;
    readonly spec: (upstream: (target: Ref) => Address) => ActorSpec<Address>;
  }[];
};

/** The outside refs an actor speaks of. */
const targetsOf = (actor: ActorSpec<Ref>): readonly Ref[] => {
  switch (actor.kind) {
    case 'client':
    case 'forwarder':
      return [actor.relay];
    case 'source':
    case 'script':
      return [actor.to];
    case 'measurement-agent':
      return [actor.server];
    case 'identity-node':
      return [actor.relay];
    default:
      return [];
  }
};

/**
 * `SITE/nat` (if it is an actor here) and `SITE/link`: a reboot or a cut meets everything the site has open.
 * @param publicHost the address the outermost hop dials from
 */
export const siteWay = (
  site: Site,
  topology: Topology,
  userspaceNat: boolean,
  publicHost: string | undefined,
): SiteWay => {
  const targets = [...new Set(site.actors.flatMap(({ actor }) => targetsOf(actor)))];
  if (targets.length === 0) return { targets, hops: [] };
  const { keepaliveMillis } = topology;
  const doors = (upstream: (target: Ref) => Address): readonly Door<Address>[] =>
    targets.map((target) => ({ target, upstream: upstream(target) }));
  const link = (upstream: (target: Ref) => Address): ActorSpec<Address> => ({
    kind: 'link',
    doors: doors(upstream),
    from: userspaceNat ? undefined : publicHost,
    faults: site.link.faults,
    keepaliveMillis,
  });
  const nat = (upstream: (target: Ref) => Address): ActorSpec<Address> => ({
    kind: 'nat',
    doors: doors(upstream),
    publicHost,
    nat: site.nat.value,
    innerKeepaliveMillis: keepaliveMillis,
    outerKeepaliveMillis: keepaliveMillis,
  });
  const hops = [{ who: `${site.name}/link`, spec: link }];
  return { targets, hops: userspaceNat ? [{ who: `${site.name}/nat`, spec: nat }, ...hops] : hops };
};

/** The same actor with every name replaced by its address. */
export const resolved = (actor: ActorSpec<Ref>, address: (ref: Ref) => Address): ActorSpec<Address> => {
  switch (actor.kind) {
    case 'client':
    case 'forwarder':
      return { ...actor, relay: address(actor.relay), service: address(actor.service) };
    case 'source':
    case 'script':
      return { ...actor, to: address(actor.to) };
    case 'link':
    case 'nat': {
      const doors = actor.doors.map(({ target, upstream }) => ({ target, upstream: address(upstream) }));
      return { ...actor, doors };
    }
    case 'agent-tap':
      return { ...actor, upstream: address(actor.upstream) };
    case 'measurement-agent':
      return { ...actor, server: address(actor.server) };
    case 'identity-node':
      return { ...actor, relay: address(actor.relay) };
    case 'measurement-server':
    case 'identity-relay':
    case 'store-reader':
    case 'service':
    case 'users':
    case 'sink':
    case 'relay':
    case 'program':
      return actor;
  }
};
