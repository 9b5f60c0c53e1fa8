import t from 'tap';
import natPool from '../../scenarios/nat-pool.ts';
import { CROWD, islandsOf, sampleOf } from './crowd.ts';
import type { Options } from './scenario.ts';

const OPTIONS: Options = { ...natPool.defaults, lab: 'sim', seed: 1, sites: 1_000, clients: 10 };
const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);

t.test('small runs and real labs stay as they are', (t) => {
  t.equal(islandsOf({ ...OPTIONS, sites: 199 }), undefined);
  t.equal(islandsOf({ ...OPTIONS, lab: 'local' }), undefined);
  t.equal(islandsOf({ ...natPool.defaults, lab: 'sim', seed: 1 }), undefined);
  t.end();
});

t.test(
  'one island is the run itself; several share its sites and users out and throw dice of their own',
  (t) => {
    const [alone, ...none] = islandsOf(OPTIONS) ?? [];
    t.strictSame([alone?.options, none], [OPTIONS, []]);
    const million = islandsOf({ ...OPTIONS, sites: 100_000 }) ?? [];
    t.equal(million.length, 1_000_000 / CROWD.clientsPerIsland);
    t.equal(sum(million.map(({ options }) => options.sites)), 100_000);
    t.ok(million.every(({ options }) => options.sites * options.clients <= CROWD.clientsPerIsland));
    t.ok(
      million.every(({ options }) => options.users === 1),
      'one at least',
    );
    t.equal(new Set(million.map(({ options }) => options.seed)).size, million.length);
    t.strictSame(islandsOf({ ...OPTIONS, sites: 100_000 }), million, 'always the same');
    const uneven = islandsOf({ ...OPTIONS, sites: 2_501, users: 7 }) ?? [];
    t.strictSame(
      uneven.map(({ options }) => options.sites),
      [833, 834, 834],
    );
    t.equal(sum(uneven.map(({ options }) => options.users)), 7);
    t.end();
  },
);

t.test(
  'whom the timeline names is told of; of the others every so manieth client, and the service behind it',
  (t) => {
    const plan = natPool.plan(OPTIONS);
    const sample = sampleOf(plan, { stride: 100, of: 1 });
    for (const site of ['home', 'train', 'hotel', 'phone', 'cabin']) t.ok(sample.isWhole(site), site);
    t.notOk(sample.isWhole('plant'), 'the timeline does not touch it');
    for (const who of ['relay', 'users', 'users/patient', 'home/nat', 'home/client-10', 'home/forwarder'])
      t.ok(sample.isTold(who), who);
    t.equal(sample.told, 50 + 100);
    const clients = plan.topology.sites
      .filter(({ name }) => !sample.isWhole(name))
      .flatMap(({ actors }) => actors.filter(({ actor }) => actor.kind === 'client'));
    const told = clients.filter(({ who }) => sample.isTold(who));
    t.equal(told.length, 100);
    t.ok(told.every(({ actor }) => actor.kind === 'client' && sample.isTold(actor.service)));
    t.ok(sample.sites.every(({ actors }) => actors.some(({ who }) => sample.isTold(who))));
    const oneOfMany = sampleOf(plan, { stride: 1_000, of: 100 });
    t.equal(oneOfMany.told, 5 * 2 + 1 + 10, 'two of a whole site, the one who leaves, and each thousandth');
    t.end();
  },
);
