import { PROFILES } from 'chaos-proxy';
import t from 'tap';
import { PRESET_NAMES, PRESETS } from '../../nat/presets.ts';
import type { Site } from '../topology.ts';
import { hasBorder, SiteBorder } from './site-border.ts';

type Faults = Site['link']['faults'];
const siteOf = (faults: Faults, nat = PRESETS.home): Site => ({
  name: 'home',
  nat: { name: 'home', value: nat, note: '' },
  link: { name: 'test', faults, note: '' },
  actors: [],
});
const border = (faults: Faults, nat = PRESETS.home): SiteBorder =>
  new SiteBorder(siteOf(faults, nat), 'nat/home', 7);
const FROM = { host: 'client', port: 40_000 };

t.test(
  'every profile and every NAT that keepalive keeps fresh can have a border; what a border cannot do has none',
  (t) => {
    for (const name of ['clean', 'mobile', 'slow', 'lossy', 'stalling'] as const)
      for (const nat of PRESET_NAMES)
        t.ok(hasBorder(siteOf(PROFILES[name].faults, PRESETS[nat]), 2_000), `${name} behind ${nat}`);
    t.notOk(hasBorder(siteOf([], PRESETS.hostile), 20_000), 'its mappings would expire before a probe');
    t.notOk(hasBorder(siteOf([]), 0), 'nobody probes');
    const others: Faults = [
      { kind: 'reset' },
      { kind: 'latency', ms: 10, direction: 'up' },
      { kind: 'latency', ms: 10, jitter: 2, dist: 'normal' },
      { kind: 'latency', ms: 10, selector: { every: 2 } },
      { kind: 'latency', ms: 10, when: { byte: 100 } },
      { kind: 'bandwidth', rate: 1_000 },
      { kind: 'stall', onMs: 100 },
    ];
    for (const fault of others) t.notOk(hasBorder(siteOf([fault]), 2_000), JSON.stringify(fault));
    t.throws(() => border([{ kind: 'reset' }]), /does more than a border knows/);
    t.end();
  },
);

t.test('latency and jitter keep to their bounds, and the same seed draws the same', (t) => {
  const faults: Faults = [{ kind: 'latency', ms: 60, jitter: 25 }];
  const draws = (): readonly number[] => {
    const link = border(faults);
    return Array.from({ length: 500 }, (_, i) => link.through(i, i % 2 === 0 ? 'out' : 'in', 100) - i);
  };
  const all = draws();
  t.ok(all.every((delay) => delay >= 35 && delay <= 85));
  t.ok(Math.min(...all) < 37 && Math.max(...all) > 83, 'the whole width is used');
  t.strictSame(draws(), all);
  t.end();
});

t.test('a rate is shared by all that passes in one direction, to the fraction', (t) => {
  const link = border([{ kind: 'bandwidth', rate: 64_000, scope: 'link' }]);
  t.equal(link.through(0, 'out', 100), 100 / 64);
  t.equal(link.through(0, 'out', 100), 200 / 64, 'behind the one before');
  t.equal(link.through(0, 'in', 64), 1, 'the other direction has its own');
  t.equal(link.through(1_000, 'out', 0), 1_000, 'and is free again later');
  t.end();
});

t.test(
  'lost segments come one time-out late or more, as often as declared; what carries no bytes is not lost',
  (t) => {
    const link = border([{ kind: 'lossLike', ratio: 0.1 }]);
    const delays = Array.from({ length: 5_000 }, () => link.through(0, 'out', 1_000));
    t.ok(delays.every((delay) => [0, 200, 600, 1_400, 3_000, 6_200, 12_600].includes(delay)));
    const late = delays.filter((delay) => delay > 0).length / delays.length;
    t.ok(late > 0.08 && late < 0.12, `${late} of them`);
    t.equal(Math.max(...Array.from({ length: 100 }, () => link.through(0, 'out', 0))), 0);
    t.end();
  },
);

t.test('a stall holds until its end, and repeats', (t) => {
  const link = border([{ kind: 'stall', onMs: 1_500, offMs: 4_500, when: { afterMillis: 2_000 } }]);
  const passed = [1_999, 2_000, 3_499, 3_500, 7_999, 8_100].map((at) => link.through(at, 'out', 1));
  t.strictSame(passed, [1_999, 3_500, 3_500, 3_500, 7_999, 9_500]);
  t.end();
});

t.test('ports are those of the NAT, run out as its do, and come back', (t) => {
  t.strictSame(border([]).out(FROM), { host: 'nat/home', port: 40_000 }, 'kept');
  const few = { ...PRESETS.strict, mapping: { kind: 'range', ports: 2 } } as const;
  const link = border([], few);
  const [first, second] = [link.out(FROM), link.out(FROM)];
  t.not(first, second);
  t.equal(link.out(FROM), 'refused', 'as strict says when it is full');
  t.equal(border([], { ...few, mapping: { kind: 'range', ports: 1 }, exhaustion: 'icmp' }).latencyMillis, 0);
  if (typeof first === 'object') link.over(first.port);
  t.match(link.out(FROM), { host: 'nat/home' });
  t.end();
});
