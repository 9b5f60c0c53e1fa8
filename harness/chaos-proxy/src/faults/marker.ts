/** The bytes a marker stands for: text as UTF-8, or `hex:` and pairs of digits. */
export const markerBytes = (marker: string): Uint8Array => {
  if (!marker.startsWith('hex:')) return new TextEncoder().encode(marker);
  const bytes = new Uint8Array((marker.length - 4) / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(marker.slice(4 + 2 * i, 6 + 2 * i), 16);
  return bytes;
};

/** Finds the end of a marker in a stream, also across the borders of chunks. Knuth, Morris and Pratt's automaton. */
export class MarkerScan {
  readonly #pattern: Uint8Array;
  readonly #fallback: Uint32Array;
  #matched = 0;
  #left: number;

  /** @param occurrence 1: the first */
  constructor(marker: string, occurrence: number) {
    this.#pattern = markerBytes(marker);
    this.#left = occurrence;
    this.#fallback = new Uint32Array(this.#pattern.length);
    for (let i = 1, k = 0; i < this.#pattern.length; i++) {
      while (k > 0 && this.#pattern[i] !== this.#pattern[k]) k = this.#fallback[k - 1] as number;
      if (this.#pattern[i] === this.#pattern[k]) k++;
      this.#fallback[i] = k;
    }
  }

  /** @returns how many of these bytes it takes to complete the wanted occurrence; undefined: it is not complete */
  find(bytes: Uint8Array): number | undefined {
    for (let i = 0; i < bytes.length; i++) {
      while (this.#matched > 0 && bytes[i] !== this.#pattern[this.#matched])
        this.#matched = this.#fallback[this.#matched - 1] as number;
      if (bytes[i] === this.#pattern[this.#matched]) this.#matched++;
      if (this.#matched < this.#pattern.length) continue;
      this.#matched = this.#fallback[this.#matched - 1] as number;
      if (--this.#left === 0) return i + 1;
    }
    return undefined;
  }
}
