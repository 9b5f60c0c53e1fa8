/** Carries bytes and ends from one socket of a pair to the other, with back-pressure. */
import type { NetOutput } from '../../reference-impl/machine/machine.ts';
import type { End } from './nat-pair.ts';
import type { NatReport } from './nat-report.ts';

/** Asks whether bytes have left after this many, stops reading their source after that many. */
const FLUSH_BYTES = 65_536;
const UNFLUSHED_BYTES_MAX = 262_144;

export type Outputs = NetOutput<NatReport>[];

/** @returns how many of the bytes had nowhere to go */
export const carry = (out: Outputs, from: End, to: End, bytes: Uint8Array): number => {
  if (!to.open || to.finished) return bytes.length;
  out.push({ type: 'send', conn: to.conn, bytes });
  to.unflushed += bytes.length;
  if (to.unflushed >= FLUSH_BYTES && to.flushing === 0) flush(out, to);
  if (to.unflushed < UNFLUSHED_BYTES_MAX || from.held || !from.open) return 0;
  from.held = true;
  out.push({ type: 'pause', conn: from.conn });
  return 0;
};

const flush = (out: Outputs, end: End): void => {
  end.flushing = end.unflushed;
  out.push({ type: 'flush', conn: end.conn });
};

/** `end` has taken what was sent to it before the flush. @returns whether `source` may be read again */
export const flushed = (out: Outputs, end: End, source: End): boolean => {
  end.unflushed -= end.flushing;
  end.flushing = 0;
  if (end.unflushed >= FLUSH_BYTES) flush(out, end);
  if (!source.held || end.unflushed >= UNFLUSHED_BYTES_MAX) return false;
  source.held = false;
  return source.open;
};

/** Passes the FIN of the other end on. */
export const finish = (out: Outputs, end: End): void => {
  if (!end.open || end.finished) return;
  end.finished = true;
  out.push({ type: 'end', conn: end.conn });
};

/** RST; the driver says nothing more about this end. */
export const resetEnd = (out: Outputs, end: End): void => {
  if (!end.open) return;
  end.open = false;
  out.push({ type: 'reset', conn: end.conn });
};
