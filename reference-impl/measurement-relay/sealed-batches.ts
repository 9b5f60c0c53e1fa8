import type { SpoolLimits } from './spool.ts';

/** What a spool has to know of a batch that is sealed. */
export type Sealed = { readonly number: number; readonly points: number; readonly bytes: number };

/** Batches to drop: so many from a place on. */
export type Room<Batch> = {
  readonly batches: readonly Batch[];
  readonly points: number;
  readonly bytes: number;
};

/** How many forgotten batches the list may begin with before it is moved up. */
const FORGOTTEN_MAX = 1_024;

/** Sealed batches by their numbers, which only grow: found by halving, forgotten from the front without moving the rest. */
export class SealedBatches<Batch extends Sealed> {
  #batches: Batch[] = [];
  /** Those before it are forgotten. */
  #head = 0;
  points = 0;
  bytes = 0;

  get count(): number {
    return this.#batches.length - this.#head;
  }

  add(batch: Batch): void {
    this.#batches.push(batch);
    this.points += batch.points;
    this.bytes += batch.bytes;
  }

  /** The first of this number or a higher one. */
  from(number: number): Batch | undefined {
    return this.#batches[this.#place(number)];
  }

  /** Forgets those up to a number. @returns them */
  trim(through: number): readonly Batch[] {
    return this.#cut(this.#head, this.#place(through + 1) - this.#head);
  }

  /**
   * Which batches must go to make room: the oldest that are not on their way.
   * @param overBytes by how much a limit would be exceeded; 0 or less: not at all
   * @returns undefined: no room is to be had
   */
  room(overBytes: number, whenFull: SpoolLimits['whenFull'], sentThrough: number): Room<Batch> | undefined {
    if (overBytes <= 0) return { batches: [], points: 0, bytes: 0 };
    if (whenFull === 'refuse') return undefined;
    const first = this.#place(sentThrough + 1);
    let [points, bytes] = [0, 0];
    for (let at = first; at < this.#batches.length; at++) {
      const batch = this.#batches[at] as Batch;
      points += batch.points;
      bytes += batch.bytes;
      if (bytes >= overBytes) return { batches: this.#batches.slice(first, at + 1), points, bytes };
    }
    return undefined;
  }

  /** Does it. */
  makeRoom({ batches: [first, ...more] }: Room<Batch>): void {
    if (first !== undefined) this.#cut(this.#place(first.number), 1 + more.length);
  }

  /** Index of the first of this number or a higher one. */
  #place(number: number): number {
    let [low, high] = [this.#head, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle] as Batch).number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #cut(from: number, count: number): readonly Batch[] {
    if (count <= 0) return [];
    const gone = this.#batches.slice(from, from + count);
    for (const { points, bytes } of gone) {
      this.points -= points;
      this.bytes -= bytes;
    }
    if (from === this.#head) this.#head += count;
    else this.#batches.splice(from, count);
    if (this.#head > FORGOTTEN_MAX && this.#head * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
    return gone;
  }
}
