/**
 * Writes one message the way Offset and the C++ library do, byte for byte: parents first, then fields in order, in a first segment
 * of 1024 words; what does not fit goes, with a landing pad, to the first segment with room or to a new one. Source: protocol
 * notes, "Cap'n Proto schema facts"; sizes of later segments: capnp's growth rule, seen in the recorded messages.
 */
import { pack } from './packing.ts';
import { Scratch } from './scratch.ts';

/** What does not fit the first segment goes to others. */
export const FIRST_SEGMENT_WORDS = 1_024;

/** Where a pointer is to be written: a word of a segment. */
export type PointerAt = { readonly segment: number; readonly word: number };
/** A struct that was allocated. */
export type Built = { readonly segment: number; readonly data: number; readonly pointers: number };

type Segment = {
  readonly scratch: Scratch;
  words: number;
  capacityWords: number;
  /** What stands behind its own words, in memory of somebody else. */
  tail: Tail | undefined;
};

/** Whole words: as they are, or packed already. */
type Tail =
  | { readonly bytes: number; readonly scratch: Scratch; readonly from: number }
  | { readonly bytes: number; readonly packed: Uint8Array };

export class MessageBuilder {
  readonly #segments: Segment[] = [];
  readonly #table = new Scratch(64);
  #count = 0;
  #nextWords = FIRST_SEGMENT_WORDS;

