import type { Millis } from '../machine/machine.ts';

/** Lists no longer than this are kept for reuse, and at most this many of them: a storm must not leave its memory behind. */
const SPARE_LENGTH_MAX = 4096;
const SPARES_MAX = 64;

/**
 * The event queue of the simulator: one list per millisecond and a heap of the distinct milliseconds. Events of one instant
 * leave in the order they were pushed, by construction, so no event carries an order number. An event is one whole number
 * (what it means is the caller's). Measured against heaps and a timing wheel: as fast as the wheel in the whole simulator.
 */
export class Buckets {
  #now: Millis = 0;
  #size = 0;
  readonly #lists = new Map<Millis, number[]>();
  readonly #times: Millis[] = [];
  #current: number[] = [];
  #next = 0;
  readonly #spares: number[][] = [];

  /** The time of the event popped last, or what `advance` set. */
  get now(): Millis {
    return this.#now;
  }

  /** How many events wait. */
  get size(): number {
    return this.#size;
  }

  /** @param at whole milliseconds, not before `now` */
  push(at: Millis, event: number): void {
    this.#size++;
    if (at === this.#now) {
      this.#current.push(event);
      return;
    }
    if (!(at > this.#now)) throw new RangeError(`event at ${at} ms, but it is ${this.#now} ms already`);
    let list = this.#lists.get(at);
    if (list === undefined) {
      list = this.#spares.pop() ?? [];
      this.#lists.set(at, list);
      this.#pushTime(at);
    }
    list.push(event);
  }

  /** When the next event is due; undefined when none waits. */
  nextTime(): Millis | undefined {
    return this.#next < this.#current.length ? this.#now : this.#times[0];
  }

  /** Takes the first event and moves `now` to its time. There must be one (`size`). */
  pop(): number {
    if (this.#next === this.#current.length) {
      const at = this.#popTime();
      this.#turnTo(at, this.#lists.get(at) as number[]);
      this.#lists.delete(at);
    }
    this.#size--;
    return this.#current[this.#next++] as number;
  }

  /** Moves `now` forward to a time before the next event. */
  advance(to: Millis): void {
    const next = this.nextTime();
    if (to <= this.#now || (next !== undefined && next <= to)) return;
    this.#turnTo(to, this.#spares.pop() ?? []);
  }

  #turnTo(at: Millis, list: number[]): void {
    const done = this.#current;
    if (done.length <= SPARE_LENGTH_MAX && this.#spares.length < SPARES_MAX) {
      done.length = 0;
      this.#spares.push(done);
    }
    this.#now = at;
    this.#current = list;
    this.#next = 0;
  }

  #pushTime(at: Millis): void {
    const heap = this.#times;
    let i = heap.length;
    heap.push(at);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Millis;
      if (above <= at) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = at;
  }

  #popTime(): Millis {
    const heap = this.#times;
    const top = heap[0] as Millis;
    const last = heap.pop() as Millis;
    const length = heap.length;
    if (length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && (heap[child + 1] as Millis) < (heap[child] as Millis)) child++;
      const below = heap[child] as Millis;
      if (below >= last) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
