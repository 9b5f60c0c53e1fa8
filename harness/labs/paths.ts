/** How an actor behind a NAT gets out: the link and, where the lab has no kernel NAT, the NAT, one pair a target outside. */
import type { Address } from '../../reference-impl/machine/machine.ts';
import type { ActorSpec, Ref } from '../agents/actor-spec.ts';
import type { Site, Topology } from './topology.ts';

/** Hops from outside to inside: each is started with the address of the one before it. */
export type SitePath = {
  readonly target: Ref;
  readonly hops: readonly { readonly who: Ref; readonly spec: (upstream: Address) => ActorSpec<Address> }[];
};

/** The outside refs an actor speaks of. */
const targets = (actor: ActorSpec<Ref>): readonly Ref[] => {
  switch (actor.kind) {
    case 'client':
    case 'forwarder':
      return [actor.relay];
    case 'source':
    case 'script':
      return [actor.to];
    default:
      return [];
  }
};

/** The path to the relay is `SITE/link` and `SITE/nat`; one to another target carries its name: `SITE/link-sink`. */
export const sitePaths = (
  site: Site,
  topology: Topology,
  userspaceNat: boolean,
  publicHost: string | undefined,
): readonly SitePath[] => {
  const all = new Set(site.actors.flatMap(({ actor }) => targets(actor)));
  return [...all].map((target) => {
    const suffix = target === 'relay' ? '' : `-${target.slice(target.indexOf('/') + 1)}`;
    const keepaliveMillis = topology.keepaliveMillis;
    const link = (upstream: Address): ActorSpec<Address> => ({
      kind: 'link',
      upstream,
      faults: site.link.faults,
      keepaliveMillis,
    });
    const nat = (upstream: Address): ActorSpec<Address> => ({
      kind: 'nat',
      upstream,
      publicHost,
      nat: site.nat.value,
      innerKeepaliveMillis: keepaliveMillis,
      outerKeepaliveMillis: keepaliveMillis,
    });
    const hops = [{ who: `${site.name}/link${suffix}`, spec: link }];
    return { target, hops: userspaceNat ? [{ who: `${site.name}/nat${suffix}`, spec: nat }, ...hops] : hops };
  });
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
      return { ...actor, upstream: address(actor.upstream) };
    case 'nat':
      return { ...actor, upstream: address(actor.upstream) };
    case 'service':
    case 'users':
    case 'sink':
    case 'relay':
    case 'program':
      return actor;
  }
};
