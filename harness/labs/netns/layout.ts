/** Which namespaces a topology needs, how they are joined, and what each has to be told. Plain text: nothing happens here. */
import { LAN_PREFIX, newAddresses, WAN_PREFIX, wanAddress } from '../kernel/places.ts';
import { addressAt, parseSubnet, type Subnet } from '../kernel/subnets.ts';
import { LabError } from '../lab.ts';
import { outsideHosts, type Site, type Topology } from '../topology.ts';
import { ipLines, type Setup } from './commands.ts';
import { namespaceName, type RunName } from './names.ts';

export type GatewayPlace = {
  readonly namespace: string;
  /** Addresses on its outer and on its inner side. */
  readonly outside: string;
  readonly inside: string;
  readonly outsidePrefix: number;
  readonly uplink: string | undefined;
};

export type SitePlace = {
  readonly site: Site;
  /** The namespace its actors live in. */
  readonly house: string;
  /** The address they speak from, behind the NAT. */
  readonly address: string;
  /** From outside to inside: one, or a carrier's and the one at home. */
  readonly gateways: readonly [outer: GatewayPlace, home?: GatewayPlace];
};

export type Layout = {
  readonly namespaces: readonly string[];
  /** Lines for `ip -batch`, to be run once the namespaces are there. */
  readonly links: readonly string[];
  /** For every namespace but the gateways, whose script also holds their NAT (`gatewayScript`). */
  readonly setups: readonly Setup[];
  readonly outside: ReadonlyMap<string, { readonly namespace: string; readonly address: string }>;
  readonly sites: readonly SitePlace[];
  /** For gateways that move. */
  readonly nextAddress: () => string;
};

/**
 * Nobody but the lab's own hosts can see these networks: every run has the same. Networks inside are told apart because
 * several sites may live in one house.
 */
const WAN = { subnet: parseSubnet(`10.128.0.0/${WAN_PREFIX}`) as Subnet };
const INSIDE_BASE = (parseSubnet('10.64.0.0/10') as Subnet).base;
const BETWEEN = parseSubnet(`100.64.0.0/${LAN_PREFIX}`) as Subnet;
const NEAR = { gateway: 1, host: 2 } as const;

/** A bridge has 1,024 ports, a few of them for the hosts outside. */
export const SITES_MAX = 1_000;
/** Sites share this many namespaces and agents at most: a process costs 70 MB and an eighth of a second of CPU. */
export const HOUSES_MAX = 6;

const insideOf = (index: number): Subnet => ({
  base: INSIDE_BASE + index * 2 ** (32 - LAN_PREFIX),
  prefix: LAN_PREFIX,
});

/** Room for a relay's public ports and thousands of dials. */
const PORTS = 'echo 10240 65535 > /proc/sys/net/ipv4/ip_local_port_range';
/** Nobody speaks IPv6 here, and at hundreds of ports the kernel's own chatter is work. */
const NO_IPV6 =
  'for all in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ -e "$all" ] && echo 1 > "$all"; done || :';

/** @throws LabError for more sites than fit */
export const layoutOf = (topology: Topology, name: RunName): Layout => {
  const { sites } = topology;
  if (sites.length > SITES_MAX)
    throw new LabError(`${sites.length} sites`, `the netns lab holds ${SITES_MAX}: take --lab sim`);
  const named = (role: string): string => namespaceName(name, role);
  const wan = named('wan');
  const outside = new Map(
    outsideHosts(topology).map((host, index) => [
      host,
      { namespace: named(`${host}-host`), address: wanAddress.outside(WAN, index) },
    ]),
  );
  const houses = Array.from({ length: Math.min(HOUSES_MAX, sites.length) }, (_, n) =>
    named(`house-${n + 1}`),
  );
  const places = sites.map((site, index) =>
    sitePlace(site, index, houses[index % houses.length] as string, named),
  );
  const gateways = places
    .flatMap(({ gateways: [outer, home] }) => [outer, ...(home === undefined ? [] : [home])])
    .map(({ namespace }) => namespace);
  const hosts = [...outside.values()];
  return {
    namespaces: [wan, ...hosts.map(({ namespace }) => namespace), ...houses, ...gateways],
    links: [
      `link add wan netns ${wan} type bridge`,
      ...hosts.map(({ namespace }, n) => pair('eth0', namespace, `host${n}`, wan)),
      ...places.flatMap((place, index) => siteLinks(place, index, wan)),
    ],
    setups: [
      { namespace: wan, script: bridgeScript(hosts.length, places.length) },
      ...hosts.map(({ namespace, address }) => ({
        namespace,
        script: [PORTS, ipLines(['link set lo up', ...face('eth0', address, WAN_PREFIX)])].join('\n'),
      })),
      ...houses.map((house) => ({ namespace: house, script: houseScript(house, places) })),
    ],
    outside,
    sites: places,
    nextAddress: newAddresses(WAN),
  };
};

