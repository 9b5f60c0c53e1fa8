import { U32_MAX } from './frame.ts';
import type { StreamId } from './vocabulary.ts';

/** Ids of our parity, each given out once. */
export class StreamIds {
  #next: number;
  readonly #promised = new Set<StreamId>();

  constructor(role: 'client' | 'server') {
    this.#next = role === 'client' ? 1 : 2;
  }

  /** Ids given out and not opened yet. */
  get promised(): number {
    return this.#promised.size;
  }

  isPromised(id: StreamId): boolean {
    return this.#promised.has(id);
  }

  /** @param live whether an id is in use: a peer in our own role may have opened one of ours @returns undefined: used up */
  next(live: (id: StreamId) => boolean): StreamId | undefined {
    while (live(this.#next)) this.#next += 2;
    if (this.#next > U32_MAX) return undefined;
    const id = this.#next;
    this.#next += 2;
    this.#promised.add(id);
    return id;
  }

  /** @returns false: this id was not promised, or has been opened */
  open(id: StreamId): boolean {
    return this.#promised.delete(id);
  }
}
