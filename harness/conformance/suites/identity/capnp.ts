/**
 * Cap'n Proto as far as the identity relay needs it: structs, byte lists and every kind of pointer between segments, written in any
 * of three layouts and read from anybody. Source: Cap'n Proto encoding spec.
 */
import { Broken } from '../../outcome.ts';
import { pack, unpack } from './packing.ts';

const WORD = 8;
const READ_BYTES_MAX = 64 * 1_048_576;
const SEGMENTS_MAX = 511;
const BYTE_LIST = 2;

/** A struct to be written: its data section (a multiple of 8 bytes) and what its pointers lead to; a Buffer is a byte list. */
export type Struct = { readonly data: Buffer; readonly pointers: readonly (Struct | Buffer | undefined)[] };

export const struct = (data: Buffer | number, ...pointers: Struct['pointers']): Struct => ({
  data: typeof data === 'number' ? Buffer.alloc(data * WORD) : data,
  pointers,
});

/** A struct whose first word holds a union's tag. */
export const tagged = (tag: number, ...pointers: Struct['pointers']): Struct => {
  const data = Buffer.alloc(WORD);
  data.writeUInt16LE(tag);
  return struct(data, ...pointers);
};

const swapped = (bytes: Uint8Array): Buffer => Buffer.from(bytes).swap64();

/** A byte string as the schemas have it: a struct around a struct of big-endian words. */
export const byteString = (bytes: Uint8Array): Struct => struct(0, struct(swapped(bytes)));

/** All in one segment; every object in a segment of its own behind a far pointer; or behind a double far pointer. */
export type Layout = 'near' | 'far' | 'double-far';

const pointerWord = (low: number, high: number): Buffer => {
  const word = Buffer.alloc(WORD);
  word.writeInt32LE(low | 0, 0);
  word.writeUInt32LE(high >>> 0, 4);
  return word;
};

const padded = (bytes: Buffer): Buffer =>
  bytes.length % WORD === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(WORD - (bytes.length % WORD))]);

class Writer {
  readonly segments: Buffer[][] = [[]];
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** The object a pointer leads to, and all below it. @returns nothing: the pointer's word is set */
  put(
    object: Struct | Buffer | undefined,
    pointer: { readonly segment: number; readonly index: number },
  ): void {
    if (object === undefined) return;
    const isList = Buffer.isBuffer(object);
    const high = isList
      ? object.length * 8 + BYTE_LIST
      : object.data.length / WORD + object.pointers.length * 65_536;
    const kind = isList ? 1 : 0;
    // an empty struct would have an offset of -1; none of ours is empty
    const at = this.#place(pointer, kind, high);
    const segment = this.segments[at] as Buffer[];
    if (isList) {
      this.#words(segment, padded(object));
      return;
    }
    this.#words(segment, object.data);
    const first = segment.length;
    for (const _ of object.pointers) segment.push(Buffer.alloc(WORD));
    for (const [i, child] of object.pointers.entries()) this.put(child, { segment: at, index: first + i });
  }

  /** Chooses where an object goes and points there. @returns the segment it is to be appended to */
  #place(
    { segment, index }: { readonly segment: number; readonly index: number },
    kind: number,
    high: number,
  ): number {
    const from = this.segments[segment] as Buffer[];
    if (this.#layout === 'near') {
      from[index] = pointerWord(((from.length - index - 1) << 2) | kind, high);
      return segment;
    }
    const target = this.segments.push([]) - 1;
    if (this.#layout === 'far') {
      from[index] = pointerWord(2, target);
      this.segments[target]?.push(pointerWord(kind, high));
      return target;
    }
    const pad = this.segments.push([pointerWord(2, target), pointerWord(kind, high)]) - 1;
    from[index] = pointerWord(4 | 2, pad);
    return target;
  }

  #words(segment: Buffer[], bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += WORD) segment.push(bytes.subarray(at, at + WORD));
  }
}

/** The segment table of segments so many words long, padded to whole words. */
export const segmentTable = (...words: readonly number[]): Buffer => {
  const table = Buffer.alloc((1 + words.length) * 4);
  table.writeUInt32LE(words.length - 1);
  for (const [i, count] of words.entries()) table.writeUInt32LE(count, 4 + i * 4);
  return padded(table);
};

/** A packed message. @param root its root struct */
export const written = (root: Struct, layout: Layout = 'near'): Buffer => {
  const writer = new Writer(layout);
  writer.segments[0]?.push(Buffer.alloc(WORD));
  writer.put(root, { segment: 0, index: 0 });
  const segments = writer.segments.map((words) => Buffer.concat(words));
  return pack(Buffer.concat([segmentTable(...segments.map(({ length }) => length / WORD)), ...segments]));
};

type Spot = { readonly segment: number; readonly at: number };
type Target = Spot & { readonly low: number; readonly high: number };