const sitePlace = (site: Site, index: number, house: string, named: (role: string) => string): SitePlace => {
  const lan = insideOf(index);
  const inside = addressAt(lan, NEAR.gateway);
  const outer = {
    namespace: named(`${site.name}-gateway`),
    outside: wanAddress.gateway(WAN, index),
    outsidePrefix: WAN_PREFIX,
    uplink: undefined,
  };
  const between = addressAt(BETWEEN, NEAR.gateway);
  const home = {
    namespace: named(`${site.name}-home`),
    outside: addressAt(BETWEEN, NEAR.host),
    inside,
    outsidePrefix: LAN_PREFIX,
    uplink: between,
  };
  return {
    ...{ site, house },
    address: addressAt(lan, NEAR.host),
    gateways: site.nat.value.depth === 1 ? [{ ...outer, inside }] : [{ ...outer, inside: between }, home],
  };
};

const pair = (one: string, where: string, other: string, there: string): string =>
  `link add ${one} netns ${where} type veth peer name ${other} netns ${there}`;

const face = (device: string, address: string, prefix: number): readonly string[] => [
  `addr add ${address}/${prefix} dev ${device}`,
  `link set ${device} up`,
];

const siteLinks = ({ gateways, house }: SitePlace, index: number, wan: string): readonly string[] => {
  const [outer, home] = gateways;
  return [
    pair('wan0', outer.namespace, `site${index}`, wan),
    ...(home === undefined ? [] : [pair('wan0', home.namespace, 'lan0', outer.namespace)]),
    pair('lan0', (home ?? outer).namespace, `site${index}`, house),
  ];
};

const bridgeScript = (hosts: number, sites: number): string => {
  const ports = [
    ...Array.from({ length: hosts }, (_, n) => `host${n}`),
    ...Array.from({ length: sites }, (_, n) => `site${n}`),
  ];
  return [
    NO_IPV6,
    ipLines(['link set wan up', ...ports.map((port) => `link set ${port} master wan up`)]),
  ].join('\n');
};

/** Each site in a house has its own device, and its own way out: what is sent from its address goes through its gateway. */
const houseScript = (house: string, places: readonly SitePlace[]): string => {
  const lines = places.flatMap(({ house: its, address, gateways }, index) => {
    if (its !== house) return [];
    const way = (gateways[1] ?? gateways[0]).inside;
    const table = index + 1_000;
    return [
      ...face(`site${index}`, address, LAN_PREFIX),
      `route add default via ${way} dev site${index} table ${table}`,
      `rule add from ${address} lookup ${table}`,
    ];
  });
  return [PORTS, ipLines(['link set lo up', ...lines])].join('\n');
};

/** Names its devices' addresses, opens it, and then whatever `nat` says (shell lines, see `KernelNat.lines`). */
export const gatewayScript = (gateway: GatewayPlace, nat: readonly string[]): string =>
  [
    NO_IPV6,
    ipLines([
      'link set lo up',
      ...face('wan0', gateway.outside, gateway.outsidePrefix),
      ...face('lan0', gateway.inside, LAN_PREFIX),
      ...(gateway.uplink === undefined ? [] : [`route add default via ${gateway.uplink}`]),
    ]),
    ...nat,
  ].join('\n');
