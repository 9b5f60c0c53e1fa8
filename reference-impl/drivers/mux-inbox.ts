import type { NetInput } from '../machine/machine.ts';
import { Fifo } from './fifo.ts';
import type { MuxStream } from './mux-stream.ts';

/** The inputs of a session and its streams, handed out in order for each connection and fairly among them. */
export class MuxInbox {
  /** One turn for each input that waits; the turn of a paused stream is void and given again by `resume`. */
  readonly #turns = new Fifo<MuxStream | undefined>();
  /** Inputs about the session itself; their turn is `undefined`. */
  readonly #own = new Fifo<NetInput>();

  get pending(): boolean {
    return this.#turns.length > 0;
  }

  push(stream: MuxStream, input: NetInput): void {
    stream.put(input);
    if (!stream.paused) this.#turns.push(stream);
  }

  /** Ahead of the stream's other inputs: an answer about sending waits for no reader. */
  answerFlush(stream: MuxStream): void {
    stream.answers++;
    this.#turns.push(stream);
  }

  /** For the session itself. */
  pushOwn(input: NetInput): void {
    this.#own.push(input);
    this.#turns.push(undefined);
  }

  resume(stream: MuxStream): void {
    if (!stream.paused) return;
    stream.resume();
    // a turn of before the pause may still be there: more turns than inputs do no harm, a missing one would
    for (let i = stream.inbox.length; i > 0; i--) this.#turns.push(stream);
  }

  next(): NetInput | undefined {
    while (this.#turns.length > 0) {
      const stream = this.#turns.shift();
      const input = stream === undefined ? this.#own.shift() : stream.take();
      if (input?.type === 'ended' && stream !== undefined) stream.peerEnded = true;
      if (input !== undefined) return input;
    }
    return undefined;
  }
}
