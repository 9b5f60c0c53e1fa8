/** How much of what was sent on one connection still waits in our own buffers, by asking now and then (`flush`). */
export class Outlet {
  readonly #askBytes: number;
  #asked = 0;
  #since = 0;
  /** Questions without an answer yet. */
  #questions = 0;

  /** @param askBytes how much may wait before it is asked for */
  constructor(askBytes: number) {
    this.#askBytes = askBytes;
  }

  /** What may still wait: an upper bound. */
  get unsentBytes(): number {
    return this.#asked + this.#since;
  }

  get full(): boolean {
    return this.unsentBytes >= this.#askBytes;
  }

  /** Every question was answered. */
  get settled(): boolean {
    return this.#questions === 0;
  }

  /** @returns whether `flush` is to be asked for now */
  sent(bytes: number): boolean {
    this.#since += bytes;
    return this.#ask();
  }

  /** `flush` is asked for whatever waits: nothing more will be sent. */
  last(): void {
    this.#questions++;
  }

  /** An answer came. @returns whether `flush` is to be asked for again */
  flushed(): boolean {
    this.#questions--;
    this.#asked = 0;
    return this.#ask();
  }

  #ask(): boolean {
    if (this.#questions > 0 || this.#since < this.#askBytes) return false;
    this.#questions++;
    this.#asked = this.#since;
    this.#since = 0;
    return true;
  }
}
