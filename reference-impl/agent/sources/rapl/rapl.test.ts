import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MetricRegistry } from '../../../measurement-relay/metrics.ts';
import { described } from '../../testing/described.ts';
import { domainOf, joulesBetween, powerZones } from './powercap.ts';
import { raplPoints } from './rapl-plugin.ts';

t.test('names of zones are domains', async (t) => {
  for (const [name, domain] of [
    ['package-0', 'package'],
    ['core', 'pp0'],
    ['uncore', 'pp1'],
    ['dram', 'dram'],
    ['psys', 'platform'],
    ['toString', undefined],
  ] as const)
    t.equal(domainOf(name), domain, name);
});

t.test('a counter that begins anew is followed over its end', async (t) => {
  t.equal(joulesBetween(1_000_000, 3_500_000, 10_000_000), 2.5);
  t.equal(joulesBetween(9_000_000, 500_000, 10_000_000), 1.5);
});

t.test('zones are found in their packages, and a machine without any has none', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'rapl-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const zone = (path: string, name: string): void => {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, 'name'), `${name}\n`);
    writeFileSync(join(root, path, 'max_energy_range_uj'), '262143328850\n');
    writeFileSync(join(root, path, 'energy_uj'), '5\n');
  };
  zone('intel-rapl:0', 'package-0');
  zone('intel-rapl:0/intel-rapl:0:0', 'core');
  zone('intel-rapl:1', 'package-1');
  zone('intel-rapl:1/intel-rapl:1:0', 'dram');
  zone('intel-rapl:2', 'psys');
  zone('intel-rapl:3', 'something new');
  mkdirSync(join(root, 'power'));
  const zones = powerZones(root);
  t.same(
    zones.map(({ domain, packageId }) => `${domain} ${packageId}`),
    ['package 0', 'pp0 0', 'package 1', 'dram 1', 'platform 0'],
  );
  const registry = new MetricRegistry();
  const metric = registry.define({
    name: 'e',
    valueType: 'F64',
    unit: { base: 'J', prefix: '' },
    description: '',
  });
  const before = zones.map(() => 0);
  const now = zones.map((_, index) => (index + 1) * 1_000_000);
  t.same(
    raplPoints(zones, before, now, { secs: 1, nanos: 0 }, metric).map((point) => described(point, registry)),
    [
      'e=1 cpu_package/0 local_machine/ domain=package',
      'e=2 cpu_package/0 local_machine/ domain=pp0',
      'e=3 cpu_package/1 local_machine/ domain=package',
      'e=4 dram/1 local_machine/ domain=dram',
      'e=5 local_machine/ local_machine/ domain=platform',
      'e=4 local_machine/ local_machine/ domain=package_total',
      'e=2 local_machine/ local_machine/ domain=pp0_total',
      'e=4 local_machine/ local_machine/ domain=dram_total',
      'e=5 local_machine/ local_machine/ domain=platform_total',
    ],
  );
  t.same(powerZones(join(root, 'none')), []);
});
