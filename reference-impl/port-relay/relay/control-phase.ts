import { latin1 } from '../../machine/lines.ts';
import type { Refusal, RelayMode } from './relay-report.ts';

/** What the bytes so far say. `rest`: bytes behind the last control line; they belong to the next phase. */
export type ControlStep =
  | { readonly type: 'more' }
  | { readonly type: 'register'; readonly mode: RelayMode; readonly rest: Uint8Array | undefined }
  | { readonly type: 'join'; readonly id: string; readonly rest: Uint8Array | undefined }
  | { readonly type: 'claim'; readonly id: string; readonly rest: Uint8Array | undefined }
  | { readonly type: 'refused'; readonly why: Refusal };

const MORE: ControlStep = Object.freeze({ type: 'more' });
const MODES = ['multiplex', 'pool', 'event'] as const;
const beginsMode = (word: string): boolean => {
  for (const mode of MODES) if (mode.startsWith(word)) return true;
  return false;
};
const behind = (bytes: Uint8Array, at: number): Uint8Array | undefined =>
  at + 1 === bytes.length ? undefined : bytes.subarray(at + 1);
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const TILDE = 126;

/**
 * The lines a client opens with: `multiplex`, or `pool`/`event` and then `new` or an id. Words are case-sensitive, spaces
 * around one are skipped, `\r\n` ends a line as `\n` does. What cannot become a valid line any more is refused with the
 * byte that shows it, so a TLS hello or an HTTP request needs no time limit. Source: port-relay page, "Framing of the
 * control phase".
 */
export class ControlPhase {
  readonly #lineBytesMax: number;
  /** Of the line under way: its word, how long it is, a space behind the word, a carriage return. */
  #word = '';
  #length = 0;
  #spaced = false;
  #returned = false;
  #mode: 'pool' | 'event' | undefined;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Takes the next bytes, cut anywhere. Not to be called again after another answer than `more`. */
  push(bytes: Uint8Array): ControlStep {
    for (let at = 0; at < bytes.length; at++) {
      const end = this.#wholeLine(bytes, at);
      if (end > at) {
        const step = this.#line(latin1(bytes, at, end), behind(bytes, end));
        if (step.type !== 'more') return step;
        at = end;
        continue;
      }
      const byte = bytes[at] as number;
      if (byte === NEWLINE) {
        const step = this.#line(this.#word, behind(bytes, at));
        if (step.type !== 'more') return step;
        continue;
      }
      const why = this.#take(byte);
      if (why !== undefined) return { type: 'refused', why };
    }
    return MORE;
  }

  /**
   * Clients' lines come whole and plain, as a rule: such a line is taken as one string instead of growing by its bytes, each with
   * a look at what it could become.
   * @returns where the newline is of a line that begins at `at` and has nothing in it but one word; else -1
   */
  #wholeLine(bytes: Uint8Array, at: number): number {
    if (this.#length > 0 || this.#returned) return -1;
    const last = Math.min(bytes.length - 1, at + this.#lineBytesMax);
    for (let i = at; i <= last; i++) {
      const byte = bytes[i] as number;
      if (byte === NEWLINE) return i;
      if (byte <= SPACE || byte > TILDE) return -1;
    }
    return -1;
  }

  #take(byte: number): Refusal | undefined {
    if (this.#returned) return 'malformed line';
    if (byte === RETURN) {
      this.#returned = true;
      return undefined;
    }
    if (byte < SPACE || byte > TILDE) return 'malformed line';
    if (this.#length === this.#lineBytesMax) return 'line too long';
    this.#length++;
    if (byte === SPACE) {
      this.#spaced ||= this.#word !== '';
      return undefined;
    }
    if (this.#spaced) return 'malformed line';
    this.#word += String.fromCharCode(byte);
    return this.#mode === undefined && !beginsMode(this.#word) ? 'unknown mode' : undefined;
  }

  #line(word: string, rest: Uint8Array | undefined): ControlStep {
    this.#word = '';
    this.#length = 0;
    this.#spaced = false;
    this.#returned = false;
    if (word === '') return { type: 'refused', why: 'malformed line' };
    if (this.#mode !== undefined) {
      if (word === 'new') return { type: 'register', mode: this.#mode, rest };
      return { type: this.#mode === 'pool' ? 'join' : 'claim', id: word, rest };
    }
    if (word === 'multiplex') return { type: 'register', mode: 'multiplex', rest };
    if (word !== 'pool' && word !== 'event') return { type: 'refused', why: 'unknown mode' };
    this.#mode = word;
    return MORE;
  }
}
