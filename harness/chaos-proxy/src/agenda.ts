import type { Millis } from './machine.ts';

type Entry = { readonly at: Millis; readonly rank: number; readonly order: number; readonly run: () => void };

/** Things to do at a time, earliest first, ties by rank and then in the order they were put down. A binary heap. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #order = 0;

  /** @param at never earlier than the present; Infinity is ignored @param rank of two at one time, the lower goes first */
  at(at: Millis, run: () => void, rank = 0): void {
    if (at === Infinity) return;
    const heap = this.#heap;
    const entry = { at, rank, order: this.#order++, run };
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = entry;
  }

  next(): Millis | undefined {
    return this.#heap[0]?.at;
  }

  /** Does what is due by `now`, also what that puts down for `now`. */
  run(now: Millis): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#take();
      first.run();
    }
  }

  #take(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, last)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
  }
}

const before = (a: Entry, b: Entry): boolean =>
  a.at !== b.at ? a.at < b.at : a.rank !== b.rank ? a.rank < b.rank : a.order < b.order;
