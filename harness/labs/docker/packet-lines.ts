/** A packet-level link as shell lines (POSIX sh, nft, iproute2, ethtool) for a gateway whose devices are `lan0` and `wan0`. */
import { hasDelay, hasLoss, type PacketLink, type PacketWay, type Way } from '../packet-form.ts';

/** Where frames of the link go through userspace: the port of VXLAN (RFC 7348). */
export const VXLAN_PORT = 4789;
/** Addresses on the link itself: the same in every site, nobody else ever sees them (RFC 5737). */
export const OVERLAY = { gateway: '192.0.2.1', host: '192.0.2.2', prefix: 30 } as const;
/** 1500 less what VXLAN puts around a frame. */
const OVERLAY_MTU = 1450;

/** One frame a packet: else loss and rate would act on 64 kB at once. */
const oneFrameEach = (device: string): string => `ip link set ${device} gso_max_segs 1`;

/**
 * Without offloads off, frames carry half-made checksums that nobody finishes: pings pass and TCP hangs.
 * @param address on the network below, `peer` the link container's
 */
const tunnelLines = (
  device: string,
  below: string,
  address: string,
  peer: string,
  overlay: string,
): readonly string[] => [
  `ip link add ${device} type vxlan id 1 dstport ${VXLAN_PORT} dev ${below} local ${address} remote ${peer} nolearning`,
  `ethtool -K ${device} tx off tso off gso off gro off >/dev/null`,
  `ip addr add ${overlay}/${OVERLAY.prefix} dev ${device}`,
  `ip link set ${device} mtu ${OVERLAY_MTU} up`,
];

/** The gateway's side of the link: what was `lan0` goes below it, so that every rule keeps its name. */
export const gatewayTunnelLines = (address: string, peer: string): readonly string[] => [
  'ip link set lan0 down',
  'ip link set lan0 name below0',
  'ip link set below0 up',
  ...tunnelLines('lan0', 'below0', address, peer, OVERLAY.gateway),
];

const deviceOf = (address: string): string =>
  `below=$(ip -o -4 addr show | while read -r _ name _ cidr _; do if [ "\${cidr%/*}" = "${address}" ]; then echo "$name"; fi; done)`;

/** The site's side of it; its way out is set when its agent starts. */
export const hostTunnelLines = (address: string, peer: string): readonly string[] => [
  deviceOf(address),
  ...tunnelLines('link0', '"$below"', address, peer, OVERLAY.host),
];

/** In whatever sends through a link with loss. */
export const smallFrameLines = (address: string): readonly string[] => [
  deviceOf(address),
  oneFrameEach('"$below"'),
];

const percent = (share: number): string => `${Number((share * 100).toFixed(4))}%`;
const bits = (rate: number): string => `${Math.round(rate * 8)}bit`;

/** What netem does by itself, or undefined if there is nothing to do. */
const netemLine = (
  device: string,
  { delayMillis, jitterMillis, loss, rate, reorder }: PacketWay,
): readonly string[] => {
  const jitter = jitterMillis > 0 ? ` ${jitterMillis}ms` : '';
  const parts = [
    ...(delayMillis + jitterMillis > 0 ? [`delay ${delayMillis}ms${jitter}`] : []),
    ...(reorder > 0 ? [`reorder ${percent(reorder)}`] : []),
    ...(loss > 0 ? [`loss ${percent(loss)}`] : []),
    ...(rate !== undefined ? [`rate ${bits(rate)}`] : []),
  ];
  return parts.length === 0
    ? []
    : [`tc qdisc replace dev ${device} root netem limit 20000 ${parts.join(' ')}`];
};

/** A burst of 10 ms of the rate (the kernel's clock may tick a hundred times a second), and a queue of half a second. */
const tbfLine = (device: string, { rate }: PacketWay): readonly string[] =>
  rate === undefined
    ? []
    : [
        `tc qdisc replace dev ${device} root tbf rate ${bits(rate)} burst ${Math.round(Math.max(4_096, rate / 100))} limit ${Math.round(Math.max(65_536, rate / 2))}`,
      ];

