import { input } from '../wire/input.ts';
import { Dictionary } from './dictionary.ts';
import { SLOT_ARRAYS, type Slot } from './layout.ts';

/** Any array a slot may have; generated code knows which. */
export type SlotItems = { readonly length: number; [index: number]: unknown };
type Typed = SlotItems & { set(from: unknown): void };

/** What typed slots hold before there is room: nothing is ever written into it. */
const NOTHING: SlotItems = new Uint8Array(0);
/** More room than the tables before this one needed, so that a little more does not mean twice as much. */
const SPARE = 1.125;

/** The arrays of one table, and how much of them is used. */
export class Store {
  readonly #slots: readonly Slot[];
  /** Items for each row, by level, in the last table that was read whole. One for all tables of a schema. */
  readonly #perRow: number[];
  /** One array a slot. */
  readonly arrays: SlotItems[] = [];
  /** Items in use, by level. */
  readonly counts: number[];
  /** Room, by level. */
  readonly rooms: number[];
  dictionary = new Dictionary();
  /** What references point into: the input. */
  bytes: Uint8Array = new Uint8Array(0);
  /** First byte of the input in its buffer: offsets count from there. */
  base = 0;

  constructor(slots: readonly Slot[], levels: number, perRow: number[] = new Array(levels).fill(0)) {
    this.#slots = slots;
    this.#perRow = perRow;
    this.counts = new Array(levels).fill(0);
    this.rooms = new Array(levels).fill(0);
    for (const { array } of slots) this.arrays.push(array === 'any' ? [] : NOTHING);
  }

  /** Makes room for a number of rows, and some at every other level, so that no array is empty: readers touch the first items. */
  begin(rows: number): void {
    this.reserve(0, rows);
    this.counts[0] = rows;
    if (rows > 0) for (let level = 1; level < this.counts.length; level++) this.reserve(level, 1);
  }

  /**
   * Makes room for a number of items at a level, keeping what is there. Starts with what the last table of this schema had for each
   * row, as far as the input can hold it, and doubles from there on: growing from two items costs a third of the whole decode.
   */
  reserve(level: number, count: number): void {
    const room = this.rooms[level] as number;
    if (count <= room) return;
    const expected = level === 0 ? 0 : (this.counts[0] as number) * (this.#perRow[level] as number) * SPARE;
    const larger =
      room === 0
        ? Math.max(count, Math.min(Math.ceil(expected), count + input.claims))
        : Math.max(count, room * 2);
    this.rooms[level] = larger;
    this.#slots.forEach((slot, i) => {
      if (slot.level !== level) return;
      const before = this.arrays[i] as Typed;
      if (slot.array === 'any') {
        // grows by itself, and without holes
        return;
      }
      const after = new SLOT_ARRAYS[slot.array](larger) as Typed;
      if (before.length > 0) after.set(before);
      this.arrays[i] = after;
    });
  }

  /** Remembers for the next table how long lists were. */
  learn(): void {
    const rows = this.counts[0] as number;
    for (let level = 1; level < this.counts.length; level++)
      this.#perRow[level] = rows === 0 ? 0 : (this.counts[level] as number) / rows;
  }

  /** Starts over. */
  clear(): void {
    this.counts.fill(0);
    this.#slots.forEach((slot, i) => {
      if (slot.array === 'any') (this.arrays[i] as unknown[]).length = 0;
    });
  }
}
