import t from 'tap';
import { PRESETS, type PresetName } from '../../nat/presets.ts';
import { LabError } from '../lab.ts';
import type { Site, Topology } from '../topology.ts';
import { gatewayScript, HOUSES_MAX, layoutOf, SITES_MAX } from './layout.ts';

const NAME = { run: 'ab12', owner: { pid: 42, startedAt: '777' }, kept: false } as const;
const site = (name: string, preset: PresetName = 'home'): Site => ({
  name,
  nat: { name: preset, value: PRESETS[preset], note: '' },
  link: { name: 'clean', faults: [], note: '' },
  actors: [],
});
const topology = (...sites: readonly Site[]): Topology => ({
  relay: { exec: undefined, limits: {}, defect: undefined },
  sites,
  outside: [],
  keepaliveMillis: 0,
});
const many = (count: number): readonly Site[] => Array.from({ length: count }, (_, n) => site(`s${n}`));

t.test('a site is a gateway and a house behind it, two gateways behind a carrier', async (t) => {
  const layout = layoutOf(topology(site('home'), site('phone', 'cgnat')), NAME);
  t.same(
    layout.namespaces.map((name) => name.replace('relaylab.ab12.42.777.run.', '')),
    [
      ...['wan', 'relay-host', 'users-host', 'house-1', 'house-2'],
      ...['home-gateway', 'phone-gateway', 'phone-home'],
    ],
  );
  const [home, phone] = layout.sites;
  t.equal(home?.gateways.length, 1);
  const [carrier, inner] = phone?.gateways ?? [];
  t.match(inner, { uplink: carrier?.inside, outsidePrefix: 29 });
  t.match(carrier, { uplink: undefined, outsidePrefix: 20 });
});

t.test('no two addresses of the open side or of a house are the same', async (t) => {
  const layout = layoutOf(topology(...many(200)), NAME);
  const open = [...layout.outside.values()].map(({ address }) => address);
  open.push(...layout.sites.map(({ gateways }) => gateways[0].outside), layout.nextAddress());
  t.equal(new Set(open).size, 203);
  const inside = layout.sites.flatMap(({ address, gateways }) => [address, gateways[0].inside]);
  t.equal(new Set(inside).size, 400);
  t.equal(new Set(layout.sites.map(({ house }) => house)).size, HOUSES_MAX);
});

t.test('in a house each site has a way out of its own, and there is none besides', async (t) => {
  const layout = layoutOf(topology(...many(HOUSES_MAX + 1)), NAME);
  const house = layout.setups.find(({ namespace }) => namespace.endsWith('.house-1'));
  for (const index of [0, HOUSES_MAX]) {
    const { address, gateways } = layout.sites[index] as (typeof layout.sites)[number];
    t.match(house?.script, `rule add from ${address} lookup ${1000 + index}`);
    t.match(
      house?.script,
      `route add default via ${gateways[0].inside} dev site${index} table ${1000 + index}`,
    );
  }
  t.notMatch(house?.script, /route add default via \S+ dev \S+$/m);
});

t.test('a gateway’s script ends with its NAT', async (t) => {
  const [home] = layoutOf(topology(site('home')), NAME).sites;
  const script = gatewayScript((home as NonNullable<typeof home>).gateways[0], ['echo nat']);
  t.match(script, /addr add 10\.128\.1\.1\/20 dev wan0\n/);
  t.match(script, /\necho nat$/);
  t.notMatch(script, 'route add', 'nothing is beyond the open side');
});

t.test('more sites than a bridge has ports are refused', async (t) => {
  t.equal(layoutOf(topology(...many(SITES_MAX)), NAME).sites.length, SITES_MAX);
  t.throws(() => layoutOf(topology(...many(SITES_MAX + 1)), NAME), LabError);
});
