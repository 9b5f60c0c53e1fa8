import t from 'tap';
import { deviation, estimate, mean, median, quantile, ratio, trimmed } from './statistics.ts';

const CASES = [
  { name: 'one value is every quantile', values: [7], share: 0.99, is: 7 },
  { name: 'the median of an even number lies between', values: [4, 1, 3, 2], share: 0.5, is: 2.5 },
  {
    name: 'the 99th percentile of 0 to 100',
    values: Array.from({ length: 101 }, (_, i) => i),
    share: 0.99,
    is: 99,
  },
  { name: 'the ends are the least and the greatest', values: [3, 1, 2], share: 1, is: 3 },
] as const;
for (const { name, values, share, is } of CASES) {
  t.test(name, (t) => {
    t.equal(quantile(values, share), is);
    t.end();
  });
}

t.test('no values give no figure', (t) => {
  t.ok(Number.isNaN(median([])));
  t.ok(Number.isNaN(mean([])));
  t.ok(Number.isNaN(deviation([1])));
  t.match(estimate([]), { rounds: 0 });
  t.end();
});

t.test('deviation is that of a sample', (t) => {
  t.equal(deviation([2, 4, 4, 4, 5, 5, 7, 9]).toFixed(4), '2.1381');
  t.end();
});

/** Binomial tails by hand: 2 * P(X <= k) with p = 1/2 stays at or below 5 %. */
const TRIMMED = [
  [1, 0],
  [5, 0],
  [6, 0],
  [8, 0],
  [9, 1],
  [12, 2],
  [15, 3],
  [20, 5],
] as const;
for (const [rounds, outside] of TRIMMED) {
  t.test(`${rounds} rounds leave ${outside} out on each side`, (t) => {
    t.equal(trimmed(rounds), outside);
    t.end();
  });
}

t.test('one wild round of nine moves neither median nor interval', (t) => {
  const calm = estimate([10, 11, 12, 13, 14, 15, 16, 17, 18]);
  const wild = estimate([10, 11, 12, 13, 14, 15, 16, 17, 1e9]);
  t.strictSame(wild, calm);
  t.strictSame(calm, { value: 14, low: 11, high: 17, rounds: 9 });
  t.end();
});

t.test('a ratio is taken within its round', (t) => {
  const slowRounds = [1, 0.5, 0.1, 1, 0.2, 1];
  const found = ratio(
    slowRounds.map((share) => 300 * share),
    slowRounds.map((share) => 100 * share),
  );
  t.ok(Math.abs(found.low - 3) < 1e-9 && Math.abs(found.high - 3) < 1e-9);
  t.equal(found.rounds, 6);
  t.end();
});

t.test('rounds in which one of two failed do not count', (t) => {
  t.strictSame(ratio([2, Number.NaN, 4], [1, 1, Number.NaN]), { value: 2, low: 2, high: 2, rounds: 1 });
  t.end();
});
