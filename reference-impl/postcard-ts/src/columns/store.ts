import { input } from '../wire/input.ts';
import { copyBytes } from '../wire/memory.ts';
import { Dictionary } from './dictionary.ts';
import { SLOT_ARRAYS, type Slot, type SlotArray } from './layout.ts';
import type { Placement } from './placement.ts';
import type { Workspace } from './workspace.ts';

/** Any array a slot may have; generated code knows which. */
export type SlotItems = { readonly length: number; [index: number]: unknown };
type TypedArrays = (typeof SLOT_ARRAYS)[Exclude<SlotArray, 'any'>];
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
  /** How many tables it was before. */
  uses = 0;
  /** A memory of its own, in which arrays then stay where they are read; undefined until it is worth one, null where there is none. */
  home: Workspace | undefined | null;
  #isHome = false;
  /** Typed arrays as they were read elsewhere, several in a piece; views of them are made when they are asked for. */
  #pieces: Uint8Array<ArrayBuffer>[] | undefined;
  #placement: Placement | undefined;

  constructor(slots: readonly Slot[], levels: number, perRow: number[] = new Array(levels).fill(0)) {
    this.#slots = slots;
    this.#perRow = perRow;
    this.counts = new Array(levels).fill(0);
    this.rooms = new Array(levels).fill(0);
    for (const { array } of slots) this.arrays.push(array === 'any' ? [] : NOTHING);
  }

  /** The array of a slot, for who reads it. */
  array(slot: number): SlotItems {
    const { array, level } = this.#slots[slot] as Slot;
    if (array === 'any' || this.arrays[slot] !== NOTHING) return this.arrays[slot] as SlotItems;
    const view = this.#view(SLOT_ARRAYS[array], slot, this.counts[level] as number);
    this.arrays[slot] = view;
    return view;
  }

  #view(of: TypedArrays, slot: number, count: number): SlotItems {
    const { pieces = [], bounds = [], starts = [] } = this.#placement ?? {};
    if (this.#isHome && this.home) return new of(this.home.memory.buffer, starts[slot] as number, count);
    const piece = pieces[slot] as number;
    const buffer = this.#pieces?.[piece]?.buffer;
    if (buffer === undefined) return new of(0);
    return new of(buffer, (starts[slot] as number) - (bounds[piece] as number), count);
  }

  /** Has all typed arrays where they are, in its own memory. */
  settle(placement: Placement): void {
    this.#pieces = [];
    this.#placement = placement;
    this.#isHome = true;
  }

  /** Takes all typed arrays over, as copies of parts of a memory: into the pieces it has already, where they are large enough. */
  adopt(memory: Uint8Array<ArrayBuffer>, placement: Placement): void {
    const { bounds } = placement;
    const pieces = this.#pieces ?? [];
    for (let i = 0; i < bounds.length - 1; i++) {
      const [from, to] = [bounds[i] as number, bounds[i + 1] as number];
      const piece = pieces[i];
      if (piece === undefined || piece.length < to - from)
        pieces[i] = new Uint8Array(memory.buffer.slice(from, to));
      else copyBytes(memory, from, to, piece, 0);
    }
    this.#pieces = pieces;
    this.#placement = placement;
    this.#isHome = false;
  }

  /** Room for each level, as far as the input can hold it: `counts[0]` rows, and lists as long as they were in the table before. */
  expected(claims: number): number[] {
    const rows = this.counts[0] as number;
    return this.#perRow.map((each, level) =>
      level === 0 ? rows : Math.min(Math.ceil(rows * each * SPARE), claims),
    );
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
    this.#pieces = undefined;
    this.#isHome = false;
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
    // arrays copied from elsewhere are made anew for the next table
    if (this.#pieces !== undefined) this.rooms.fill(0);
    this.#slots.forEach((slot, i) => {
      if (slot.array === 'any') (this.arrays[i] as unknown[]).length = 0;
      else if (this.#pieces !== undefined) this.arrays[i] = NOTHING;
    });
  }
}
