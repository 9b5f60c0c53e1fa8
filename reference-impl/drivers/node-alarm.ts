import type { Millis } from '../machine/machine.ts';

/** The longest delay a Node timer takes; longer ones would fire at once. */
const DELAY_MILLIS_MAX = 2 ** 31 - 1;

/**
 * One timer that follows a deadline which moves often: a later deadline leaves it armed, and it looks again when it rings.
 * It rings within one timer tick (about 1 ms) after the deadline, never before it, and for one in the past on the next turn.
 */
export class NodeAlarm {
  readonly #clock: () => Millis;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #due: Millis | undefined;

  readonly #holds: boolean;

  /** @param holds the process stays alive while it is set */
  constructor(clock: () => Millis, ring: () => void, holds = true) {
    this.#clock = clock;
    this.#ring = ring;
    this.#holds = holds;
  }

  /** @param due undefined: nothing to wait for, and the process is not kept alive */
  set(due: Millis | undefined): void {
    this.#due = due;
    if (due === undefined) this.#disarm();
    else if (due < this.#armedFor) this.#arm(due);
  }

  #arm(due: Millis): void {
    clearTimeout(this.#timer);
    this.#armedFor = due;
    const delay = Math.min(Math.max(0, due - this.#clock()), DELAY_MILLIS_MAX);
    this.#timer = setTimeout(this.#look, delay);
    if (!this.#holds) this.#timer.unref();
  }

  #disarm(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const due = this.#due;
    if (due === undefined) return;
    if (due > this.#clock()) {
      this.#arm(due);
      return;
    }
    this.#due = undefined;
    this.#ring();
  };
}
