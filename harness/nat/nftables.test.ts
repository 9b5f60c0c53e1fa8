import t from 'tap';
import { gatewayEvent, gatewayLines, natCounterLines, rulesLine } from './gateway-events.ts';
import type { Nat } from './nat.ts';
import type { Wiring } from './nftables.ts';
import { NAT_COUNTERS, natSysctlLines, natSysctls, renderNat } from './nftables.ts';
import { PRESETS } from './presets.ts';

const WIRING: Wiring = {
  wan: 'wan0',
  wanAddress: '198.51.100.7',
  lan: 'lan0',
  tier: 'home',
  subscribers: [],
  forwards: [],
};
const GATEWAY = { ...WIRING, wanPrefix: 24, wanGateway: '198.51.100.1' };

const HOSTILE = `table ip lab
delete table ip lab
table ip lab {
  counter mapped {
  }
  counter lost_inner {
  }
  counter lost_outer {
  }
  counter refused {
  }
  counter stalled {
  }
  chain gate {
  }
  chain pre {
    type nat hook prerouting priority dstnat; policy accept;
  }
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan0" masquerade fully-random
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    jump gate
    ct state established,related accept
    iifname "lan0" tcp flags & (fin|syn|rst|ack) == syn counter name "mapped" accept
    iifname "wan0" ct status dnat accept
    iifname "lan0" meta l4proto tcp counter name "lost_inner" drop
    iifname "lan0" meta l4proto != tcp accept
  }
  chain input {
    type filter hook input priority filter; policy accept;
    jump gate
    ct state established,related accept
    iifname "wan0" meta l4proto tcp tcp flags & (fin|syn|rst|ack) == syn counter name "lost_outer" drop
    iifname "wan0" meta l4proto tcp counter name "lost_outer" drop
    iifname "lan0" tcp flags & (fin|syn|rst|ack) == syn drop
  }
}
`;

t.test('the whole ruleset is one table that replaces itself', async (t) => {
  t.equal(renderNat(PRESETS.hostile, WIRING), HOSTILE);
});

t.test('each property has its rules', async (t) => {
  const home = PRESETS.home;
  const two: Nat = { ...home, mapping: { kind: 'range', ports: 2 } };
  const idle = (notify: Nat['idle']['notify']): Nat => ({
    ...home,
    idle: { establishedMillis: 4_000, notify },
  });
  const forwards = [{ port: 7_000, toHost: '192.0.2.5', toPort: 80 }];
  const cases: readonly [string, Nat, Partial<Wiring>, readonly string[], readonly string[]][] = [
    ['ports kept', home, {}, ['oifname "wan0" masquerade\n'], ['random']],
    ['range', two, {}, ['meta l4proto tcp masquerade to :20000-20001'], ['ct count']],
    [
      'range, rst',
      { ...two, exhaustion: 'rst' },
      {},
      ['ct count over 2 counter name "refused" reject with tcp reset'],
      [],
    ],
    ['range, icmp', { ...two, exhaustion: 'icmp' }, {}, ['reject with icmp type host-unreachable'], []],
    ['no range, no refusal', { ...home, exhaustion: 'rst' }, {}, [], ['refused" reject']],
    [
      'rst',
      idle('rst'),
      {},
      ['"lost_inner" reject with tcp reset', '"lost_outer" reject with tcp reset'],
      [],
    ],
    ['rebind', idle('rebind'), {}, ['!= syn masquerade fully-random', '"lost_inner" accept'], []],
    [
      'refuses from outside',
      { ...home, unsolicited: 'reset' },
      {},
      ['== syn counter name "lost_outer" reject with tcp reset'],
      [],
    ],
    [
      'hairpin',
      home,
      { forwards },
      ['ct status dnat masquerade', '    ip daddr 198.51.100.7 tcp dport 7000 dnat to 192.0.2.5:80'],
      [],
    ],
    [
      'no hairpin',
      PRESETS.hostile,
      { forwards },
      ['iifname != "lan0" ip daddr 198.51.100.7'],
      ['dnat masquerade'],
    ],
    ['home tier of two', PRESETS.cgnat, { tier: 'home' }, ['oifname "wan0" masquerade\n'], [' to :']],
    [
      'carrier tier of two',
      { ...PRESETS.cgnat, exhaustion: 'rst' },
      { tier: 'carrier', subscribers: ['100.64.0.2', '100.64.0.3'] },
      ['ip saddr 100.64.0.3 meta l4proto tcp masquerade to :20512-21023', 'ip saddr 100.64.0.2 tcp flags'],
      [],
    ],
  ];
  for (const [name, nat, wiring, has, lacks] of cases) {
    const text = renderNat(nat, { ...WIRING, ...wiring });
    for (const part of has) t.ok(text.includes(part), `${name}: ${part}`);
    for (const part of lacks) t.notOk(text.includes(part), `${name}: not ${part}`);
  }
});

t.test('idle timeouts are whole seconds of conntrack, rounded up', async (t) => {
  const established = 'net.netfilter.nf_conntrack_tcp_timeout_established';
  t.equal(natSysctls(PRESETS.rfc5382)[established], '7440');
  t.equal(natSysctls(PRESETS.rfc5382)['net.netfilter.nf_conntrack_tcp_timeout_fin_wait'], '240');
  const broken = { ...PRESETS.home, idle: { establishedMillis: 1_001, notify: 'silent' } } as const;
  t.equal(natSysctls(broken)[established], '2');
  t.match(
    natSysctlLines(PRESETS.home)[1],
    /^echo 300 > \/proc\/sys\/net\/netfilter\/nf_conntrack_tcp_timeout_established$/,
  );
});

t.test('events are shell lines with a receipt', async (t) => {
  const flap = gatewayEvent('flap', GATEWAY);
  t.strictSame(flap.begin, ['nft add rule ip lab gate counter name "stalled" drop']);
  t.strictSame(flap.end, ['nft flush chain ip lab gate']);
  const readdress = gatewayEvent('readdress', GATEWAY, '198.51.100.8').begin;
  const deleted = readdress.findIndex((line) => line.startsWith('ip addr del 198.51.100.7/24'));
  t.ok(
    deleted >= 0 && deleted < readdress.indexOf('ip addr add 198.51.100.8/24 dev wan0'),
    'the old address goes first',
  );
  t.ok(readdress.includes('ip route replace default via 198.51.100.1'));
  t.throws(() => gatewayEvent('readdress', GATEWAY), RangeError);
  for (const kind of ['reboot', 'expire'] as const) {
    const event = gatewayEvent(kind, GATEWAY);
    t.equal(event.counts, 'mappings dropped');
    t.ok(
      event.begin.some((line) => line.includes('ip link set wan0 down')),
      'works without conntrack',
    );
    t.ok(event.receipt.length > 0);
  }
  t.equal(natCounterLines().length, NAT_COUNTERS.length);
});

t.test('the set-up is lines for one shell, the ruleset last', async (t) => {
  const lines = gatewayLines(PRESETS.hostile, WIRING);
  t.strictSame(lines.slice(0, -1), natSysctlLines(PRESETS.hostile));
  t.equal(lines.at(-1), rulesLine(PRESETS.hostile, WIRING));
  t.equal(lines.at(-1), `nft -f - <<'RULES'\n${HOSTILE}RULES`);
});
