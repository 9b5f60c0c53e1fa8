/**
 * Reads one packed Cap'n Proto message that anybody may have written: every pointer is checked against its segment, nothing is
 * allocated by a number the peer chose, and each pointer is followed once, as the schema says. Source: Cap'n Proto encoding spec.
 */
import { fault } from '../wire-faults.ts';
import { packedOffset, unpack } from './packing.ts';
import { Scratch } from './scratch.ts';

/** What a fixed reader may be made to hold. */
export type ReaderLimits = {
  /** Bytes of the message unpacked, its segment table included. */
  readonly unpackedBytesMax: number;
};

const SEGMENTS_MAX = 511;
const STRUCT = 0;
const LIST = 1;
const FAR = 2;
const BYTE_ELEMENTS = 2;

/** A struct in the message: all in words from the start of the unpacked bytes. */
export type StructAt = {
  readonly segment: number;
  readonly data: number;
  readonly dataWords: number;
  readonly pointers: number;
  readonly pointerWords: number;
};

const NOTHING = new Uint8Array(0);
const EMPTY: StructAt = { segment: 0, data: 0, dataWords: 0, pointers: 0, pointerWords: 0 };

/** What a pointer comes down to behind its landing pads. */
type Target = { readonly segment: number; readonly at: number; readonly low: number; readonly high: number };

/** One message at a time; what it returns are views that hold until the next `load`. */
export class MessageReader {
  readonly #scratch = new Scratch();
  readonly #limits: ReaderLimits;
  /** First word and word behind the last, segment by segment. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #packed: Uint8Array = NOTHING;
  #unpackedBytes = 0;

  constructor(limits: ReaderLimits) {
    this.#limits = limits;
  }

  /** The unpacked message; to be packed again or read until the next `load`. */
  get scratch(): Scratch {
    return this.#scratch;
  }

  get unpackedBytes(): number {
    return this.#unpackedBytes;
  }

  /**
   * Unpacks a message and returns its root (null: an empty struct). Bytes behind the last segment are ignored.
   * @throws WireError PACKED_TRUNCATED | PACKED_TOO_LONG | SEGMENTS | POINTER
   */
  load(packed: Uint8Array): StructAt {
    this.#packed = packed;
    this.#unpackedBytes = unpack(packed, this.#scratch, this.#limits.unpackedBytesMax);
    this.#readTable();
    return this.#struct(0, this.#starts[0] as number);
  }

  /** A struct's pointer field; one that is null or beyond the struct reads as an empty struct. @throws WireError POINTER */
  struct(of: StructAt, index: number): StructAt {
    return index < of.pointerWords ? this.#struct(of.segment, of.pointers + index) : EMPTY;
  }

  /** A view of a `Data` field; null or absent: empty. @throws WireError POINTER */
  data(of: StructAt, index: number): Uint8Array {
    const target = index < of.pointerWords ? this.#follow(of.segment, of.pointers + index) : undefined;
    if (target === undefined) return this.#scratch.bytes.subarray(0, 0);
    const { segment, at, low, high } = target;
    const bytes = high >>> 3;
    if ((low & 3) !== LIST || (high & 7) !== BYTE_ELEMENTS) throw wrongKind('a list of bytes', low, high, at);
    this.#check(segment, at, (bytes + 7) >>> 3);
    return this.#scratch.bytes.subarray(at * 8, at * 8 + bytes);
  }