/**
 * Where packets are lost, a FIN may pass the NAT long before the bytes it follows, which come again: a NAT that forgets a second
 * after it would cut them off. As long as Linux has it for the last ACK, and time for it to come again.
 */
export const PATIENT_NAT: readonly string[] = Object.entries({ last_ack: 30, time_wait: 10 }).map(
  ([state, seconds]) => `echo ${seconds} > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_${state}`,
);

const DEVICES: Readonly<Record<Way, string>> = { up: 'wan0', down: 'lan0' };

/** Rate, and with netem all the rest. Applied where packets leave the gateway. */
export const qdiscLines = (link: PacketLink, netem: boolean): readonly string[] =>
  (['up', 'down'] as const).flatMap((way) => (netem ? netemLine : tbfLine)(DEVICES[way], link[way]));

/** Names of the counters in `table ip lablink`. */
export const LINK_COUNTERS = [
  'up_seen',
  'up_lost',
  'down_seen',
  'down_lost',
  'stalled_up',
  'stalled_down',
] as const;
export type LinkCounter = (typeof LINK_COUNTERS)[number];

const MILLION = 1_000_000;
const lossRules = (way: Way, loss: number): readonly string[] => [
  `    counter name "${way}_seen"`,
  ...(loss > 0
    ? [`    numgen random mod ${MILLION} < ${Math.round(loss * MILLION)} counter name "${way}_lost" drop`]
    : []),
];

/**
 * The table that loses packets. The link lies between the site and its NAT: what is lost on its way up the NAT never saw, what
 * is lost on its way down it did. Frames of the tunnel below are no mappings of the NAT.
 */
export const lossTable = (link: PacketLink, netem: boolean): string =>
  [
    'table ip lablink',
    'delete table ip lablink',
    'table ip lablink {',
    ...LINK_COUNTERS.map((name) => `  counter ${name} {\n  }`),
    '  chain stall_up {\n  }',
    '  chain stall_down {\n  }',
    '  chain up {\n    jump stall_up',
    ...lossRules('up', netem ? 0 : link.up.loss),
    '  }',
    '  chain down {\n    jump stall_down',
    ...lossRules('down', netem ? 0 : link.down.loss),
    '  }',
    '  chain arriving {\n    type filter hook prerouting priority raw; policy accept;',
    `    udp dport ${VXLAN_PORT} notrack`,
    '    iifname "lan0" jump up\n  }',
    '  chain leaving {\n    type filter hook output priority raw; policy accept;',
    `    udp dport ${VXLAN_PORT} notrack\n  }`,
    '  chain passing {\n    type filter hook forward priority -10; policy accept;',
    '    iifname "wan0" oifname "lan0" jump down\n  }',
    '}',
    '',
  ].join('\n');

/** Everything of a link in its gateway, besides the tunnel. */
export const linkLines = (link: PacketLink, netem: boolean): readonly string[] => [
  ...(hasLoss(link) ? [oneFrameEach('wan0'), oneFrameEach('lan0')] : []),
  ...qdiscLines(link, netem),
  "nft -f - <<'RULES'",
  lossTable(link, netem),
  'RULES',
];

/** Nothing passes. */
export const shutLines = (ways: readonly Way[]): readonly string[] =>
  ways.map((way) => `nft add rule ip lablink stall_${way} counter name "stalled_${way}" drop`);
export const openLines = (ways: readonly Way[]): readonly string[] =>
  ways.map((way) => `nft flush chain ip lablink stall_${way}`);

/** `name packets` a line. */
export const counterLines = (): readonly string[] => [
  'nft list counters table ip lablink | while read -r first second _; do',
  'case $first in counter) name=$second ;; packets) echo "$name $second" ;; esac',
  'done',
];

export const needsTunnel = (link: PacketLink, netem: boolean): boolean => hasDelay(link) && !netem;

/** Whether this kernel has netem, as `yes` or `no`. */
export const NETEM_PROBE =
  'if tc qdisc add dev lo root netem delay 1ms 2>/dev/null; then tc qdisc del dev lo root; echo yes; else echo no; fi';
