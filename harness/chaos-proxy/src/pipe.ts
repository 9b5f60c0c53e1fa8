import type { CutHow, Next, Piece } from './faults/fault.ts';
import type { Millis } from './machine.ts';
import type { Placement } from './placement.ts';
import type { Receipt, Way } from './receipt.ts';

/** `offset`: where in the direction it stands. */
type Item = { readonly at: Millis; readonly offset: number; readonly by?: Receipt | undefined } & (
  | { readonly kind: 'bytes'; readonly piece: Piece }
  | { readonly kind: 'fin' }
  | { readonly kind: 'cut'; readonly how: CutHow; readonly by: Receipt }
);

/** Where a pipe lets things out. */
export type Mouth = {
  readonly send: (bytes: Uint8Array) => void;
  readonly end: () => void;
  readonly cut: (how: CutHow, by: Receipt) => void;
};

/** One direction of one connection: bytes go through the faults into a queue and leave it in order when they are due. */
export class Pipe {
  readonly direction: Way;
  readonly #clock: { readonly now: Millis };
  #placements: readonly Placement[] = [];
  #entry: Next;
  #queue: Item[] = [];
  #head = 0;
  #last: Millis = 0;
  #shut = false;
  #openedAt: Millis = 0;
  #gatedUntil: Millis = 0;
  /** While gated: nothing from this offset on leaves. */
  #gatedFrom = Number.POSITIVE_INFINITY;
  #enqueuedTo = 0;
  #gatedBy: Placement | undefined;
  /** Bytes taken in so far. */
  offset = 0;
  /** Bytes in the queue. */
  held = 0;
  /** The FIN has been taken in. */
  ended = false;

  constructor(direction: Way, clock: { readonly now: Millis }) {
    this.direction = direction;
    this.#clock = clock;
    this.#entry = this.#enqueue;
  }

  get placements(): readonly Placement[] {
    return this.#placements;
  }
  get empty(): boolean {
    return this.#head === this.#queue.length;
  }

