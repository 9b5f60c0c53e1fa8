import { PostcardError } from '../postcard-error.ts';

/** The most bytes a body takes as a frame, terminator included. */
export const cobsMaxLength = (bodyBytes: number): number => bodyBytes + Math.floor(bodyBytes / 254) + 2;

/** Decoded runs shorter than this are copied by a loop: a native copy costs more to call. */
const LOOP_BYTES_MAX = 28;
/** Behind what is written, since words are copied whole. */
const SLACK_BYTES = 4;

const badEncoding = (offset: number, expected: string, got: string): PostcardError =>
  new PostcardError({ kind: 'DeserializeBadEncoding', path: '', offset, expected, got });

/**
 * Stuffs a body so that no byte of it is 00, and ends it with a 00. As postcard's flavour: a last run of exactly 254 bytes is
 * followed by an empty block (`FF` ... `01 00`), which the `cobs` crate itself leaves out; decodeCobs takes both.
 * @returns the frame, terminator included
 */
export const encodeCobs = (body: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(cobsMaxLength(body.length) + SLACK_BYTES);
  const from = new DataView(body.buffer, body.byteOffset, body.length);
  const to = new DataView(frame.buffer);
  const n = body.length;
  let head = 0; // where the code of the open block goes
  let at = 1;
  let code = 1;
  let i = 0;
  const close = (): void => {
    frame[head] = code;
    head = at++;
    code = 1;
  };
  while (i < n) {
    // four bytes at once while none of them is zero and the block cannot fill up in between
    if (code < 252 && i < n - 3) {
      const word = from.getInt32(i, true);
      if (((word - 0x01010101) & ~word & 0x80808080) === 0) {
        to.setInt32(at, word, true);
        at += 4;
        i += 4;
        code += 4;
        if (code === 255) close();
        continue;
      }
    }
    const byte = body[i++] as number;
    if (byte === 0) close();
    else {
      frame[at++] = byte;
      if (++code === 255) close();
    }
  }
  frame[head] = code;
  frame[at++] = 0;
  return frame.subarray(0, at);
};

/**
 * Undoes encodeCobs. Reads up to the first 00 or, without one, to the end.
 * @returns the body, in memory of its own
 * @throws PostcardError DeserializeBadEncoding for an empty input or a block that reaches past the end of the frame
 */
export const decodeCobs = (frame: Uint8Array): Uint8Array => {
  if (frame.length === 0) throw badEncoding(0, 'a frame', 'nothing');
  const zero = frame.indexOf(0);
  const end = zero < 0 ? frame.length : zero;
  const body = new Uint8Array(end);
  let at = 0;
  let i = 0;
  while (i < end) {
    const code = frame[i++] as number;
    const next = i + code - 1;
    if (next > end) throw badEncoding(i - 1, `a block of ${code - 1} bytes`, `${end - i} bytes`);
    if (code < LOOP_BYTES_MAX) for (; i < next; i++) body[at++] = frame[i] as number;
    else {
      body.set(frame.subarray(i, next), at);
      at += code - 1;
      i = next;
    }
    if (code !== 255 && i < end) body[at++] = 0;
  }
  return body.subarray(0, at);
};
