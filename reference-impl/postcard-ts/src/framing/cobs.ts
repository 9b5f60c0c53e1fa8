import { PostcardError } from '../postcard-error.ts';
import { allocatePart, copyBytes, zeroAt } from '../wire/memory.ts';
import { LastView } from './last-view.ts';

const bodies = new LastView();
const targets = new LastView();

/** The most bytes a body takes as a frame, terminator included. */
export const cobsMaxLength = (bodyBytes: number): number => bodyBytes + Math.floor(bodyBytes / 254) + 2;

/** Bodies from here on are stuffed by words; below, no block can fill up either. */
const WORDS_FROM = 96;
/** Up to here all places are integers of 32 bits, and said to be: what an engine has to take for longer ones costs a sixth more. */
const BODY_MAX = 2 ** 30;
/** Fewer bytes are copied by a loop: a native copy costs more to call. */
const LOOP_BELOW = 28;
/** Bytes of two words, which are moved at once. */
const PAIR_BYTES = 8;

const badEncoding = (offset: number, expected: string, got: string): PostcardError =>
  new PostcardError({ kind: 'DeserializeBadEncoding', path: '', offset, expected, got });

const full = (expected: number, got: number): PostcardError =>
  new PostcardError({
    kind: 'SerializeBufferFull',
    path: '',
    offset: undefined,
    expected: `${expected} bytes`,
    got: `${got} bytes`,
  });

const tooLong = (got: number): PostcardError =>
  new PostcardError({
    kind: 'FrameTooLong',
    path: '',
    offset: undefined,
    expected: `a body of at most ${BODY_MAX} bytes`,
    got: `${got} bytes`,
  });

/**
 * Stuffs a body so that no byte of it is 00, and ends it with a 00. As postcard's flavour: a last run of exactly 254 bytes is
 * followed by an empty block (`FF` ... `01 00`), which the `cobs` crate itself leaves out; decodeCobs takes both.
 * @param target needs room for cobsMaxLength(body.length); what lies behind the frame may be overwritten
 * @returns the offset after the terminator
 * @throws PostcardError SerializeBufferFull, FrameTooLong for a body beyond 2^30 bytes
 */
export const encodeCobsInto = (body: Uint8Array, target: Uint8Array, offset = 0): number => {
  const n = body.length;
  if (n > BODY_MAX) throw tooLong(n);
  if (target.length - offset < cobsMaxLength(n)) throw full(cobsMaxLength(n), target.length - offset);
  if (n < WORDS_FROM) return stuffBytes(body, target, offset);
  const from = bodies.of(body, 0);
  const to = targets.of(target, offset);
  const start = target.byteOffset + offset - to.byteOffset;
  return offset + stuffWords(from, body.byteOffset - from.byteOffset, n, to, start) - start;
};

/** Byte by byte: for short bodies, words do not pay. */
const stuffBytes = (body: Uint8Array, target: Uint8Array, offset: number): number => {
  const n = body.length;
  let head = offset; // where the code of the open block goes
  let at = offset + 1;
  for (let i = 0; i < n; i++) {
    const byte = body[i] as number;
    if (byte === 0) {
      target[head] = at - head;
      head = at++;
    } else target[at++] = byte;
  }
  target[head] = at - head;
  target[at++] = 0;
  return at;
};

/** A full block: its code and the bytes behind it. */
const BLOCK_BYTES = 255;

/** Ends a block at each zero of a word that was copied to a place. @returns the place of the code of the block then open */
const endBlocks = (to: DataView, open: number, at: number, word: number): number => {
  let head = open;
  if ((word & 0xff) === 0) {
    to.setUint8(head, at - head);
    head = at;
  }
  if ((word & 0xff00) === 0) {
    to.setUint8(head, at + 1 - head);
    head = at + 1;
  }
  // integers are mostly small: two zeros at the end of a word are what a body with many zeros is made of
  if (word >>> 16 === 0) {
    to.setUint8(head, at + 2 - head);
    to.setUint8(at + 2, 1);
    return at + 3;
  }
  if ((word & 0xff0000) === 0) {
    to.setUint8(head, at + 2 - head);
    head = at + 2;
  }
  if (word >>> 24 === 0) {
    to.setUint8(head, at + 3 - head);
    head = at + 3;
  }
  return head;
};

/**
 * Eight bytes at a time, zeros and all: a zero keeps its place and becomes the code of the next block, so that the body only moves
 * by one byte, and by one more for each block that is full. Sixteen at a time are slower.
 * @param start of the body in its view  @param open the place of the first code in the view of the target
 * @returns the place after the terminator
 */