  /**
   * How a `Data` field of this message was packed, to be passed on as it stands; the words of a field that is last are packed by
   * themselves as everybody writes them.
   * @param data what `data` returned
   * @returns undefined if it is not last, or was packed together with what stands in front of it
   */
  packedAsLast(data: Uint8Array): Uint8Array | undefined {
    const from = data.byteOffset;
    if (data.length === 0 || from + ((data.length + 7) & ~7) !== this.#unpackedBytes) return undefined;
    const at = packedOffset(this.#packed, from);
    return at === undefined ? undefined : this.#packed.subarray(at);
  }

  /** The tag of a union: the low 16 bits of a struct's first word; 0 if it has none. */
  tag(of: StructAt): number {
    return of.dataWords === 0 ? 0 : this.#scratch.view.getUint16(of.data * 8, true);
  }

  /**
   * A byte string that travels as a struct around a struct of big-endian words: each group of 8 bytes is reversed on the wire.
   * @returns fresh memory; what is missing reads as zeros
   */
  byteString(of: StructAt, index: number, words: number): Uint8Array {
    const inner = this.struct(this.struct(of, index), 0);
    const bytes = new Uint8Array(words * 8);
    const there = Math.min(words, inner.dataWords);
    for (let word = 0; word < there; word++) {
      const from = (inner.data + word) * 8;
      for (let i = 0; i < 8; i++) bytes[word * 8 + i] = this.#scratch.bytes[from + 7 - i] as number;
    }
    return bytes;
  }

  #readTable(): void {
    const { view } = this.#scratch;
    const wordsThere = this.#unpackedBytes >>> 3;
    if (wordsThere === 0) throw fault('SEGMENTS', 'a segment table', 'an empty message');
    const count = view.getUint32(0, true) + 1;
    const tableWords = (count >>> 1) + 1;
    if (count > SEGMENTS_MAX || tableWords > wordsThere)
      throw fault('SEGMENTS', `1 to ${SEGMENTS_MAX} segments and their table`, `a count of ${count}`, 0);
    let at = tableWords;
    for (let segment = 0; segment < count; segment++) {
      this.#starts[segment] = at;
      at += view.getUint32(4 + segment * 4, true);
      this.#ends[segment] = at;
      if (at > wordsThere)
        throw fault('SEGMENTS', `segments of ${wordsThere} words together`, `${at} or more`, 4 + segment * 4);
    }
    if (this.#ends[0] === this.#starts[0])
      throw fault('SEGMENTS', 'a root pointer', 'an empty first segment');
    this.#starts.length = count;
    this.#ends.length = count;
  }

  #struct(segment: number, pointer: number): StructAt {
    const target = this.#follow(segment, pointer);
    if (target === undefined) return EMPTY;
    const { at, low, high } = target;
    if ((low & 3) !== STRUCT) throw wrongKind('a struct', low, high, at);
    const dataWords = high & 0xffff;
    const pointerWords = high >>> 16;
    this.#check(target.segment, at, dataWords + pointerWords);
    return { segment: target.segment, data: at, dataWords, pointers: at + dataWords, pointerWords };
  }

  /** Where a pointer leads. @param pointer its word, already known to lie in the segment  @returns undefined: null */
  #follow(segment: number, pointer: number): Target | undefined {
    const low = this.#low(pointer);
    const high = this.#high(pointer);
    if ((low | high) === 0) return undefined;
    if ((low & 3) !== FAR) return { segment, at: pointer + 1 + (low >> 2), low, high };
    const pad = this.#pad(low, high, pointer);
    if ((low & 4) === 0) {
      const padLow = this.#low(pad);
      const padHigh = this.#high(pad);
      if ((padLow | padHigh) === 0) return undefined;
      if ((padLow & 3) === FAR) throw wrongKind('a near pointer in a landing pad', padLow, padHigh, pad);
      return { segment: high, at: pad + 1 + (padLow >> 2), low: padLow, high: padHigh };
    }
    const farLow = this.#low(pad);
    const farHigh = this.#high(pad);
    if ((farLow & 7) !== FAR) throw wrongKind('a far pointer in a double landing pad', farLow, farHigh, pad);
    const at = this.#place(farLow, farHigh, pad);
    return { segment: farHigh, at, low: this.#low(pad + 1), high: this.#high(pad + 1) };
  }

  /** A landing pad of one word, or two if the far pointer is double. */
  #pad(low: number, high: number, pointer: number): number {
    const pad = this.#place(low, high, pointer);
    this.#check(high, pad, (low & 4) === 0 ? 1 : 2);
    return pad;
  }

  #place(low: number, segment: number, pointer: number): number {
    const start = this.#starts[segment];
    if (start === undefined)
      throw fault(
        'POINTER',
        `a segment below ${this.#starts.length}`,
        `segment ${segment >>> 0}`,
        pointer * 8,
      );
    return start + (low >>> 3);
  }

  #check(segment: number, at: number, words: number): void {
    const start = this.#starts[segment] as number;
    const end = this.#ends[segment] as number;
    if (at < start || at + words > end)
      throw fault('POINTER', `words ${start} to ${end} of segment ${segment}`, `${words} words at ${at}`);
  }

  #low(word: number): number {
    return this.#scratch.view.getInt32(word * 8, true);
  }

  #high(word: number): number {
    return this.#scratch.view.getInt32(word * 8 + 4, true);
  }
}

const wrongKind = (expected: string, low: number, high: number, at: number) =>
  fault('POINTER', expected, `kind ${low & 3} with ${(high >>> 0).toString(16)}`, at * 8);
