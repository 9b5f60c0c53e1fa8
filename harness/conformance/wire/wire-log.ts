/** Everything that went over the wires of one case, in order, with a bound on what is kept. */
import { reading } from './reading.ts';

export type WireEvent = {
  /** Milliseconds since the case began. */
  readonly millis: number;
  /** The connection's name in the case: `control`, `user-3`. */
  readonly conn: string;
  /** `us`: the case did it, `target`: it came from there, `note`: the case says what it is about to do. */
  readonly from: 'us' | 'target' | 'note';
  /** `opened`, `fin`, `reset`, `refused`, the text of a note; or what the bytes read as. */
  readonly text: string;
  /** At most 64 bytes, lower-case hex; empty where no bytes went. */
  readonly hex: string;
  /** How many bytes went, those beyond `hex` included. */
  readonly bytes: number;
  /** The event that broke the clause. */
  readonly here: boolean;
};

const HEX_BYTES = 64;
const EVENTS_MAX = 400;

export class WireLog {
  readonly #began = performance.now();
  readonly #events: WireEvent[] = [];
  #leftOut = 0;

  note(text: string, conn = ''): void {
    this.#push({ conn, from: 'note', text, hex: '', bytes: 0 });
  }

  event(conn: string, from: 'us' | 'target', text: string): void {
    this.#push({ conn, from, text, hex: '', bytes: 0 });
  }

  bytes(conn: string, from: 'us' | 'target', bytes: Uint8Array): void {
    const shown = bytes.subarray(0, HEX_BYTES);
    const hex = Buffer.from(shown.buffer, shown.byteOffset, shown.length).toString('hex');
    this.#push({ conn, from, text: reading(shown), hex, bytes: bytes.length });
  }

  /** Marks the last event as the one that broke the clause. */
  markLast(): void {
    const last = this.#events.at(-1);
    if (last !== undefined) this.#events[this.#events.length - 1] = { ...last, here: true };
  }

  /** The first and the last half of what there was, and how much lies between. */
  get events(): readonly WireEvent[] {
    return this.#events;
  }

  #push(event: Omit<WireEvent, 'millis' | 'here'>): void {
    const millis = Math.round((performance.now() - this.#began) * 10) / 10;
    this.#events.push({ millis, here: false, ...event });
    if (this.#events.length <= EVENTS_MAX) return;
    // the beginning says what was asked, the end what came of it: the middle goes first
    const middle = EVENTS_MAX / 2;
    this.#leftOut += this.#leftOut === 0 ? 2 : 1;
    const text = `(${this.#leftOut} events left out)`;
    this.#events.splice(middle, 2, { millis, conn: '', from: 'note', text, hex: '', bytes: 0, here: false });
  }
}