  /** Begins a new message; the memory of the last one is used again. @returns its root struct, zeroed */
  begin(dataWords: number, pointerWords: number): Built {
    this.#count = 0;
    this.#nextWords = FIRST_SEGMENT_WORDS;
    this.#newSegment(1);
    return this.struct({ segment: 0, word: this.#allocateIn(0, 1) }, dataWords, pointerWords);
  }

  /** A struct field, zeroed. */
  struct(pointer: PointerAt, dataWords: number, pointerWords: number): Built {
    const place = this.#allocate(pointer, dataWords + pointerWords, 0, dataWords | (pointerWords << 16));
    return { segment: place.segment, data: place.word, pointers: place.word + dataWords };
  }

  pointer(of: Built, index: number): PointerAt {
    return { segment: of.segment, word: of.pointers + index };
  }

  /** The tag of a union, in a struct's first word. */
  tag(of: Built, tag: number): void {
    this.#segment(of.segment).scratch.view.setUint16(of.data * 8, tag, true);
  }

  /** A `Data` field, copied. */
  data(pointer: PointerAt, bytes: Uint8Array): void {
    const place = this.#allocate(pointer, (bytes.length + 7) >>> 3, 1, (bytes.length << 3) | 2);
    this.#segment(place.segment).scratch.bytes.set(bytes, place.word * 8);
  }

  /**
   * A `Data` field that stays where it is until `pack`: nothing may be allocated behind it.
   * @param from offset in `source`, a multiple of 8; the bytes up to the end of the last word are made zero
   */
  borrow(pointer: PointerAt, source: Scratch, from: number, length: number): void {
    const words = (length + 7) >>> 3;
    const { segment } = this.#allocate(pointer, words, 1, (length << 3) | 2, false);
    source.ensure(from + words * 8, from + length);
    source.bytes.fill(0, from + length, from + words * 8);
    this.#segment(segment).tail = { bytes: words * 8, scratch: source, from };
  }

  /**
   * A `Data` field that was packed before, by `packedAsLast` of a reader: nothing may be allocated behind it.
   * @param length of the field unpacked
   */
  borrowPacked(pointer: PointerAt, packed: Uint8Array, length: number): void {
    const words = (length + 7) >>> 3;
    const { segment } = this.#allocate(pointer, words, 1, (length << 3) | 2, false);
    this.#segment(segment).tail = { bytes: words * 8, packed };
  }

  /** A byte string as a struct around a struct of big-endian words. */
  byteString(pointer: PointerAt, bytes: Uint8Array): void {
    const outer = this.struct(pointer, 0, 1);
    const inner = this.struct(this.pointer(outer, 0), bytes.length / 8, 0);
    const to = this.#segment(inner.segment).scratch.bytes;
    for (let i = 0; i < bytes.length; i++) to[inner.data * 8 + (i ^ 7)] = bytes[i] as number;
  }

  /** Packs the message to `out` from `at` on. @returns offset behind it */
  pack(out: Scratch, at: number): number {
    const tableBytes = ((this.#count >>> 1) + 1) * 8;
    this.#table.ensure(tableBytes);
    this.#table.bytes.fill(0, 0, tableBytes);
    this.#table.view.setUint32(0, this.#count - 1, true);
    for (let i = 0; i < this.#count; i++) this.#table.view.setUint32(4 + i * 4, this.#segment(i).words, true);
    let end = pack(this.#table, 0, 8, out, at);
    end = pack(this.#table, 8, tableBytes, out, end);
    for (let i = 0; i < this.#count; i++) {
      const { scratch, words, tail } = this.#segment(i);
      end = pack(scratch, 0, words * 8 - (tail?.bytes ?? 0), out, end);
      if (tail !== undefined) end = packTail(tail, out, end);
    }
    return end;
  }

  #segment(index: number): Segment {
    return this.#segments[index] as Segment;
  }

  #newSegment(wordsMin: number): number {
    const index = this.#count++;
    const capacityWords = Math.max(wordsMin, this.#nextWords);
    this.#nextWords = index === 0 ? capacityWords * 2 : this.#nextWords + capacityWords;
    const segment = this.#segments[index];
    if (segment === undefined)
      this.#segments.push({ scratch: new Scratch(1_024), words: 0, capacityWords, tail: undefined });
    else {
      segment.words = 0;
      segment.capacityWords = capacityWords;
      segment.tail = undefined;
    }
    return index;
  }

  #hasRoom(index: number, words: number): boolean {
    const segment = this.#segment(index);
    return segment.words + words <= segment.capacityWords;
  }

  /** @param mine whether the words themselves are needed in the segment's own memory; zeroed if so */
  #allocateIn(index: number, words: number, mine = words): number {
    const segment = this.#segment(index);
    const at = segment.words;
    segment.words += words;
    segment.scratch.ensure((at + mine) * 8, at * 8);
    segment.scratch.bytes.fill(0, at * 8, (at + mine) * 8);
    return at;
  }

  /** Finds room for what a pointer leads to, and writes the pointer. */
  #allocate(pointer: PointerAt, words: number, kind: 0 | 1, high: number, copied = true): PointerAt {
    if (this.#hasRoom(pointer.segment, words)) {
      const word = this.#allocateIn(pointer.segment, words, copied ? words : 0);
      this.#write(pointer, ((word - pointer.word - 1) << 2) | kind, high);
      return { segment: pointer.segment, word };
    }
    let segment = 0;
    while (segment < this.#count && !this.#hasRoom(segment, words + 1)) segment++;
    if (segment === this.#count) this.#newSegment(words + 1);
    const pad = this.#allocateIn(segment, words + 1, copied ? words + 1 : 1);
    this.#write(pointer, (pad << 3) | 2, segment);
    this.#write({ segment, word: pad }, kind, high);
    return { segment, word: pad + 1 };
  }

  #write(pointer: PointerAt, low: number, high: number): void {
    const { view } = this.#segment(pointer.segment).scratch;
    view.setInt32(pointer.word * 8, low, true);
    view.setInt32(pointer.word * 8 + 4, high, true);
  }
}

/** @returns offset behind it */
const packTail = (tail: Tail, out: Scratch, at: number): number => {
  if (!('packed' in tail)) return pack(tail.scratch, tail.from, tail.from + tail.bytes, out, at);
  const end = at + tail.packed.length;
  out.ensure(end, at);
  out.bytes.set(tail.packed, at);
  return end;
};
