import { Dictionary } from './dictionary.ts';
import { SLOT_ARRAYS, type Slot } from './layout.ts';

/** Any array a slot may have; generated code knows which. */
export type SlotItems = { readonly length: number; [index: number]: unknown };
type Typed = SlotItems & { set(from: unknown): void };

/** The arrays of one table, and how much of them is used. */
export class Store {
  readonly #slots: readonly Slot[];
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

  constructor(slots: readonly Slot[], levels: number) {
    this.#slots = slots;
    this.counts = new Array(levels).fill(0);
    this.rooms = new Array(levels).fill(0);
    for (const { array } of slots) this.arrays.push(new SLOT_ARRAYS[array](0) as SlotItems);
  }

  /** Makes room for a number of items at a level, keeping what is there. Doubles, so that many small steps stay linear. */
  reserve(level: number, count: number): void {
    const room = this.rooms[level] as number;
    if (count <= room) return;
    const larger = room === 0 ? count : Math.max(count, room * 2);
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

  /** Starts over. */
  clear(): void {
    this.counts.fill(0);
    this.#slots.forEach((slot, i) => {
      if (slot.array === 'any') (this.arrays[i] as unknown[]).length = 0;
    });
  }
}
