import fc from 'fast-check';
import t from 'tap';
import { Buckets } from './queue.ts';

/** The oracle: a binary heap of (time, order of pushing), as every textbook has it. */
class OrderedHeap {
  readonly #items: { readonly at: number; readonly order: number; readonly event: number }[] = [];
  #pushed = 0;

  get size(): number {
    return this.#items.length;
  }

  get first(): number | undefined {
    return this.#items[0]?.at;
  }

  push(at: number, event: number): void {
    this.#items.push({ at, order: this.#pushed++, event });
    for (let i = this.#items.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  pop(): { readonly at: number; readonly event: number } {
    const items = this.#items;
    this.#swap(0, items.length - 1);
    const top = items.pop() as { at: number; order: number; event: number };
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < items.length && this.#before(child, least)) least = child;
      if (least === i) return top;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#items[a], this.#items[b]];
    if (x === undefined || y === undefined) return false;
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    [items[a], items[b]] = [items[b] as (typeof items)[0], items[a] as (typeof items)[0]];
  }
}

type Step = { readonly do: 'push'; readonly delay: number } | { readonly do: 'pop' | 'advance' };

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), delay: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('push' as const), delay: fc.nat(1_000_000) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('pop' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('advance' as const) }) },
  ),
  { maxLength: 300 },
);

t.test('events leave as they do from a binary heap with order numbers', async (t) => {
  const seed = 20_261_121;
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(steps, (list: readonly Step[]) => {
      const queue = new Buckets();
      const heap = new OrderedHeap();
      list.forEach((step, event) => {
        if (step.do === 'push') {
          queue.push(queue.now + step.delay, event);
          heap.push(queue.now + step.delay, event);
        } else if (step.do === 'advance') {
          const first = heap.first;
          const to = first === undefined ? queue.now + 3 : first - 1;
          const before = queue.now;
          queue.advance(to);
          if (queue.now !== Math.max(before, to)) throw new Error(`advanced to ${queue.now}, not ${to}`);
        } else if (heap.size > 0) {
          const want = heap.pop();
          const got = queue.pop();
          if (got !== want.event || queue.now !== want.at)
            throw new Error(`got ${got} at ${queue.now}, want ${want.event} at ${want.at}`);
        }
        if (queue.size !== heap.size || queue.nextTime() !== heap.first)
          throw new Error('sizes or next times differ');
      });
    }),
    { seed, numRuns: 500 },
  );
  t.pass('500 runs');
});

t.test('an event of the present, pushed while the present is served, is served in it', async (t) => {
  const queue = new Buckets();
  queue.push(5, 1);
  queue.push(5, 2);
  t.equal(queue.pop(), 1);
  queue.push(5, 3);
  t.equal(queue.pop(), 2);
  t.equal(queue.pop(), 3);
  t.equal(queue.now, 5);
  t.equal(queue.size, 0);
});

t.test('an event before now is refused', async (t) => {
  const queue = new Buckets();
  queue.push(5, 1);
  queue.pop();
  t.throws(() => queue.push(4, 2), RangeError);
  t.throws(() => queue.push(Number.NaN, 2), RangeError);
});

t.test('the clock does not advance past an event that waits, nor back', async (t) => {
  const queue = new Buckets();
  queue.push(5, 1);
  queue.advance(5);
  t.equal(queue.now, 0);
  queue.advance(4);
  t.equal(queue.now, 4);
  queue.advance(2);
  t.equal(queue.now, 4);
  t.equal(queue.pop(), 1);
});