const malformed = (expected: string, got: string): never => {
  throw new Broken(`a Cap'n Proto message: ${expected}`, got);
};

/** A message somebody else wrote. */
export class Message {
  readonly #segments: readonly Buffer[];
  readonly root: View;

  /** @throws Broken when it is malformed, here and wherever it is read */
  constructor(packed: Buffer) {
    const bytes = unpack(packed, READ_BYTES_MAX);
    if (bytes.length < WORD) malformed('a segment table', `${bytes.length} bytes`);
    const count = bytes.readUInt32LE(0) + 1;
    if (count > SEGMENTS_MAX || bytes.length < 4 + 4 * count)
      malformed(`at most ${SEGMENTS_MAX} segments`, `a table of ${count}`);
    let at = Math.ceil((4 + 4 * count) / WORD) * WORD;
    this.#segments = Array.from({ length: count }, (_, i) => {
      const end = at + bytes.readUInt32LE(4 + 4 * i) * WORD;
      if (end > bytes.length) malformed(`segment ${i} as long as its table says`, 'an earlier end');
      const segment = bytes.subarray(at, end);
      at = end;
      return segment;
    });
    this.root = this.view(this.follow({ segment: 0, at: 0 }));
  }

  /** What a pointer leads to; undefined: null. */
  follow(spot: Spot): Target | undefined {
    const { low, high } = this.#pointer(spot);
    if (low === 0 && high === 0) return undefined;
    if ((low & 3) !== 2) return { segment: spot.segment, at: spot.at + WORD + (low >> 2) * WORD, low, high };
    const pad = { segment: high, at: (low >>> 3) * WORD };
    if ((low & 4) === 0) {
      const { low: near, high: size } = this.#pointer(pad);
      if ((near & 3) === 2) malformed('a near pointer in a landing pad', 'a far one');
      return { segment: high, at: pad.at + WORD + (near >> 2) * WORD, low: near, high: size };
    }
    const far = this.#pointer(pad);
    const tag = this.#pointer({ segment: pad.segment, at: pad.at + WORD });
    if ((far.low & 7) !== 2) malformed('a far pointer in a double landing pad', `kind ${far.low & 7}`);
    return { segment: far.high, at: (far.low >>> 3) * WORD, low: tag.low, high: tag.high };
  }

  view(target: Target | undefined): View {
    if (target === undefined) return new View(this, Buffer.alloc(0), 0, { segment: 0, at: 0 });
    const { segment, at, low, high } = target;
    if ((low & 3) !== 0) malformed('a struct', `pointer kind ${low & 3}`);
    const data = (high & 0xffff) * WORD;
    const pointers = high >>> 16;
    const bytes = this.#bytes({ segment, at }, data + pointers * WORD);
    return new View(this, bytes.subarray(0, data), pointers, { segment, at: at + data });
  }

  list(target: Target | undefined): Buffer {
    if (target === undefined) return Buffer.alloc(0);
    const { segment, at, low, high } = target;
    if ((low & 3) !== 1 || (high & 7) !== BYTE_LIST) malformed('a list of bytes', `pointer kind ${low & 3}`);
    return this.#bytes({ segment, at }, high >>> 3);
  }

  #pointer(spot: Spot): { readonly low: number; readonly high: number } {
    const word = this.#bytes(spot, WORD);
    return { low: word.readInt32LE(0), high: word.readUInt32LE(4) };
  }

  #bytes({ segment, at }: Spot, count: number): Buffer {
    const bytes = this.#segments[segment];
    if (bytes === undefined) return malformed(`a segment below ${this.#segments.length}`, `${segment}`);
    if (at < 0 || at + count > bytes.length)
      malformed(
        `something within the ${bytes.length} bytes of segment ${segment}`,
        `${count} bytes at ${at}`,
      );
    return bytes.subarray(at, at + count);
  }
}

/** A struct of such a message; what it lacks reads as zeros and nulls. */
export class View {
  readonly #message: Message;
  readonly #data: Buffer;
  readonly #pointers: number;
  readonly #first: Spot;

  constructor(message: Message, data: Buffer, pointers: number, first: Spot) {
    this.#message = message;
    this.#data = data;
    this.#pointers = pointers;
    this.#first = first;
  }

  get tag(): number {
    return this.#data.length === 0 ? 0 : this.#data.readUInt16LE();
  }

  struct(index: number): View {
    return this.#message.view(this.#target(index));
  }

  list(index: number): Buffer {
    return this.#message.list(this.#target(index));
  }

  byteString(index: number, length: number): Buffer {
    const inner = this.struct(index).struct(0).#data;
    const bytes = Buffer.alloc(length);
    inner.copy(bytes, 0, 0, Math.min(length, inner.length));
    return bytes.swap64();
  }

  #target(index: number): Target | undefined {
    if (index >= this.#pointers) return undefined;
    return this.#message.follow({ segment: this.#first.segment, at: this.#first.at + index * WORD });
  }
}
