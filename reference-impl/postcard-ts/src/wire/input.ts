import { refuse } from './refusal.ts';

const EMPTY = new Uint8Array(0);
/** Buffers up to this size stay known between two decodes, so that many small messages out of one chunk share their views. */
const KEPT_BYTES_MAX = 1 << 20;

/**
 * What is being read. There is one for the whole package: decoding calls no foreign code, so no decode starts inside another.
 * Short names, because generated code is full of them.
 */
export class Input {
  /** The whole buffer under the input. */
  b: Uint8Array = EMPTY;
  v: DataView = new DataView(EMPTY.buffer);
  /** Its memory, to see whether the next input lies in the same. */
  buffer: ArrayBufferLike = EMPTY.buffer;
  isLarge = false;
  /** Bytes that lie in it and were opened again: the same chunk message by message, or one buffer that is read into. */
  again: Uint8Array = EMPTY;
  /** First byte of the input. */
  s = 0;
  /** End of the input. */
  e = 0;
  /** Where the last helper stopped. */
  p = 0;
  /** Bytes that collections may still claim: every item has its own least bytes, so honest claims add up to at most the input. */
  claims = 0;
  /** Items without bytes that may still be made. */
  empties = 0;
  /** Recursion so far. */
  depth = 0;
}

export const input = new Input();

const adopt = (buffer: ArrayBufferLike): void => {
  input.buffer = buffer;
  input.again = EMPTY;
  input.b = new Uint8Array(buffer);
  input.v = new DataView(buffer);
  input.isLarge = buffer.byteLength > KEPT_BYTES_MAX;
};

/** Makes bytes the input. @param from first byte to read The caller has checked that these are bytes. */
export const openInput = (bytes: Uint8Array, from: number, emptyItems: number): void => {
  const { byteOffset, length } = bytes;
  // to ask for the buffer is a call into the engine, a sixth of reading a blob as a view
  if (bytes !== input.again) {
    const { buffer } = bytes;
    if (input.buffer !== buffer) adopt(buffer);
    // noted only when it seems to come again: to note every input costs more than a small message gains
    else if (input.s === byteOffset && input.e === byteOffset + length) input.again = bytes;
  }
  input.s = byteOffset;
  input.p = byteOffset + from;
  input.e = byteOffset + length;
  input.claims = length - from;
  input.empties = emptyItems;
  input.depth = 0;
};

/** Lets go of a large buffer, which would otherwise live until the next decode. */
export const closeInput = (): void => {
  if (input.isLarge) adopt(EMPTY.buffer);
};

/** @throws Refusal DeserializeUnexpectedEnd always */
export const end = (at: number, what = 'more bytes'): never =>
  refuse('DeserializeUnexpectedEnd', at, what, `the end of the input at byte ${input.e - input.s}`);

/** @throws Refusal DeserializeBadBool always */
export const badBool = (at: number): never => refuse('DeserializeBadBool', at, '00 or 01', byteAt(at));
/** @throws Refusal DeserializeBadOption always */
export const badOption = (at: number): never => refuse('DeserializeBadOption', at, '00 or 01', byteAt(at));
/** @throws Refusal DeserializeBadEnum always */
export const badEnum = (at: number, index: number, variants: number): never =>
  refuse('DeserializeBadEnum', at, `a variant below ${variants}`, String(index));
/** @throws Refusal DeserializeBadVarint always */
export const badVarint = (at: number, type: string): never =>
  refuse('DeserializeBadVarint', at, `a varint that ends within a ${type}`, byteAt(at));
/** @throws Refusal DeserializeZero always */
export const badZero = (at: number): never => refuse('DeserializeZero', at, 'not zero', '0');

/** Checks the number of items of a collection. @throws Refusal LimitItems */
export const checkItems = (at: number, count: number, max: number): void => {
  if (count > max) refuse('LimitItems', at, `at most ${max} items`, String(count));
};
/** Counts items without bytes. @throws Refusal LimitItems */
export const takeEmpties = (at: number, count: number): void => {
  input.empties -= count;
  if (input.empties < 0)
    refuse('LimitItems', at, 'few items without bytes (limits.emptyItems)', String(count));
};
/** Enters a recursive type. @throws Refusal LimitDepth */
export const enter = (at: number, max: number): void => {
  if (++input.depth > max) refuse('LimitDepth', at, `at most ${max} levels`, String(input.depth));
};

const byteAt = (at: number): string =>
  at < input.e ? (input.b[at] ?? 0).toString(16).padStart(2, '0') : 'nothing';
