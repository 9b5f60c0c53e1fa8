import t from 'tap';
import { PointCode, plainMetric, renamedFor } from './point-code.ts';
import { type StoredPoint, StoreWatch } from './store-watch.ts';

const point = (client: string, value: number, given: Partial<StoredPoint> = {}): StoredPoint => ({
  client,
  consumer: client,
  metric: 'power',
  value,
  micros: new PointCode(client, 'power').micros(value),
  ...given,
});
const watch = (points: readonly StoredPoint[]) => {
  const store = new StoreWatch(new Set(['a', 'b']));
  for (const each of points) store.push(each);
  return store.take().filter(({ type }) => type !== 'store.series');
};

t.test('points in a row are one range, and a gap or a step back begins another', async (t) => {
  t.same(watch([0, 1, 2, 5, 6, 4].map((value) => point('a', value))), [
    { type: 'store.range', agent: 'a', from: 0, to: 2 },
    { type: 'store.range', agent: 'a', from: 5, to: 6 },
    { type: 'store.range', agent: 'a', from: 4, to: 4 },
  ]);
  const mixed = [point('a', 0), point('b', 0), point('a', 1), point('b', 1)];
  t.same(watch(mixed), [
    { type: 'store.range', agent: 'a', from: 0, to: 1 },
    { type: 'store.range', agent: 'b', from: 0, to: 1 },
  ]);
});

t.test('a point that nobody made like this is foreign', async (t) => {
  const cases: readonly (readonly [string, Partial<StoredPoint>])[] = [
    ['another value', { value: 4 }],
    ['another time', { micros: 1 }],
    ['another metric', { metric: 'energy' }],
    ["another agent's", { consumer: 'b' }],
    ['no number', { value: undefined }],
    ['a broken number', { value: 3.5 }],
    ['below 0', { value: -1 }],
  ];
  for (const [name, given] of cases)
    t.match(watch([point('a', 3, given)]), [{ type: 'store.foreign', agent: 'a', points: 1 }], name);
});

t.test('a metric that was renamed for its client is still its metric', async (t) => {
  const renamed = renamedFor('power', 'a');
  for (const metric of [renamed, `${renamed}_2`, `${renamed}_17`])
    t.match(watch([point('a', 0, { metric })]), [{ type: 'store.range' }], metric);
  for (const metric of [renamedFor('power', 'b'), `${renamed}_x`, `${renamed}_0`])
    t.match(watch([point('a', 0, { metric })]), [{ type: 'store.foreign' }], metric);
  t.equal(plainMetric(renamedFor(renamed, 'a'), 'a'), renamed, 'only the last suffix is the server’s');
});

t.test(
  'the first point under each name of a metric is told; points that are not coded are counted',
  async (t) => {
    const store = new StoreWatch(new Set(['a']));
    store.push(point('a', 7));
    store.push(point('a', 8));
    store.push(point('stranger', 99, { consumer: '', metric: 'cpu' }));
    store.push(point('stranger', 99, { consumer: '', metric: 'cpu' }));
    t.same(store.take(), [
      { type: 'store.series', agent: 'a', metric: 'power', point: 7 },
      { type: 'store.series', agent: 'stranger', metric: 'cpu', point: 99 },
      { type: 'store.range', agent: 'a', from: 7, to: 8 },
      { type: 'store.count', agent: 'stranger', points: 2 },
    ]);
    t.same(store.take(), [], 'once');
  },
);

t.test('codes of neighbours, agents and metrics have nothing in common', async (t) => {
  const code = new PointCode('a', 'power');
  const all = new Set(Array.from({ length: 10_000 }, (_, n) => code.micros(n)));
  t.ok(all.size > 9_900 && [...all].every((micros) => micros >= 0 && micros < 1_000_000));
  t.not(code.micros(5), new PointCode('b', 'power').micros(5));
  t.not(code.micros(5), new PointCode('a', 'energy').micros(5));
});
