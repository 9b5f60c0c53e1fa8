/** Bytes that say where they belong: what came instead of them tells what was done to the stream. */
import { shown } from '../../wire/reading.ts';

/** Enough of a stream to know the place again. */
export const TELLING_BYTES = 16;
/** How far from its place something is looked for. */
const REACH = 1 << 20;

/** `length` bytes from `offset` on: no two streams (`key`) or offsets look alike for long. */
export const coded = (key: number, offset: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) {
    const at = offset + i;
    const word = Math.imul((at >>> 3) ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b) ^ key;
    bytes[i] = ((word >>> ((at & 3) * 8)) ^ (at & 4)) & 0xff;
  }
  return bytes;
};

const bytesOf = (count: number): string => `${count} byte${count === 1 ? ' is' : 's are'}`;

/** `1 byte is missing before them`: where in its stream belongs what came at `offset`. */
const place = (key: number, offset: number, came: Uint8Array): string => {
  if (came.length < TELLING_BYTES) return 'too few to tell where they belong';
  const from = Math.max(0, offset - REACH);
  const found = coded(key, from, offset - from + REACH).indexOf(came);
  if (found < 0) {
    const behind = coded(key, offset, came.length);
    const same = came.findIndex(
      (byte, i) => i > 0 && byte === behind[i] && behind.subarray(i).equals(came.subarray(i)),
    );
    return same > 0
      ? `${bytesOf(same)} changed, what follows is right again`
      : "they belong nowhere near in this stream: changed, or another one's";
  }
  const at = from + found;
  return at > offset
    ? `they belong at offset ${at}: ${bytesOf(at - offset)} missing before them`
    : `they belong at offset ${at}: ${bytesOf(offset - at)} there a second time`;
};

/**
 * @param offset of the first byte that is not as it was sent
 * @param came from there on; `TELLING_BYTES` of them tell most
 */
export const misplaced = (
  key: number,
  offset: number,
  came: Uint8Array,
): { readonly expected: string; readonly got: string } => {
  const few = came.subarray(0, TELLING_BYTES);
  return {
    expected: `at offset ${offset}: ${shown(coded(key, offset, few.length))}`,
    got: `${shown(few)}; ${place(key, offset, few)}`,
  };
};
