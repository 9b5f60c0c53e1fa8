import t from 'tap';
import { type Rng, rngFor } from '../../../reference-impl/machine/rng.ts';
import { estimate } from '../statistics.ts';
import { estimateOverStarts, ratioOverStarts } from './over-starts.ts';

/** Spread as noise is: the sum of twelve even draws. */
const noise = (rng: Rng): number => {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += rng.unit();
  return sum;
};

type Nature = { readonly starts: number; readonly rounds: number; readonly between: number };
const WITHIN = 0.08;

/** Rounds around 1, of starts that differ. */
const drawn = ({ starts, rounds, between }: Nature, rng: Rng): readonly number[] =>
  Array.from({ length: starts }, () => 1 + between * noise(rng)).flatMap((start) =>
    Array.from({ length: rounds }, () => start + WITHIN * noise(rng)),
  );

/** How often an interval holds what the rounds were drawn around. */
const coverage = (nature: Nature, plain = false): number => {
  const rng = rngFor(5, 'coverage');
  const trials = 100;
  let held = 0;
  for (let i = 0; i < trials; i++) {
    const values = drawn(nature, rng);
    const { low, high } = plain ? estimate(values) : estimateOverStarts(values, nature.starts);
    if (low <= 1 && 1 <= high) held++;
  }
  return held / trials;
};

t.test(
  'where starts differ as rounds do, an interval over starts holds the truth, one over rounds does not',
  async (t) => {
    const three = { starts: 3, rounds: 4, between: 0.08 };
    t.ok(coverage(three) > 0.85, 'three starts');
    t.ok(coverage({ ...three, between: 0 }) > 0.93, 'where they do not differ');
    const many = { starts: 3, rounds: 20, between: 0.08 };
    t.ok(coverage(many) > coverage(many, true) + 0.2, 'more rounds make up for no start');
    t.ok(coverage({ starts: 1, rounds: 13, between: 0.08 }, true) < 0.7, 'one start');
  },
);

t.test('the figure is the median of all rounds, and the same rounds give the same interval', async (t) => {
  const values = [5, 5.2, 5.1, 6, 6.1, 6.3, 5.5, 5.4, 5.6];
  const found = estimateOverStarts(values, 3);
  t.match(found, { value: 5.5, rounds: 9 });
  t.strictSame(estimateOverStarts(values, 3), found);
  t.ok(found.low < 5.2 && found.high > 6, 'from the least start to the greatest');
});

t.test('rounds that agree, whatever their start, leave no doubt', async (t) => {
  t.strictSame(estimateOverStarts(new Array(12).fill(3), 3), { value: 3, low: 3, high: 3, rounds: 12 });
});

t.test('starts that disagree leave a wide interval, however well each is known', async (t) => {
  const values = [1, 2].flatMap((middle) => Array.from({ length: 50 }, (_, i) => middle + i / 1000));
  const { low, high } = estimateOverStarts(values, 2);
  t.ok(low < 1 && high > 2);
  t.ok(low > 0.7 && high < 2.3, 'but not wider than what two starts can mean');
});

t.test('of one start there is only what its rounds say, of none nothing', async (t) => {
  const values = [4, 1, 3, 2, 5, 9, 7];
  t.strictSame(estimateOverStarts(values, 1), estimate(values));
  t.match(estimateOverStarts([], 3), { rounds: 0 });
  t.match(estimateOverStarts([2], 3), { value: 2, low: 2, high: 2, rounds: 1 });
});

t.test('a ratio is taken within its round; rounds without both do not count', async (t) => {
  const slow = [1, 0.5, 0.1, 1, 0.2, 1];
  const found = ratioOverStarts(
    slow.map((share) => 300 * share),
    slow.map((share) => 100 * share),
    2,
  );
  t.match([found.low.toFixed(9), found.high.toFixed(9), found.rounds], ['3.000000000', '3.000000000', 6]);
  t.match(ratioOverStarts([2, null, 4, 6], [1, 1, null, 3], 2), { value: 2, rounds: 2 });
});
