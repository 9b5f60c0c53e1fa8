import type { Millis } from '../../reference-impl/machine/machine.ts';

/**
 * Timers of many lengths: a binary heap by due time, equal ones in the order they were set. Nothing is cancelled; whoever
 * takes an alarm looks whether it still means something (a mapping in use pushes its idle alarm on once a period).
 */
export class Alarms<What> {
  readonly #heap: { readonly due: Millis; readonly order: number; readonly what: What }[] = [];
  #orders = 0;

  set(due: Millis, what: What): void {
    const heap = this.#heap;
    const alarm = { due, order: this.#orders++, what };
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.due <= due) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = alarm;
  }

  /** When the first one is due; undefined: none is set. */
  next(): Millis | undefined {
    return this.#heap[0]?.due;
  }

  /** Takes the first alarm that is due at `now`. */
  take(now: Millis): What | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.due > now) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first.what;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #sink(alarm: { readonly due: Millis; readonly order: number; readonly what: What }): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      let child = left;
      if (
        right !== undefined &&
        (right.due < left.due || (right.due === left.due && right.order < left.order))
      ) {
        child = right;
        below++;
      }
      if (alarm.due < child.due || (alarm.due === child.due && alarm.order < child.order)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = alarm;
  }
}
