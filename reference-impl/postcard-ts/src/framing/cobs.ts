import { PostcardError } from '../postcard-error.ts';
import { allocatePart, copyBytes, zeroAt } from '../wire/memory.ts';

/** The most bytes a body takes as a frame, terminator included. */
export const cobsMaxLength = (bodyBytes: number): number => bodyBytes + Math.floor(bodyBytes / 254) + 2;

/** Bodies from here on are stuffed by words; below, no block can fill up either. */
const WORDS_FROM = 96;
/** Blocks of a frame with a code below this are copied by a loop: a native copy costs more to call. */
const LOOP_BELOW_CODE = 28;
/** Bytes written at once when no zero is among them. */
const WORD_BYTES = 4;

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

/**
 * Stuffs a body so that no byte of it is 00, and ends it with a 00. As postcard's flavour: a last run of exactly 254 bytes is
 * followed by an empty block (`FF` ... `01 00`), which the `cobs` crate itself leaves out; decodeCobs takes both.
 * @param target needs room for cobsMaxLength(body.length); what lies behind the frame may be overwritten
 * @returns the offset after the terminator
 * @throws PostcardError SerializeBufferFull
 */
export const encodeCobsInto = (body: Uint8Array, target: Uint8Array, offset = 0): number => {
  const n = body.length;
  if (target.length - offset < cobsMaxLength(n)) throw full(cobsMaxLength(n), target.length - offset);
  return n < WORDS_FROM ? stuffBytes(body, target, offset) : stuffWords(body, target, offset);
};

/** Byte by byte: short bodies are done before two views would be made. */
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

/** Bytes of a whole block. */
const BLOCK_BYTES = 254;

/** Word by word: each is written as it is, and where one of its bytes is zero the next block starts over that byte. */
const stuffWords = (body: Uint8Array, target: Uint8Array, offset: number): number => {
  const n = body.length;
  const from = new DataView(body.buffer, body.byteOffset, n);
  const to = new DataView(target.buffer, target.byteOffset, target.length);
  let head = offset;
  let at = offset + 1;
  let i = 0;
  while (i < n) {
    const start = i;
    // where this block is full, and the last place where a whole word of it may begin
    const full = i + BLOCK_BYTES < n ? i + BLOCK_BYTES : n;
    const lastWord = full - WORD_BYTES;
    let zeros = 0;
    while (i <= lastWord) {
      const word = from.getInt32(i, true);
      zeros = (word - 0x01010101) & ~word & 0x80808080;
      to.setInt32(at, word, true);
      if (zeros !== 0) break;
      at += WORD_BYTES;
      i += WORD_BYTES;
    }
    let ended = zeros !== 0;
    if (ended) {
      // the lowest bit of the mask is surely a zero byte's; those above may be not
      const before = (31 - Math.clz32(zeros & -zeros)) >>> 3;
      at += before;
      i += before + 1;
    } else
      while (i < full) {
        const byte = body[i++] as number;
        ended = byte === 0;
        if (ended) break;
        target[at++] = byte;
      }
    target[head] = at - head;
    // another block follows a zero, and a full one, even if it stays empty
    if (!ended && i - start !== BLOCK_BYTES) {
      target[at++] = 0;
      return at;
    }
    head = at++;
  }
  target[head] = 1;
  target[at++] = 0;
  return at;
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
  let at = offset;
  let i = 0;
  while (i < end) {
    const code = frame[i++] as number;
    const next = i + code - 1;
    if (next > end) throw badEncoding(i - 1, `a block of ${code - 1} bytes`, `${end - i} bytes`);
    if (code < LOOP_BELOW_CODE) while (i < next) target[at++] = frame[i++] as number;
    else {
      copyBytes(frame, i, next, target, at);
      at += code - 1;
      i = next;
    }
    if (code !== 255 && i < end) target[at++] = 0;
  }
  return at;
};

/** As decodeCobsInto, into memory of its own. @returns the body */
export const decodeCobs = (frame: Uint8Array): Uint8Array => {
  const body = allocatePart(frame.length);
  return body.subarray(0, decodeCobsInto(frame, body));
};
