import t from 'tap';
import { keyedStream } from './keyed-random.ts';

t.test('a draw depends on its key alone, and on every part of it', (t) => {
  const draw = keyedStream(1, 'latency', 0, 1).unit(5, 0);
  t.equal(keyedStream(1, 'latency', 0, 1).unit(5, 0), draw);
  const others = [
    keyedStream(2, 'latency', 0, 1).unit(5, 0),
    keyedStream(1, 'latency-2', 0, 1).unit(5, 0),
    keyedStream(1, 'latency', 1, 1).unit(5, 0),
    keyedStream(1, 'latency', 0, 2).unit(5, 0),
    keyedStream(1, 'latency', 0, 1).unit(6, 0),
    keyedStream(1, 'latency', 0, 1).unit(5, 1),
    keyedStream(1, 'latency', 0, 1).unit(5 + 2 ** 32, 0),
  ];
  t.equal(new Set([draw, ...others]).size, others.length + 1);
  t.end();
});

t.test('draws at neighbouring places are even and unrelated', (t) => {
  const stream = keyedStream(7, 'x', 0, 1);
  const n = 20_000;
  const buckets = new Array<number>(16).fill(0);
  let product = 0;
  for (let i = 0; i < n; i++) {
    const bucket = Math.floor(stream.unit(i) * 16);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    product += (stream.unit(i) - 0.5) * (stream.unit(i + 1) - 0.5);
  }
  const chi2 = buckets.reduce((sum, count) => sum + (count - n / 16) ** 2 / (n / 16), 0);
  t.ok(chi2 < 37.7, `chi-squared ${chi2.toFixed(1)} (99.9 % point of 15 degrees: 37.7)`);
  t.ok(Math.abs((product / n) * 12) < 0.03, 'serial correlation near 0');
  t.end();
});

t.test('normal draws have mean 0 and deviation 1', (t) => {
  const stream = keyedStream(7, 'x', 0, 1);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 10_000; i++) {
    const draw = stream.normal(i);
    sum += draw;
    squares += draw * draw;
  }
  t.ok(Math.abs(sum / 10_000) < 0.04);
  t.ok(Math.abs(squares / 10_000 - 1) < 0.05);
  t.end();
});

t.test('draws are the same on every engine', (t) => {
  const stream = keyedStream(0x1f3a9c02, 'latency', 1, 3);
  t.same(
    [0, 1, 1460].map((index) => Math.floor(stream.unit(index) * 2 ** 32)),
    [2558808409, 1628256980, 992803493],
  );
  t.end();
});
