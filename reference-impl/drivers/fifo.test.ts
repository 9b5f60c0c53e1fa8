import t from 'tap';
import { Fifo } from './fifo.ts';

t.test('first in, first out over any mix of pushes and shifts', async (t) => {
  const fifo = new Fifo<number>();
  let pushed = 0;
  let shifted = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 37; i++) fifo.push(pushed++);
    for (let i = 0; i < (round % 3) * 30; i++) {
      const item = fifo.shift();
      if (item === undefined) t.equal(shifted, pushed);
      else if (item !== shifted++) t.fail(`${item} instead of ${shifted - 1}`);
    }
  }
  t.equal(fifo.length, pushed - shifted);
  t.ok(shifted > 5_000, 'far beyond where dead items are cut off');
  fifo.clear();
  t.same([fifo.length, fifo.shift()], [0, undefined]);
});
