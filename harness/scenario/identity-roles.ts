/** The parts of an identity relay, for the files in `scenarios/`: nodes that call each other by key, and those that misbehave. */
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { Ref } from '../agents/actor-spec.ts';
import type { IdentityNodeSpec, IdentityTimes } from '../agents/identity-spec.ts';
import type { HostedActor, Server } from '../labs/topology.ts';

/** Name of the relay, its host and its outages. */
export const IDENTITY: Ref = 'identity';

/** A quarter of the protocol's own, and keys that are renewed while a tunnel carries. */
export const IDENTITY_TIMES: IdentityTimes = {
  keepaliveMillis: 4_000,
  silenceMillis: 8_000,
  // longer than the shorter mappings: new keys are no keepalive
  rekeyMillis: 5_000,
  halfTunnelMillis: 6_000,
};

export const identityServer: Server = {
  name: IDENTITY,
  actor: { kind: 'identity-relay', times: IDENTITY_TIMES },
};

/** A tunnel takes about so long: keys are renewed in the middle of it. */
const MESSAGES = 110;
const EVERY_MILLIS = 70;
const TUNNELS_MAX = 1_000;

const two = (n: number): string => String(n).padStart(2, '0');

export type IdentitySite = {
  readonly site: string;
  readonly siteIndex: number;
  readonly mappingMillis: Millis;
  /** When everybody leaves. */
  readonly leaveAfterMillis: Millis;
};

type Parts = Pick<IdentityNodeSpec<Ref>, 'role' | 'key' | 'calls' | 'startAfterMillis' | 'leaveAfterMillis'>;

const nodeOf = (name: string, { site, mappingMillis }: IdentitySite, parts: Parts): HostedActor => ({
  who: `${site}/${name}`,
  actor: { kind: 'identity-node', relay: IDENTITY, site, times: IDENTITY_TIMES, mappingMillis, ...parts },
  watch: false,
});

/** Honest nodes `SITE/id-01` and so on: each listens, and calls the one of its number at the site `to`. */
export const identityNodes = (site: IdentitySite, to: string, count: number): readonly HostedActor[] =>
  Array.from({ length: count }, (_, i) =>
    nodeOf(`id-${two(i + 1)}`, site, {
      role: 'node',
      key: `${site.site}/id-${two(i + 1)}`,
      startAfterMillis: Math.round((500 * i) / count),
      leaveAfterMillis: site.leaveAfterMillis,
      calls: {
        to: `${to}/id-${two(i + 1)}`,
        fromMillis: 1_500,
        messages: MESSAGES,
        everyMillis: EVERY_MILLIS,
        firstTunnel: 1 + (site.siteIndex * 1_000 + i) * TUNNELS_MAX,
      },
    }),
  );

/** Strangers come once honest nodes listen, and are gone before anything happens to these. */
const STRANGERS_COME_MILLIS = 2_500;
export const STRANGERS_LEAVE_MILLIS = 9_500;

/** A second listener under the key of a node, one that cannot sign for that key, and a node that never answers with its caller. */
export const identityStrangers = (site: IdentitySite, node: string): readonly HostedActor[] => {
  const stays = { startAfterMillis: STRANGERS_COME_MILLIS, leaveAfterMillis: STRANGERS_LEAVE_MILLIS };
  const deaf = `${site.site}/deaf`;
  return [
    nodeOf('twin', site, { ...stays, role: 'twin', key: node, calls: undefined }),
    nodeOf('impostor', site, { ...stays, role: 'impostor', key: node, calls: undefined }),
    nodeOf('deaf', site, { ...stays, startAfterMillis: 0, role: 'deaf', key: deaf, calls: undefined }),
    nodeOf('caller', site, {
      ...stays,
      startAfterMillis: 0,
      role: 'node',
      key: `${site.site}/caller`,
      calls: {
        to: deaf,
        fromMillis: 1_500,
        messages: 1,
        everyMillis: EVERY_MILLIS,
        firstTunnel: 1 + (site.siteIndex * 1_000 + 999) * TUNNELS_MAX,
      },
    }),
  ];
};
