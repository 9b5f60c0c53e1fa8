import t from 'tap';
import type { Point, U64 } from '../../measurement-relay/messages.ts';
import { MetricRegistry } from '../../measurement-relay/metrics.ts';
import { ConfigTable } from '../config/config-table.ts';
import { measured } from '../sources/measured.ts';
import { type AggregateConfig, AggregateTransform } from './aggregate-plugin.ts';
import { filterPlugin, filterTransform } from './filter-plugin.ts';

const registryOf = (...names: readonly string[]): MetricRegistry => {
  const registry = new MetricRegistry();
  for (const name of names)
    registry.define({
      name,
      valueType: name.startsWith('f') ? 'F64' : 'U64',
      unit: { base: '1', prefix: '' },
      description: '',
    });
  return registry;
};
const point = (metric: number, secs: number, value: U64, series = ''): Point =>
  measured({ secs, nanos: 0 }, metric, { tag: 'U64', value }, { consumer: { kind: 'x', id: series } });

t.test('a filter keeps or drops metrics by name, also those that become known later', async (t) => {
  const registry = registryOf('a', 'b');
  const names = new Set(['a', 'late']);
  const include = filterTransform({ mode: 'include', names }, registry);
  const exclude = filterTransform({ mode: 'exclude', names }, registry);
  registry.define({ name: 'late', valueType: 'U64', unit: { base: '1', prefix: '' }, description: '' });
  const points = [point(0, 1, 1), point(1, 1, 2), point(2, 1, 3)];
  const ids = (kept: readonly Point[]): readonly number[] => kept.map(({ metric_id: id }) => id);
  t.same(ids(include.apply(points, undefined)), [0, 2]);
  t.same(ids(exclude.apply(points, undefined)), [1]);
  t.equal(filterTransform({ mode: 'all', names: new Set() }, registry).apply(points, undefined).length, 3);
});

t.test('include and exclude at once are refused', async (t) => {
  t.throws(() => filterPlugin.read(new ConfigTable('plugins.filter', { include: ['a'], exclude: ['b'] })), {
    code: 'CONFIG_FILTER',
    message:
      'plugins.filter.exclude: expected either include or exclude, got a list; leave one of them out (CONFIG_FILTER)',
  });
  t.match(filterPlugin.read(new ConfigTable('', {})), { mode: 'all' });
});

const aggregate = (registry: MetricRegistry, over: Partial<AggregateConfig> = {}): AggregateTransform =>
  new AggregateTransform({ intervalMillis: 10_000, function: 'sum', metrics: [], ...over }, registry);
const told = (points: readonly Point[], registry: MetricRegistry): readonly string[] =>
  points.map(
    ({ metric_id: id, timestamp, value, consumer_id: series }) =>
      `${registry.get(id)?.name} ${timestamp.secs} ${value.tag} ${value.value} ${series}`,
  );

t.test('an interval of a series becomes one point at its end, once a later one begins', async (t) => {
  const registry = registryOf('a');
  const sum = aggregate(registry);
  t.same(sum.apply([point(0, 10, 1, 's'), point(0, 19, 2, 's'), point(0, 12, 5, 'r')], undefined), []);
  t.same(told(sum.apply([point(0, 20, 7, 's')], undefined), registry), [
    'a_sum 20 U64 3 s',
    'a_sum 20 U64 5 r',
  ]);
  t.same(told(sum.flush(), registry), ['a_sum 30 U64 7 s']);
  t.same(sum.flush(), [], 'nothing twice');
});

t.test('each function folds as it says', async (t) => {
  const points = [point(0, 1, 4), point(0, 2, 9), point(0, 3, 2)];
  for (const [name, expected] of [
    ['sum', 'a_sum 10 U64 15 '],
    ['mean', 'a_mean 10 F64 5 '],
    ['min', 'a_min 10 U64 2 '],
    ['max', 'a_max 10 U64 9 '],
    ['last', 'a_last 10 U64 2 '],
  ] as const) {
    const registry = registryOf('a');
    const transform = aggregate(registry, { function: name });
    transform.apply(points, undefined);
    t.same(told(transform.flush(), registry), [expected]);
  }
});

t.test('sums of whole numbers are exact, also beyond 2^53', async (t) => {
  const registry = registryOf('a');
  const sum = aggregate(registry);
  sum.apply([point(0, 1, Number.MAX_SAFE_INTEGER), point(0, 2, 2), point(0, 3, 2n ** 60n)], undefined);
  t.same(sum.flush()[0]?.value, { tag: 'U64', value: 2n ** 53n + 1n + 2n ** 60n });
});

t.test('metrics that are not named pass untouched', async (t) => {
  const registry = registryOf('a', 'b');
  const sum = aggregate(registry, { metrics: ['a'] });
  t.same(told(sum.apply([point(0, 1, 1), point(1, 1, 2)], undefined), registry), ['b 1 U64 2 ']);
});

t.test('a relayed batch is folded by itself and leaves nothing behind', async (t) => {
  const registry = registryOf('a');
  const sum = aggregate(registry);
  sum.apply([point(0, 1, 100)], undefined);
  const origin = { client: 'c', spool: 's', batch: 1 };
  t.same(told(sum.apply([point(0, 1, 1), point(0, 2, 2)], origin), registry), ['a_sum 10 U64 3 ']);
  t.same(told(sum.flush(), registry), ['a_sum 10 U64 100 ']);
});
