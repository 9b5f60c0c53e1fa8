/**
 * Seeded randomness that is the same on every engine: sfc32, 128 bits of state kept as int32, only `| 0`, shifts and
 * Math.imul. Not for secrets: ids of a real relay come from node:crypto.
 */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
    for (let i = 0; i < 12; i++) this.int32();
  }
  /** 32 random bits as a signed whole number. */
  int32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t;
  }
  /** A multiple of 2^-32 in [0, 1). */
  unit(): number {
    return (this.int32() >>> 0) / 4294967296;
  }
  /** A whole number in [0, n), n <= 2^21 exact. */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }
  /** A whole number in [low, high], both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
}

const mix = (word: number): number => {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
};

/** One stream per component: the seed and the component's *name* decide it, never the order of creation. */
export const rngFor = (seed: number, name: string): Rng => {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return new Rng(mix(h ^ seed), mix(h + 0x9e3779b9), mix(seed ^ 0x7f4a7c15), h);
};
