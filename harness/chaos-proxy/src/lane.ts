import type { Acting } from './faults/fault.ts';
import type { Conn, NetOutput } from './machine.ts';
import type { Pipe } from './pipe.ts';

/** At least and at most this much is held for one direction of one connection before its source is paused. */
export const HELD_BYTES_MIN = 64 * 1024;
export const HELD_BYTES_MAX = 1024 * 1024;
const SLACK_MILLIS = 20;
const ASK_BYTES = 32 * 1024;

/** What one direction may hold: 20 ms of the rate plus what the latency keeps on the way. */
export const heldBytesMax = (actings: readonly Acting[]): number => {
  let latency = SLACK_MILLIS;
  let rate = Number.POSITIVE_INFINITY;
  for (const acting of actings) {
    latency += acting.latencyMillis ?? 0;
    rate = Math.min(rate, acting.bytesPerSecond ?? Number.POSITIVE_INFINITY);
  }
  return Math.round(Math.min(HELD_BYTES_MAX, Math.max(HELD_BYTES_MIN, (rate / 1000) * latency)));
};

type Out = (output: NetOutput<never>) => void;

/** A pipe between two ends, with back-pressure: the source is paused while too much is held or not yet taken by the sink. */
export class Lane {
  readonly pipe: Pipe;
  readonly source: Conn;
  readonly sink: Conn;
  readonly #out: Out;
  #unflushed = 0;
  #asked = 0;
  #paused = false;
  limitBytes = HELD_BYTES_MAX;
  /** The sink is connected. */
  open = false;
  /** FIN was sent to the sink. */
  endSent = false;
  /** When its next release is on the agenda. */
  armedAt = Number.POSITIVE_INFINITY;

  constructor(pipe: Pipe, source: Conn, sink: Conn, out: Out) {
    this.pipe = pipe;
    this.source = source;
    this.sink = sink;
    this.#out = out;
  }

  get idle(): boolean {
    return this.pipe.empty && !this.pipe.ended && !this.endSent;
  }

  send(bytes: Uint8Array): void {
    if (this.endSent) return;
    this.#unflushed += bytes.length;
    this.#out({ type: 'send', conn: this.sink, bytes });
  }

  end(): void {
    if (this.endSent) return;
    this.endSent = true;
    this.#out({ type: 'end', conn: this.sink });
    // Nothing may be asked of a finished half; what the source may still say is dropped, so it need not be held back.
    this.#unflushed = 0;
    this.#asked = 0;
    this.resume();
  }

  /** Asks for `flushed` whatever there is to flush. @returns false: everything has left already */
  ask(): boolean {
    if (this.#unflushed === 0) return false;
    if (this.#asked === 0) {
      this.#asked = this.#unflushed;
      this.#out({ type: 'flush', conn: this.sink });
    }
    return true;
  }

  /** @returns true: nothing is under way to the sink any more */
  flushed(): boolean {
    this.#unflushed -= this.#asked;
    this.#asked = 0;
    return this.#unflushed === 0;
  }

  /** Holds the source back or lets it go on, as the bound wants. */
  balance(): void {
    if (this.endSent) return;
    if (this.#unflushed >= ASK_BYTES) this.ask();
    const weight = this.pipe.held + this.#unflushed;
    if (!this.#paused && weight > this.limitBytes) {
      this.#paused = true;
      this.#out({ type: 'pause', conn: this.source });
    } else if (this.#paused && weight <= this.limitBytes / 2) this.resume();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#out({ type: 'resume', conn: this.source });
  }
}
