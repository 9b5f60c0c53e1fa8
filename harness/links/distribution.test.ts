import t from 'tap';
import { expectedDelays, median, spread } from './distribution.ts';

t.test('the middle and the width follow the declared shape', async (t) => {
  const near = (got: number, wanted: number, by: number): boolean => Math.abs(got - wanted) <= by;
  for (const [fault, middle, width] of [
    [{ kind: 'latency', ms: 60, jitter: 25 }, 60, 35],
    [{ kind: 'latency', ms: 60, jitter: 10, dist: 'normal' }, 60, 21.2],
    [{ kind: 'latency', ms: 60, jitter: 10, dist: 'normal', correlation: 0.8 }, 60, 12.7],
    [{ kind: 'latency', ms: 60, jitter: 10, dist: 'pareto' }, 64.1, 11.8],
    [{ kind: 'latency', ms: 60 }, 60, 0],
  ] as const) {
    const expected = expectedDelays(fault, 100);
    t.ok(near(expected.median, middle, 0.6), `${JSON.stringify(fault)}: median ${expected.median}`);
    t.ok(near(expected.spread, width, 0.8), `${JSON.stringify(fault)}: spread ${expected.spread}`);
  }
});

t.test('delays do not go below zero, and larger samples err less', async (t) => {
  const cut = expectedDelays({ kind: 'latency', ms: 1, jitter: 50 }, 50);
  t.ok(cut.median < 5);
  const [small, large] = [20, 200].map((size) =>
    expectedDelays({ kind: 'latency', ms: 60, jitter: 25 }, size),
  );
  t.ok((small?.medianError ?? 0) > 2 * (large?.medianError ?? 0));
});

t.test('no values have no middle', async (t) => {
  t.ok(Number.isNaN(median([])));
  t.ok(Number.isNaN(spread([])));
  t.equal(median([3, 1, 2]), 2);
});
