/**
 * Chance without a sequence: every draw is a hash of what it is about (seed, fault, connection, direction, place in the
 * stream), so it comes out the same in whatever order and in whatever pieces things happen. Only 32-bit integer
 * arithmetic: equal on every engine. Not for secrets.
 */
const mix = (word: number): number => {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
};
const fold = (hash: number, word: number): number => mix(Math.imul(hash, 31) + mix(word + 0x9e3779b9));

/** The draws of one fault on one direction of one connection. */
export class KeyedStream {
  readonly #key: number;
  constructor(key: number) {
    this.#key = key;
  }

  /** A multiple of 2^-32 in [0, 1). `index`: the place, a whole number below 2^53; `draw`: tells several draws at one place apart. */
  unit(index: number, draw = 0): number {
    const high = Math.floor(index / 4294967296);
    return (fold(fold(fold(this.#key, index | 0), high), draw) >>> 0) / 4294967296;
  }

  /** A whole number in [0, n). */
  below(n: number, index: number, draw = 0): number {
    return Math.floor(this.unit(index, draw) * n);
  }

  /** About standard normal: the sum of four uniform draws, within +-3.47. No logarithm, so engines agree on every bit. */
  normal(index: number): number {
    const sum = this.unit(index, 0) + this.unit(index, 1) + this.unit(index, 2) + this.unit(index, 3);
    return (sum - 2) * Math.sqrt(3);
  }
}

/** The draws of the fault called `name` under a seed. @param seed 32 bits @param place connection ordinal, direction, ... */
export const keyedStream = (seed: number, name: string, ...place: readonly number[]): KeyedStream => {
  let hash = mix(seed | 0);
  for (let i = 0; i < name.length; i++) hash = fold(hash, name.charCodeAt(i));
  for (const word of place) hash = fold(hash, word);
  return new KeyedStream(hash);
};
