/**
 * Deadlines of many keys that move later all the time: a heap in which a key stands at the time it was last looked at, and is
 * looked at again when that comes. A deadline that has become earlier must be said by `look`.
 */
import type { Millis } from '../machine/machine.ts';

type Entry<Key> = { readonly key: Key; readonly at: Millis };

export class Agenda<Key> {
  readonly #deadlineOf: (key: Key) => Millis | undefined;
  readonly #heap: Entry<Key>[] = [];
  /** Where each key stands first: later entries of it are stale. */
  readonly #first = new Map<Key, Millis>();

  /** @param deadlineOf asked again and again; undefined: nothing to wait for (or gone) */
  constructor(deadlineOf: (key: Key) => Millis | undefined) {
    this.#deadlineOf = deadlineOf;
  }

  /** When to ask for `due`, at the latest: never later than the first deadline. */
  next(): Millis | undefined {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      const stands = this.#first.get(top.key) === top.at;
      if (stands && this.#deadlineOf(top.key) !== undefined) return top.at;
      this.#pop();
      if (stands) this.#first.delete(top.key);
    }
    return undefined;
  }

  /** A key is new, or waits for something earlier than before. */
  look(key: Key): void {
    const at = this.#deadlineOf(key);
    const before = this.#first.get(key);
    if (at === undefined || (before !== undefined && before <= at)) return;
    this.#first.set(key, at);
    this.#push({ key, at });
  }

  /** A key whose deadline has come, or undefined. To be asked until it is undefined: each key comes again as long as it is due. */
  due(now: Millis): Key | undefined {
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#pop();
      if (this.#first.get(top.key) !== top.at) continue;
      this.#first.delete(top.key);
      const at = this.#deadlineOf(top.key);
      if (at === undefined) continue;
      if (at <= now) return top.key;
      this.look(top.key);
    }
    return undefined;
  }

  #push(entry: Entry<Key>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry<Key>;
      if (above.at <= entry.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry<Key>;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Entry<Key>).at < (heap[child] as Entry<Key>).at)
        child++;
      const below = heap[child] as Entry<Key>;
      if (below.at >= last.at) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
