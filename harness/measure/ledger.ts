/** Reads one direction of a tunnel as it arrives and names every byte that is not the one that belongs there. */
import { type Direction, joined, locate, type Position, payload } from './payload.ts';

/** A stretch that is wrong. `lost`: `length` bytes are missing before `offset`; the others stand at `offset` and belong to `from`. */
export type Span = {
  readonly offset: number;
  readonly length: number;
  readonly state: 'lost' | 'repeated' | 'reordered' | 'foreign';
  readonly from: string;
  readonly hex: string;
};

/** Enough to read a position at any alignment (7 + 16 bytes) and a little more. */
const LOOK_BYTES = 32;
/** Two words, from which a position is read. */
const WORDS_BYTES = 16;
/** After this many spans a direction is beyond repair: the rest is one foreign span. */
const SPANS_MAX = 64;

export class Ledger {
  readonly #tunnel: number;
  readonly #direction: Direction;
  /** Bytes received, good or bad. */
  received = 0;
  /** Bytes received that stood where they belong. */
  intact = 0;
  /** Offset in the sender's numbering of the next byte expected. */
  #next: number;
  #spans = 0;
  #lost: { readonly from: number; readonly to: number }[] = [];
  /** Bytes not yet judged: a wrong byte was seen and more is needed to read where it came from. */
  #held: Uint8Array | undefined;
  /** The wrong stretch under way: it is told when it is over, however many pieces it came in. */
  #open: Span | undefined;

  /** @param offset where the payload starts (after a request: REQUEST_BYTES) */
  constructor(tunnel: number, direction: Direction, offset: number) {
    this.#tunnel = tunnel;
    this.#direction = direction;
    this.#next = offset;
  }

  /** How far the sender's bytes are accounted for: everything before is intact or named in a span. */
  get offset(): number {
    return this.#next;
  }

  push(chunk: Uint8Array): readonly Span[] {
    this.received += chunk.length;
    const bytes = this.#held === undefined ? chunk : joined(this.#held, chunk);
    this.#held = undefined;
    return this.#read(bytes, false);
  }

  /** No more bytes will come: judges what was held back. What never came is the caller's to say: it knows what was sent. */
  finish(): readonly Span[] {
    const held = this.#held;
    this.#held = undefined;
    const spans = held === undefined ? [] : this.#read(held, true);
    this.#close(spans);
    return spans;
  }

  #read(bytes: Uint8Array, last: boolean): Span[] {
    const spans: Span[] = [];
    let at = 0;
    while (at < bytes.length) {
      const good = this.#matching(bytes, at);
      if (good > 0) this.#close(spans);
      at += good;
      this.#next += good;
      this.intact += good;
      if (at === bytes.length) break;
      if (!last && bytes.length - at < LOOK_BYTES && this.#spans < SPANS_MAX) {
        this.#held = bytes.slice(at);
        break;
      }
      const [span, used] = this.#explain(bytes, at, last);
      this.#note(span, spans);
      at += used;
    }
    return spans;
  }

  #note(span: Span, spans: Span[]): void {
    const open = this.#open;
    if (open !== undefined && open.state === span.state && open.offset === span.offset) {
      this.#open = { ...open, length: open.length + span.length };
      return;
    }
    this.#close(spans);
    this.#open = span;
  }

  #close(spans: Span[]): void {
    if (this.#open !== undefined && ++this.#spans <= SPANS_MAX) spans.push(this.#open);
    this.#open = undefined;
  }

  /** How many bytes from `at` on are the expected ones. */
  #matching(bytes: Uint8Array, at: number): number {
    const length = bytes.length - at;
    const expected = payload(this.#tunnel, this.#direction, this.#next, length);
    if (Buffer.compare(expected, bytes.subarray(at)) === 0) return length;
    let good = 0;
    while (good < length && expected[good] === bytes[at + good]) good++;
    return good;
  }

  /** Names what stands at `at` instead of the expected byte. @returns the span and how many bytes it used up */
  #explain(bytes: Uint8Array, at: number, last: boolean): readonly [Span, number] {
    const hex = Buffer.from(bytes.subarray(at, at + 64)).toString('hex');
    const offset = this.#next;
    const found = locate(bytes, at);
    if (found !== undefined && this.#ours(bytes, at, found)) {
      if (found.offset > offset) {
        this.#lost.push({ from: offset, to: found.offset });
        this.#next = found.offset;
        return [{ offset, length: found.offset - offset, state: 'lost', from: '', hex }, 0];
      }
      const used = this.#run(bytes, at, found.offset, Math.min(bytes.length - at, offset - found.offset));
      const late = this.#lost.some((hole) => found.offset >= hole.from && found.offset < hole.to);
      const from = `${found.tunnel}/${found.direction}/${found.offset}`;
      return [{ offset, length: used, state: late ? 'reordered' : 'repeated', from, hex }, used];
    }
    const resync = this.#resync(bytes, at);
    if (resync > 0) {
      this.#next += resync;
      return [{ offset, length: resync, state: 'foreign', from: '', hex }, resync];
    }
    const from = found === undefined ? '' : `${found.tunnel}/${found.direction}/${found.offset}`;
    const used = this.#foreignRun(bytes, at, last);
    return [{ offset, length: used, state: 'foreign', from, hex }, used];
  }

  /** A few bytes changed in place: how many until the expected bytes go on (0: they do not within 256 bytes). */
  #resync(bytes: Uint8Array, at: number): number {
    const window = Math.min(bytes.length - at, 256);
    const expected = payload(this.#tunnel, this.#direction, this.#next, window);
    for (let skip = 1; skip + 16 <= window; skip++) {
      let same = 0;
      while (same < 16 && expected[skip + same] === bytes[at + skip + same]) same++;
      if (same === 16) return skip;
    }
    return 0;
  }

  /** Bytes that belong elsewhere, up to the place where ours can be read again. */
  #foreignRun(bytes: Uint8Array, at: number, last: boolean): number {
    for (let end = at + 1; end + WORDS_BYTES <= bytes.length; end++) {
      const found = locate(bytes, end);
      if (found !== undefined && this.#ours(bytes, end, found)) return end - at;
    }
    // The last few may be the beginning of ours: they are looked at again when more is there.
    return last || this.#spans >= SPANS_MAX
      ? bytes.length - at
      : Math.max(1, bytes.length - at - LOOK_BYTES + 1);
  }

  /** A position is read from the next whole words: the bytes before them must be ours as well. */
  #ours(bytes: Uint8Array, at: number, found: Position): boolean {
    if (found.tunnel !== this.#tunnel || found.direction !== this.#direction) return false;
    return this.#run(bytes, at, found.offset, WORDS_BYTES) === WORDS_BYTES;
  }

  /** How many bytes from `at` on, of `most`, are ours from `offset` on; at least one is used up. */
  #run(bytes: Uint8Array, at: number, offset: number, most: number): number {
    const expected = payload(this.#tunnel, this.#direction, offset, most);
    let same = 0;
    while (same < most && expected[same] === bytes[at + same]) same++;
    return Math.max(1, same);
  }
}
