/** How much of what was sent on one connection still waits in our own buffers, by asking now and then (`flush`). */
export class Outlet {
  readonly #askBytes: number;
  #asked = 0;
  #since = 0;
  #asking = false;

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

  /** @returns whether `flush` is to be asked for now */
  sent(bytes: number): boolean {
    this.#since += bytes;
    return this.#ask();
  }

  /** Everything up to the last question has left. @returns whether `flush` is to be asked for again */
  flushed(): boolean {
    this.#asked = 0;
    this.#asking = false;
    return this.#ask();
  }

  #ask(): boolean {
    if (this.#asking || this.#since < this.#askBytes) return false;
    this.#asking = true;
    this.#asked = this.#since;
    this.#since = 0;
    return true;
  }
}
