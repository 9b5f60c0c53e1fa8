/** What happens to a kernel NAT, as shell lines (POSIX sh, nft, iproute2) with a receipt for each. */
import type { Nat } from './nat.ts';
import type { NatCounter, Wiring } from './nftables.ts';
import { NAT_COUNTERS, natSysctlLines, renderNat } from './nftables.ts';

export type GatewayWiring = Wiring & {
  /** Prefix length of the public address. */
  readonly wanPrefix: number;
  /** Where the default route leads; undefined: the gateway has none. */
  readonly wanGateway: string | undefined;
};

/**
 * `begin` at the start, `end` after the outage the event says (empty: there is none). Both are to be run by one shell that
 * stops at the first failure (`set -e`). `receipt` prints one number after `end`: the effects; 0 is no proof.
 */
export type GatewayEvent = {
  readonly begin: readonly string[];
  readonly end: readonly string[];
  readonly receipt: readonly string[];
  /** What the number counts. */
  readonly counts: string;
};

export type GatewayEventKind = 'reboot' | 'expire' | 'readdress' | 'flap';

/**
 * Turns a host with two devices into this NAT, or into another one while it runs (live mappings stay). The last line is a here
 * document, so feed them to one shell as they are. Where /proc/sys is read-only give `natSysctls` at creation instead and only
 * `rulesLine`.
 */
export const gatewayLines = (nat: Nat, wiring: Wiring): readonly string[] => [
  ...natSysctlLines(nat),
  rulesLine(nat, wiring),
];

/** The ruleset as one shell command. */
export const rulesLine = (nat: Nat, wiring: Wiring): string =>
  `nft -f - <<'RULES'\n${renderNat(nat, wiring)}RULES`;

/** Connections the gateway knows; conntrack's own count needs no tool. */
const CONNECTIONS = '/proc/sys/net/netfilter/nf_conntrack_count';
const GATE_SHUT = ['nft add rule ip lab gate counter name "stalled" drop'];
const GATE_OPEN = ['nft flush chain ip lab gate'];

const routeLines = (wiring: GatewayWiring): readonly string[] =>
  wiring.wanGateway === undefined ? [] : [`ip route replace default via ${wiring.wanGateway}`];

/** How many mappings there were, kept in a shell variable of the persistent shell, and how many are left. */
const COUNT_BEFORE = [`before=$(cat ${CONNECTIONS})`];

/**
 * Forgets every mapping. conntrack does it at once; without it the device goes down and up, on which masquerade forgets what it
 * had mapped (a little later, hence the wait: at most 2 s).
 */
const flushLines = (wiring: GatewayWiring): readonly string[] => [
  ...COUNT_BEFORE,
  [
    'if command -v conntrack >/dev/null 2>&1; then conntrack -F >/dev/null 2>&1;',
    `else ip link set ${wiring.wan} down; ip link set ${wiring.wan} up; ${routeLines(wiring).join('; ') || ':'};`,
    `tries=0; while [ "$before" -gt 0 ] && [ "$(cat ${CONNECTIONS})" -ge "$before" ] && [ $tries -lt 20 ];`,
    'do sleep 0.1; tries=$((tries+1)); done; fi',
  ].join(' '),
  // What is still there was not dropped: a flush that failed must not look like one.
  `dropped=$((before-$(cat ${CONNECTIONS}))); [ "$dropped" -ge 0 ] || dropped=0`,
];

/** Packets a counter has seen since the table was put in place, as one number. */
const counterLine = (name: NatCounter): string =>
  `nft list counter ip lab ${name} | while read -r word count rest; do [ "$word" = packets ] && echo "$count"; done || :`;

/** One line a counter: `name packets`. */
export const natCounterLines = (): readonly string[] =>
  NAT_COUNTERS.map((name) => `echo ${name} $(${counterLine(name)})`);

/**
 * @param newAddress public address from now on; only `readdress` needs it
 * @throws RangeError for `readdress` without a new address
 */
export const gatewayEvent = (
  kind: GatewayEventKind,
  wiring: GatewayWiring,
  newAddress?: string,
): GatewayEvent => {
  switch (kind) {
    case 'flap':
      return {
        begin: GATE_SHUT,
        end: GATE_OPEN,
        receipt: [counterLine('stalled')],
        counts: 'packets stalled',
      };
    case 'reboot':
      return {
        begin: [...GATE_SHUT, ...flushLines(wiring)],
        end: GATE_OPEN,
        receipt: ['echo "$dropped"'],
        counts: 'mappings dropped',
      };
    case 'expire':
      return { begin: flushLines(wiring), end: [], receipt: ['echo "$dropped"'], counts: 'mappings dropped' };
    case 'readdress': {
      if (newAddress === undefined) throw new RangeError('readdress: say which address comes');
      const { wan, wanAddress, wanPrefix } = wiring;
      return {
        // The old one first: deleting a primary address drops its secondaries.
        begin: [
          ...COUNT_BEFORE,
          `ip addr del ${wanAddress}/${wanPrefix} dev ${wan}`,
          `ip addr add ${newAddress}/${wanPrefix} dev ${wan}`,
          ...routeLines(wiring),
          ...flushLines(wiring).slice(1),
        ],
        end: [],
        receipt: ['echo "$dropped"'],
        counts: 'mappings dropped',
      };
    }
  }
};
