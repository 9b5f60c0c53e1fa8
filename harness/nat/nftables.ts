/** A `Nat` as nftables and shell lines for a Linux gateway. Pure text; whoever holds a shell in the gateway runs it. */
import type { Millis } from '../../reference-impl/machine/machine.ts';
import type { Nat } from './nat.ts';
import { portRange, transitoryMillis } from './nat.ts';

/** A port of the gateway's public address that leads to an inner host (needed for hairpin to have something to reach). */
export type PortForward = { readonly port: number; readonly toHost: string; readonly toPort: number };

export type Wiring = {
  /** Device and address towards the upstream. */
  readonly wan: string;
  readonly wanAddress: string;
  /** Device towards the inner hosts. */
  readonly lan: string;
  /**
   * Which gateway of a NAT of depth 2 this is: the home one keeps ports and knows no exhaustion, the carrier does `mapping`
   * with one block of ports a subscriber. Ignored at depth 1.
   */
  readonly tier: 'home' | 'carrier';
  /** Addresses of the home gateways behind a carrier, each with its own block in this order. Empty: all share block 0. */
  readonly subscribers: readonly string[];
  readonly forwards: readonly PortForward[];
};

/** Names of the counters in the table; `natCounters` prints them. */
export const NAT_COUNTERS = ['mapped', 'lost_inner', 'lost_outer', 'refused', 'stalled'] as const;
export type NatCounter = (typeof NAT_COUNTERS)[number];

const SYN = 'tcp flags & (fin|syn|rst|ack) == syn';
const NOT_SYN = 'tcp flags & (fin|syn|rst|ack) != syn';

const tierNat = (nat: Nat, wiring: Wiring): Nat =>
  nat.depth === 2 && wiring.tier === 'home'
    ? { ...nat, mapping: { kind: 'preserving' }, exhaustion: 'silent' }
    : nat;

const REFUSALS = { rst: 'reject with tcp reset', icmp: 'reject with icmp type host-unreachable' } as const;

/** More new connections than ports: answered at once. `silent` needs no rule, masquerade drops what it cannot map. */
const exhaustionRules = (nat: Nat, wiring: Wiring): readonly string[] => {
  if (nat.mapping.kind !== 'range' || nat.exhaustion === 'silent') return [];
  const { ports } = nat.mapping;
  const refusal = `ct count over ${ports} counter name "refused" ${REFUSALS[nat.exhaustion]}`;
  if (wiring.subscribers.length === 0) return [`iifname "${wiring.lan}" ${SYN} ct state new ${refusal}`];
  return wiring.subscribers.map(
    (host) => `iifname "${wiring.lan}" ip saddr ${host} ${SYN} ct state new ${refusal}`,
  );
};

/**
 * Inner packets. Linux picks a connection up in its midst and keeps the port, so that a forgotten mapping would come back
 * unseen; only a SYN may therefore make one, unless the NAT rebinds, where the new mapping gets another port.
 */
const forwardRules = (nat: Nat, wiring: Wiring): readonly string[] => {
  const fromLan = `iifname "${wiring.lan}"`;
  const last = {
    silent: [`${fromLan} meta l4proto tcp counter name "lost_inner" drop`],
    rst: [`${fromLan} meta l4proto tcp counter name "lost_inner" reject with tcp reset`],
    rebind: [`${fromLan} meta l4proto tcp counter name "lost_inner" accept`],
  }[nat.idle.notify];
  return [
    'jump gate',
    'ct state established,related accept',
    ...exhaustionRules(nat, wiring),
    `${fromLan} ${SYN} counter name "mapped" accept`,
    `iifname "${wiring.wan}" ct status dnat accept`,
    ...last,
    `${fromLan} meta l4proto != tcp accept`,
  ];
};

/** Outer packets that no mapping takes further end up here, as the gateway's own. */
const inputRules = (nat: Nat, wiring: Wiring): readonly string[] => {
  const fromWan = `iifname "${wiring.wan}" meta l4proto tcp`;
  const stray = nat.unsolicited === 'reset' ? 'reject with tcp reset' : 'drop';
  return [
    'jump gate',
    'ct state established,related accept',
    `${fromWan} ${SYN} counter name "lost_outer" ${stray}`,
    `${fromWan} counter name "lost_outer" ${nat.idle.notify === 'rst' ? 'reject with tcp reset' : 'drop'}`,
    // An inner host that dials the public address and is not forwarded meets what one from outside would.
    `iifname "${wiring.lan}" ${SYN} ${stray}`,
  ];
};

