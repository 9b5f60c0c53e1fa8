/** Exact counts of what the clients of a large world say, all of them: lines are written for a few of its hosts only. */
import type { Happening } from '../../trace/trace.ts';

type Type = Happening['type'];
/** A client as the census knows it: whether it has a port at the relay. */
export type Counted = { up: boolean };

/** One row for each kind of event of each second, in the order of their names. */
export class Census {
  #counts = new Map<string, { n: number }>();
  #second = 0;

  /** A client said something; it may have found its port or lost it with this. */
  heard(type: Type, counted: Counted): void {
    this.#add(type);
    const up = type === 'client.registered';
    if (up ? counted.up : !(counted.up && LEAVES.has(type))) return;
    counted.up = up;
    this.#add(up ? 'client.up' : 'client.down');
  }

  /** The rows of all seconds that are over at `now`; at the end of the run (`last`) of the one under way as well. */
  *rows(nowMillis: number, last: boolean): Generator<Extract<Happening, { readonly type: 'total.second' }>> {
    if (!last && nowMillis < (this.#second + 1) * 1_000) return;
    const counts = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [event, { n: count }] of counts)
      yield { type: 'total.second', event, second: this.#second, count };
    this.#counts = new Map();
    this.#second = Math.floor(nowMillis / 1_000);
  }

  #add(event: string): void {
    const count = this.#counts.get(event);
    if (count === undefined) this.#counts.set(event, { n: 1 });
    else count.n++;
  }
}

/** With which words a client that was registered is so no more. */
const LEAVES: ReadonlySet<Type> = new Set(['client.lost', 'client.stopped', 'client.gaveUp']);