  /** @param placements in the order bytes meet them */
  setPlacements(placements: readonly Placement[]): void {
    this.#placements = placements;
    // A gate that was taken off held nothing longer than until now.
    if (this.#gatedBy !== undefined && !placements.includes(this.#gatedBy))
      this.#gatedUntil = Math.min(this.#gatedUntil, this.#clock.now);
    let next: Next = this.#enqueue;
    for (const placement of placements.toReversed()) {
      const after = next;
      next = (piece) => placement.push(piece, after);
    }
    this.#entry = next;
  }

  take(bytes: Uint8Array): void {
    const { offset } = this;
    this.#entry({ at: this.#clock.now, offset, bytes, edge: 'free', by: undefined });
    this.offset = offset + bytes.length;
  }

  /** The FIN keeps its place behind the bytes. */
  takeEnd(): void {
    this.ended = true;
    let at = this.#clock.now;
    let by: Receipt | undefined;
    for (const placement of this.#placements) {
      placement.happened('fin', this.offset);
      const due = placement.fin(at, this.offset);
      if (due > at) by = placement.place.receipt;
      at = due;
    }
    this.#add({ kind: 'fin', at: this.#inOrder(at), offset: this.#enqueuedTo, by });
  }

  /** What this fault alone still delays becomes due now. */
  flush(receipt: Receipt): void {
    this.#last = this.#clock.now;
    for (let i = this.#head; i < this.#queue.length; i++) {
      const item = this.#queue[i] as Item;
      if (item.at <= this.#clock.now) continue;
      const mine = (item.kind === 'bytes' ? item.piece.by : item.by) === receipt;
      const at = this.#inOrder(mine ? this.#clock.now : item.at);
      if (at === item.at) continue;
      this.#queue[i] =
        item.kind === 'bytes' ? { ...item, at, piece: { ...item.piece, at } } : { ...item, at };
    }
  }

  /** Cuts behind what was enqueued so far. */
  cut(how: CutHow, by: Receipt): void {
    this.#add({ kind: 'cut', at: this.#inOrder(this.#clock.now), offset: this.#enqueuedTo, how, by });
  }

  /** The other end is there: what waited for it is not late. */
  open(): void {
    this.#openedAt = this.#clock.now;
  }

  /** Takes nothing any more; what is held still leaves. */
  close(): void {
    this.#shut = true;
  }

  /** Drops what is held and takes nothing any more. */
  shut(): void {
    this.#shut = true;
    this.#queue = [];
    this.#head = 0;
    this.held = 0;
  }

  /** Lets out what is due. @returns when to ask again; Infinity: when something new has come */
  release(mouth: Mouth): Millis {
    const now = this.#clock.now;
    if (this.empty) return Number.POSITIVE_INFINITY;
    const due = (this.#queue[this.#head] as Item).at;
    if (due > now) return due;
    const from = this.#gate(now);
    for (let item = this.#queue[this.#head]; item !== undefined; item = this.#queue[this.#head]) {
      if (item.at > now || item.offset >= from) break;
      if (item.kind === 'bytes') {
        this.#letOut(now, from, mouth);
        continue;
      }
      this.#head++;
      if (item.kind === 'fin') mouth.end();
      else mouth.cut(item.how, item.by);
    }
    this.#compact();
    const next = this.#queue[this.#head];
    if (next === undefined) return Number.POSITIVE_INFINITY;
    return next.at <= now ? this.#gatedUntil : next.at;
  }

  /** @returns the offset from which nothing leaves now; Infinity: the way is clear */
  #gate(now: Millis): number {
    let from = Number.POSITIVE_INFINITY;
    for (const placement of this.#placements) {
      const until = placement.gate(this.offset);
      if (until <= now || placement.gateFrom >= from) continue;
      from = placement.gateFrom;
      this.#gatedBy = placement;
      this.#gatedUntil = until;
      this.#gatedFrom = from;
    }
    return from;
  }

  /** One write: pieces of one buffer that lie side by side are joined for nothing, those to go together by copying. */
  #letOut(now: Millis, from: number, mouth: Mouth): void {
    const first = (this.#queue[this.#head++] as Item & { kind: 'bytes' }).piece;
    this.#book(first, now);
    let joined = first.bytes;
    for (let item = this.#queue[this.#head]; item?.kind === 'bytes'; item = this.#queue[++this.#head]) {
      if (item.at > now || item.offset >= from || item.piece.edge === 'apart') break;
      const more = item.piece.bytes;
      const beside = more.buffer === joined.buffer && more.byteOffset === joined.byteOffset + joined.length;
      if (!beside && item.piece.edge !== 'together') break;
      joined = beside
        ? new Uint8Array(joined.buffer, joined.byteOffset, joined.length + more.length)
        : concat(joined, more);
      this.#book(item.piece, now);
    }
    mouth.send(joined);
  }

  #book(piece: Piece, now: Millis): void {
    this.held -= piece.bytes.length;
    piece.by?.late(Math.max(0, now - Math.max(piece.at, this.#openedAt, Math.min(now, this.#gatedUntil))));
    if (this.#gatedBy === undefined || piece.offset < this.#gatedFrom) return;
    if (piece.at >= Math.min(now, this.#gatedUntil)) return;
    const { conn, direction, receipt } = this.#gatedBy.place;
    receipt.note('stalled', conn, direction, piece.bytes.length, 'bytes');
    receipt.delay(piece.bytes.length, now - piece.at);
  }

  readonly #enqueue = (piece: Piece): void => {
    if (this.#shut) return;
    const at = this.#inOrder(piece.at);
    this.held += piece.bytes.length;
    this.#enqueuedTo = piece.offset + piece.bytes.length;
    const { offset } = piece;
    this.#queue.push({ kind: 'bytes', at, offset, piece: at === piece.at ? piece : { ...piece, at } });
  };

  #add(item: Item): void {
    if (!this.#shut) this.#queue.push(item);
  }

  #inOrder(at: Millis): Millis {
    if (at > this.#last) this.#last = at;
    return this.#last;
  }

  #compact(): void {
    if (this.empty) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};