const mappingRules = (nat: Nat, wiring: Wiring): readonly string[] => {
  const toWan = `oifname "${wiring.wan}"`;
  const rebind = nat.idle.notify === 'rebind' ? [`${toWan} ${NOT_SYN} masquerade fully-random`] : [];
  if (nat.mapping.kind === 'preserving') return [...rebind, `${toWan} masquerade`];
  if (nat.mapping.kind === 'random') return [...rebind, `${toWan} masquerade fully-random`];
  const { ports } = nat.mapping;
  const block = (number: number): string => {
    const { first, last } = portRange(ports, number);
    return `masquerade to :${first}-${last}`;
  };
  const blocks =
    wiring.subscribers.length === 0
      ? [`${toWan} meta l4proto tcp ${block(0)}`]
      : wiring.subscribers.map(
          (host, number) => `${toWan} ip saddr ${host} meta l4proto tcp ${block(number)}`,
        );
  return [...rebind, ...blocks, `${toWan} masquerade`];
};

const forwardedRules = (wiring: Wiring, nat: Nat): readonly string[] => {
  const from = nat.hairpin ? '' : `iifname != "${wiring.lan}" `;
  return wiring.forwards.map(
    ({ port, toHost, toPort }) =>
      `${from}ip daddr ${wiring.wanAddress} tcp dport ${port} dnat to ${toHost}:${toPort}`,
  );
};

const chain = (name: string, hook: string, rules: readonly string[]): string =>
  [
    `  chain ${name} {`,
    ...[hook, ...rules].filter((rule) => rule !== '').map((rule) => `    ${rule}`),
    '  }',
  ].join('\n');

/**
 * The gateway's whole ruleset, for `nft -f -`: one table `ip lab`, replaced in one step, other tables untouched (Docker's DNS
 * lives in one). Live mappings survive a replacement. Idle timeouts are sysctls, see `natSysctls`.
 * @throws RangeError when the subscribers' blocks of ports do not fit
 */
export const renderNat = (value: Nat, wiring: Wiring): string => {
  const nat = tierNat(value, wiring);
  const hairpin = nat.hairpin
    ? [`iifname "${wiring.lan}" oifname "${wiring.lan}" ct status dnat masquerade`]
    : [];
  const hairpinForward = nat.hairpin
    ? [`iifname "${wiring.lan}" oifname "${wiring.lan}" ct status dnat accept`]
    : [];
  return [
    'table ip lab',
    'delete table ip lab',
    'table ip lab {',
    ...NAT_COUNTERS.map((name) => `  counter ${name} {\n  }`),
    '  chain gate {\n  }',
    chain('pre', 'type nat hook prerouting priority dstnat; policy accept;', forwardedRules(wiring, nat)),
    chain('post', 'type nat hook postrouting priority srcnat; policy accept;', [
      ...hairpin,
      ...mappingRules(nat, wiring),
    ]),
    chain('forward', 'type filter hook forward priority filter; policy drop;', [
      ...hairpinForward,
      ...forwardRules(nat, wiring),
    ]),
    chain('input', 'type filter hook input priority filter; policy accept;', inputRules(nat, wiring)),
    '}',
    '',
  ].join('\n');
};

const seconds = (millis: Millis): string => String(Math.max(1, Math.ceil(millis / 1_000)));

/**
 * Settings of the gateway's network namespace, as `HostConfig.Sysctls` takes them. Whole seconds, rounded up. A closed
 * connection gives its port back after a second, not after two minutes of TIME_WAIT, so that both forms count alike.
 */
export const natSysctls = (nat: Nat): Readonly<Record<string, string>> => {
  const tcp = 'net.netfilter.nf_conntrack_tcp_timeout_';
  const transitory = seconds(transitoryMillis(nat));
  return {
    'net.ipv4.ip_forward': '1',
    [`${tcp}established`]: seconds(nat.idle.establishedMillis),
    [`${tcp}fin_wait`]: transitory,
    [`${tcp}close_wait`]: transitory,
    [`${tcp}last_ack`]: '1',
    [`${tcp}time_wait`]: '1',
    [`${tcp}close`]: '1',
  };
};

/** The same as shell lines, for a gateway whose /proc/sys can be written. */
export const natSysctlLines = (nat: Nat): readonly string[] =>
  Object.entries(natSysctls(nat)).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll('.', '/')}`,
  );
