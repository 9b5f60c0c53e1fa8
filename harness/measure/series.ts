/** Counts over the run's time, kept as changes: a quiet hour costs nothing. */

/** Width of a lane's bin: 100 ms. */
export const BIN_MICROS = 100_000;

/** A step function: from bin `at[i]` on the count is `count[i]`. `at` is strictly increasing; before the first entry: 0. */
export type Steps = { readonly at: readonly number[]; readonly count: readonly number[] };

/** Sparse events per bin: `count[i]` of them fell into bin `at[i]`. `at` is strictly increasing, counts are above 0. */
export type Bars = { readonly at: readonly number[]; readonly count: readonly number[] };

const binOf = (t: number, widthMicros: number): number => Math.max(0, Math.floor(t / widthMicros));

/** Collects ups and downs in any order and answers with the level per bin. */
export class Level {
  readonly #deltas = new Map<number, number>();

  add(t: number, delta: number): void {
    const bin = binOf(t, BIN_MICROS);
    this.#deltas.set(bin, (this.#deltas.get(bin) ?? 0) + delta);
  }

  /** The level at the end of each bin. */
  steps(): Steps {
    const at: number[] = [];
    const count: number[] = [];
    let level = 0;
    for (const bin of [...this.#deltas.keys()].sort((a, b) => a - b)) {
      const delta = this.#deltas.get(bin) ?? 0;
      if (delta === 0) continue;
      level += delta;
      at.push(bin);
      count.push(level);
    }
    return { at, count };
  }
}

/** Counts events per bin of a given width (microseconds). */
export class Tally {
  readonly #counts = new Map<number, number>();
  readonly #widthMicros: number;

  constructor(widthMicros: number) {
    this.#widthMicros = widthMicros;
  }

  add(t: number): void {
    const bin = binOf(t, this.#widthMicros);
    this.#counts.set(bin, (this.#counts.get(bin) ?? 0) + 1);
  }

  bars(): Bars {
    const at = [...this.#counts.keys()].sort((a, b) => a - b);
    return { at, count: at.map((bin) => this.#counts.get(bin) ?? 0) };
  }
}

/** The count of a step function in one bin; 0 before its first change. */
export const levelAt = (steps: Steps, bin: number): number => {
  let low = 0;
  let high = steps.at.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps.at[middle] ?? 0) <= bin) low = middle + 1;
    else high = middle;
  }
  return steps.count[low - 1] ?? 0;
};

/** The largest count a step function reaches; 0 for an empty one. */
export const peakOf = (steps: Steps): number => steps.count.reduce((most, n) => Math.max(most, n), 0);
