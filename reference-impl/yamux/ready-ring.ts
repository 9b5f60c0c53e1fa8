import type { Stream } from './stream.ts';

/** The streams that could send now, in the order in which their turn comes. Linked through the streams: every step is O(1). */
export class ReadyRing {
  #first: Stream | undefined;
  #last: Stream | undefined;

  get empty(): boolean {
    return this.#first === undefined;
  }

  get first(): Stream | undefined {
    return this.#first;
  }

  /** Puts the stream at the end, unless it waits already. */
  add(stream: Stream): void {
    if (stream.before !== undefined || this.#first === stream) return;
    stream.before = this.#last;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.after = stream;
    this.#last = stream;
  }

  /** Takes the stream out, if it waits. */
  remove(stream: Stream): void {
    if (stream.before === undefined && this.#first !== stream) return;
    if (stream.before === undefined) this.#first = stream.after;
    else stream.before.after = stream.after;
    if (stream.after === undefined) this.#last = stream.before;
    else stream.after.before = stream.before;
    stream.before = undefined;
    stream.after = undefined;
  }
}
