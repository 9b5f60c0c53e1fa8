/** A site: its networks, its gateway (two behind a carrier's NAT) and the one container its actors share. */
import { KernelNat } from '../kernel/kernel-nat.ts';
import { INSIDE, LAN_PREFIX, wanAddress } from '../kernel/places.ts';
import { addressAt } from '../kernel/subnets.ts';
import type { Site } from '../topology.ts';
import type { DockerChannel } from './channel.ts';
import { Gateway, type GatewaySpec } from './gateway.ts';
import { nameFor } from './labels.ts';
import { PATIENT_NAT } from './packet-lines.ts';
import { PacketSite } from './packet-site.ts';
import type { Shell } from './shell.ts';
import { openAgent, type Stage, startAgentHost } from './stage.ts';

export type RunningSite = {
  readonly nat: KernelNat;
  readonly channel: DockerChannel;
  readonly shells: readonly Shell[];
  /** undefined: the site's link acts on streams, inside its container. */
  readonly packet: PacketSite | undefined;
};

/** What packet-level links need to know; undefined: there are none. */
export type PacketOptions = { readonly seed: number; readonly netem: boolean };

/**
 * Starts a site. `index`: its number in the topology, 0.., which decides its public address.
 * @throws LabError
 */
export const startSite = async (
  stage: Stage,
  site: Site,
  index: number,
  packets: PacketOptions | undefined,
): Promise<RunningSite> => {
  const { networks, wan, nextAddress, runId } = stage;
  const lan = await networks.make(nameFor(runId, site.name, 'lan'), 'lab', LAN_PREFIX);
  const inside = { network: lan.name, address: addressAt(lan.subnet, INSIDE.gateway) };
  const outside = { network: wan.name, address: wanAddress.gateway(wan, index) };
  const gateways: Omit<GatewaySpec, 'site'>[] = [];
  if (site.nat.value.depth === 1) gateways.push({ role: 'gateway', outside, inside, uplink: undefined });
  else {
    const between = await networks.make(nameFor(runId, site.name, 'carrier'), 'carrier', LAN_PREFIX);
    const uplink = addressAt(between.subnet, INSIDE.gateway);
    const middle = { network: between.name, address: addressAt(between.subnet, INSIDE.host) };
    gateways.push(
      { role: 'gateway', outside, inside: { network: between.name, address: uplink }, uplink: undefined },
      { role: 'home', outside: middle, inside, uplink },
    );
  }
  const place = { network: lan.name, address: addressAt(lan.subnet, INSIDE.host) };
  const [container, ...started] = await Promise.all([
    startAgentHost(stage, site.name, place),
    ...gateways.map((spec) => Gateway.start(stage, { site, ...spec })),
  ]);
  const [outer, home] = started as [Gateway, Gateway | undefined];
  const nat = new KernelNat({
    nat: site.nat.value,
    ...{ outer, home, nextAddress },
    besides: packets === undefined ? [] : PATIENT_NAT,
  });
  await nat.install();
  const shells = started.map(({ shell }) => shell);
  const packet =
    packets === undefined
      ? undefined
      : await PacketSite.start(stage, {
          ...{ site, container, gateway: home ?? outer, address: place.address },
          linkAddress: addressAt(lan.subnet, INSIDE.link),
          netem: packets.netem,
          seed: packets.seed + index,
        });
  const wayOut =
    packets === undefined ? inside.address : PacketSite.wayOut(site, packets.netem, inside.address);
  return { nat, shells, packet, channel: await openAgent(stage, site.name, container, wayOut) };
};
