/**
 * Memory for what is sent: frames of one turn stand side by side in it, so that a burst of small ones leaves in one write. (A write
 * a message was a quarter of the CPU time of a 1 KiB message.) What was handed out is never written to again.
 */
import type { Conn, NetOutput } from '../machine/machine.ts';

const SLAB_BYTES = 65_536;
/** Longer ones have memory of their own: they would end a slab before it is used. */
const SHARED_BYTES_MAX = 16_384;

let slab: Uint8Array = new Uint8Array(0);
let used = 0;

/** So many bytes behind those of the last call, if there is room. Their content is whatever was there. */
export const room = (bytes: number): Uint8Array => {
  if (bytes > SHARED_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
  if (used + bytes > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const from = used;
  used += bytes;
  return slab.subarray(from, used);
};

/** Both as one view. @returns undefined unless `second` begins where `first` ends */
const joined = (first: Uint8Array, second: Uint8Array): Uint8Array | undefined =>
  first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset
    ? new Uint8Array(first.buffer, first.byteOffset, first.length + second.length)
    : undefined;

/** Says `send`, in one with what was said just before if that stands in front of it. */
export const saySend = <Report>(conn: Conn, bytes: Uint8Array, out: NetOutput<Report>[]): void => {
  const before = out.at(-1);
  const both = before?.type === 'send' && before.conn === conn ? joined(before.bytes, bytes) : undefined;
  if (both === undefined) out.push({ type: 'send', conn, bytes });
  else out[out.length - 1] = { type: 'send', conn, bytes: both };
};
