import t from 'tap';
import { type SyntheticConfig, SyntheticRate, SyntheticSeries } from './synthetic-plugin.ts';

const CONFIG: SyntheticConfig = {
  rate: 10,
  cardinality: 3,
  seed: 7,
  periodMillis: 100,
  limit: 0,
  values: 'sequence',
};
const AT = { secs: 1, nanos: 0 };

t.test('points go in turn over the series, each of which counts its own', async (t) => {
  const series = new SyntheticSeries(CONFIG);
  const points = [...series.next(4, AT, 0), ...series.next(3, AT, 0)];
  t.same(
    points.map(({ consumer_id: id, value }) => `${id}:${value.value}`),
    ['0:0', '1:0', '2:0', '0:1', '1:1', '2:1', '0:2'],
  );
});

t.test('a limit ends it', async (t) => {
  const series = new SyntheticSeries({ ...CONFIG, limit: 5 });
  t.same(
    [3, 3, 3].map((count) => series.next(count, AT, 0).length),
    [3, 2, 0],
  );
});

t.test('a random walk is the same for the same seed, and another for another', async (t) => {
  const walk = (seed: number): readonly unknown[] =>
    new SyntheticSeries({ ...CONFIG, values: 'random', seed })
      .next(30, AT, 0)
      .map(({ value }) => value.value);
  t.same(walk(1), walk(1));
  t.notSame(walk(1), walk(2));
  t.equal(new Set(walk(1)).size, 30);
});

t.test('the rate is kept on the long run, and a source that was held back brings no flood', async (t) => {
  const rate = new SyntheticRate(33);
  let points = 0;
  for (let now = 0; now <= 10_000; now += 70) points += rate.due(now);
  t.ok(Math.abs(points - 329) <= 1, String(points));
  t.equal(rate.due(3_600_000), 33, 'a second of it at most');
});