const stuffWords = (from: DataView, start: number, n: number, to: DataView, open: number): number => {
  const end = (start + n) | 0;
  const lastPair = (end - PAIR_BYTES) | 0;
  let head = open | 0; // where the code of the open block goes
  let shift = (head + 1 - start) | 0; // from a byte's place in the body to its place in the frame
  let i = start | 0;
  for (;;) {
    let fits = (head + BLOCK_BYTES - PAIR_BYTES - shift) | 0;
    let last = fits < lastPair ? fits : lastPair;
    while (i <= last) {
      const first = from.getInt32(i, true);
      const second = from.getInt32((i + 4) | 0, true);
      const at = (i + shift) | 0;
      i = (i + PAIR_BYTES) | 0;
      to.setInt32(at, first, true);
      to.setInt32((at + 4) | 0, second, true);
      if (((((first - 0x01010101) & ~first) | ((second - 0x01010101) & ~second)) & 0x80808080) !== 0) {
        head = endBlocks(to, endBlocks(to, head, at, first), at + 4, second);
        fits = (head + BLOCK_BYTES - PAIR_BYTES - shift) | 0;
        last = fits < lastPair ? fits : lastPair;
      }
    }
    // no pair fits any more: byte by byte to the next zero, or to where the block is full
    const full = (fits + PAIR_BYTES) | 0;
    const stop = full < end ? full : end;
    for (; i < stop; i = (i + 1) | 0) {
      const byte = from.getUint8(i);
      if (byte === 0) break;
      to.setUint8((i + shift) | 0, byte);
    }
    to.setUint8(head, (i + shift - head) | 0);
    head = (i + shift) | 0;
    if (i < stop) i = (i + 1) | 0;
    else if (i === full) shift = (shift + 1) | 0;
    else {
      to.setUint8(head, 0);
      return head + 1;
    }
  }
};

/** As encodeCobsInto, into memory of its own. @returns the frame, terminator included */
export const encodeCobs = (body: Uint8Array): Uint8Array => {
  const frame = allocatePart(cobsMaxLength(body.length));
  return frame.subarray(0, encodeCobsInto(body, frame));
};

/**
 * Undoes encodeCobs. Reads up to the first 00 or, without one, to the end.
 * @param target needs as much room as the frame takes; it may be the frame itself
 * @returns the offset after the body
 * @throws PostcardError DeserializeBadEncoding for an empty input or a block that reaches past the end of the frame,
 *   SerializeBufferFull
 */
export const decodeCobsInto = (frame: Uint8Array, target: Uint8Array, offset = 0): number => {
  if (frame.length === 0) throw badEncoding(0, 'a frame', 'nothing');
  const zero = zeroAt(frame, 0);
  const end = zero < 0 ? frame.length : zero;
  if (target.length - offset < end - 1) throw full(end - 1, target.length - offset);
  // what is written in place overwrites codes that are still to be read
  return frame.buffer === target.buffer
    ? unstuffBlocks(frame, end, target, offset)
    : unstuffRuns(frame, end, target, offset);
};

/** @returns the code at a place of a frame  @throws PostcardError DeserializeBadEncoding for a block that is not all there */
const codeAt = (frame: Uint8Array, i: number, end: number): number => {
  const code = frame[i] as number;
  if (code > end - i) throw badEncoding(i, `a block of ${code - 1} bytes`, `${end - i - 1} bytes`);
  return code;
};

/** Block by block. */
const unstuffBlocks = (frame: Uint8Array, end: number, target: Uint8Array, offset: number): number => {
  let at = offset;
  let i = 0;
  while (i < end) {
    const code = codeAt(frame, i, end);
    const next = i++ + code;
    if (code < LOOP_BELOW) while (i < next) target[at++] = frame[i++] as number;
    else {
      copyBytes(frame, i, next, target, at);
      at += code - 1;
      i = next;
    }
    if (code !== BLOCK_BYTES && i < end) target[at++] = 0;
  }
  return at;
};

/** Blocks up to a full one are moved as one, their codes with them; then zeros take the places of the codes. */
const unstuffRuns = (frame: Uint8Array, end: number, target: Uint8Array, offset: number): number => {
  let at = offset;
  let i = 0;
  while (i < end) {
    const start = i;
    let code = 0;
    while (code !== BLOCK_BYTES && i < end) {
      code = codeAt(frame, i, end);
      i += code;
    }
    const shift = at - start - 1;
    if (i - start < LOOP_BELOW) for (let k = start + 1; k < i; k++) target[k + shift] = frame[k] as number;
    else copyBytes(frame, start + 1, i, target, at);
    for (let k = start + (frame[start] as number); k < i; k += frame[k] as number) target[k + shift] = 0;
    at = i + shift;
  }
  return at;
};

/** As decodeCobsInto, into memory of its own. @returns the body */
export const decodeCobs = (frame: Uint8Array): Uint8Array => {
  const body = allocatePart(frame.length);
  return body.subarray(0, decodeCobsInto(frame, body));
};
