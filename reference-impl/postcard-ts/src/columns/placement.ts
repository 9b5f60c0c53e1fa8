import { SLOT_ARRAYS, type Slot } from './layout.ts';

/** Where the arrays of a table lie in a memory, and in which pieces they are copied out of it. */
export type Placement = {
  /** First byte of each slot's array; of those that are no typed array, anything. */
  readonly starts: readonly number[];
  /** Behind the last. */
  readonly end: number;
  /** First byte of each piece, and the byte behind the last. */
  readonly bounds: readonly number[];
  /** The piece that each slot's array lies in. */
  readonly pieces: readonly number[];
};

/**
 * Arrays share a piece up to here: a table of a few rows is one allocation, and those of a large table are of a size that the
 * platform's allocator has lying about. One piece of 475 KB cost 37 page faults a table, a sixth of its time; pieces of 32 KiB cost 9.
 */
const PIECE_MAX = 32 * 1024;

/** Places arrays one behind the other, each at a multiple of 8. @param rooms items of each level @param from a multiple of 8 */
export const placed = (slots: readonly Slot[], rooms: readonly number[], from: number): Placement => {
  const starts: number[] = [];
  const pieces: number[] = [];
  const bounds = [from];
  let end = from;
  for (const { array, level } of slots) {
    const bytes = array === 'any' ? 0 : (rooms[level] as number) * SLOT_ARRAYS[array].BYTES_PER_ELEMENT;
    const next = end + Math.ceil(bytes / 8) * 8;
    const opened = bounds[bounds.length - 1] as number;
    if (next - opened > PIECE_MAX && end > opened) bounds.push(end);
    starts.push(end);
    pieces.push(bounds.length - 1);
    end = next;
  }
  bounds.push(end);
  return { starts, end, bounds, pieces };
};
