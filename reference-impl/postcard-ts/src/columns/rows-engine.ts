import { ClosureDecoder } from '../closures/decode.ts';
import { type Decoder, length } from '../closures/decode-leaves.ts';
import type { Settings } from '../codec/options.ts';
import { minSizes } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import { exportsOf, type Module, moduleFrom } from '../wasm/engine.ts';
import { input } from '../wire/input.ts';
import { copyBytes } from '../wire/memory.ts';
import { ROWS } from './input-code.ts';
import type { LayoutPlan, Slot } from './layout.ts';
import { type Placement, placed } from './placement.ts';
import { CELL, cellsOf, RowsModule, type RowsProgram } from './rows-module.ts';
import type { Store } from './store.ts';
import { TEXTS_END } from './text-module.ts';
import { type RowsFunction, Workspace } from './workspace.ts';

/** What is read lies behind the strings. */
const INPUT = TEXTS_END;
/** Strings are read in pieces of 16 bytes, varints of eight: what lies behind the input is read, too, and then not used. */
const BEHIND = 64;
/** Larger tables are left to JavaScript, whose arrays go when the table goes. */
const BYTES_MAX = 512 * 1024 * 1024;
/** Rows of one call: code that is called often is soon the platform's best, code that runs long stays what it was. */
const ROWS_AT_ONCE = 1024;
/** More room than rows so far asked for. */
const SPARE = 1.25;
/** Rooms, and the input's, are rounded up: tables of about one size then lie alike. */
const ROOM_STEP = 32;
const INPUT_STEP = 4096;
const rounded = (value: number, step: number): number => Math.ceil(value / step) * step;

/**
 * A memory of its own takes a millisecond to make, and its strings hundreds of KiB. For tables that were used so often, and that are so
 * large (input and all), it is worth that: copies of their arrays cost a tenth.
 */
const OWN_MEMORY_USES = 8;
const OWN_MEMORY_BYTES = 256 * 1024;

/** The memory of a table that is used again, where there is one. */
const homeOf = (store: Store, size: number): Workspace | undefined => {
  const isWorthOne = store.uses >= OWN_MEMORY_USES && size - INPUT >= OWN_MEMORY_BYTES;
  if (store.home === undefined && isWorthOne)
    try {
      store.home = Workspace.own();
    } catch {
      store.home = null;
    }
  return store.home ?? undefined;
};

type Foreign = { readonly read: Decoder; readonly slot: number };

/** Reads rows by WebAssembly: what is read is copied into its memory, and the arrays out of it. */
export class RowsEngine {
  readonly #module: Module;
  readonly #slots: readonly Slot[];
  readonly #levels: number;
  readonly #least: number;
  readonly #items: number;
  readonly #foreign: readonly Foreign[];
  readonly #zeroed: readonly number[];
  #rooms: readonly number[] = [];
  #placement: Placement | undefined;
  /** What is read into, while it is. */
  #store: Store | undefined;
  /** From an address of the memory to the place in the input. */
  #back = 0;

  private constructor(
    row: Node,
    plan: LayoutPlan,
    settings: Settings,
    module: Module,
    { foreign, zeroed }: RowsProgram,
  ) {
    const decoder = new ClosureDecoder(row, settings);
    this.#module = module;
    this.#slots = plan.slots;
    this.#levels = plan.levels;
    this.#least = minSizes(row)(row);
    this.#items = settings.limits.items;
    this.#zeroed = zeroed;
    this.#foreign = foreign.map(({ node, slot }) => ({ read: decoder.build(node), slot }));
  }

  /** @returns undefined where the platform forbids WebAssembly, or rows hold what this does not read */
  static of(row: Node, plan: LayoutPlan, settings: Settings): RowsEngine | undefined {
    const made = RowsModule.of(row, plan, settings.limits);
    const module = made && moduleFrom(made.bytes);
    return module && new RowsEngine(row, plan, settings, module, made);
  }

  /**
   * Reads a seq of rows from p into a store and leaves input.p behind it.
   * @returns false when somebody else has to, from the start: it may be too large, or wrong
   * @throws Refusal for what is found wrong outside of WebAssembly: strings, payloads without a column
   */
  read(p: number, store: Store): boolean {
    const n = length(p);
    const claims = input.claims - n * this.#least;
    if (claims < 0 || n > this.#items || input.p > input.e) return false;
    store.counts[0] = n;
    if (n === 0) return true;
    const rooms = store.expected(claims).map((room) => rounded(room, ROOM_STEP));
    const from = input.p;
    this.#store = store;
    try {
      for (;;) {
        const answer = this.#attempt(from, n, claims, rooms, store);
        if (answer !== 'again') return answer === 'done';
        store.clear();
        store.counts[0] = n;
      }
    } finally {
      this.#store = undefined;
      Workspace.tidy();
    }
  }

  /** Reads all rows, as far as there is room. @returns 'again' after making more in `rooms` */
  #attempt(
    p: number,
    n: number,
    claims: number,
    rooms: number[],
    store: Store,
  ): 'done' | 'again' | 'not ours' {
    const placement = this.#placed(rooms, INPUT + rounded(input.e - p + BEHIND, INPUT_STEP));
    const place = this.#settled(placement.end, store);
    if (place === undefined) return 'not ours';
    const { home, rows } = place;
    const { cells } = home;
    copyBytes(input.b, p, input.e, home.bytes, INPUT);
    this.#back = p - INPUT;
    this.#tell(cells, p, claims, rooms, placement);
    cells[CELL.owner] = store.dictionary.owner;
    for (const slot of this.#zeroed) this.#zero(home.bytes, slot, rooms, placement);
    for (let i = 0; i < n; i += ROWS_AT_ONCE) {
      const answer = rows(i, Math.min(n, i + ROWS_AT_ONCE));
      if (answer === ROWS.done) continue;
      if (answer === ROWS.refused) return 'not ours';
      this.#makeRoom(answer - ROWS.noRoom, cells, n, claims, rooms);
      return 'again';
    }
    const { counts } = cellsOf(this.#levels);
    for (let level = 1; level < this.#levels; level++) store.counts[level] = cells[counts + level] as number;
    input.p = (cells[CELL.position] as number) + this.#back;
    if (home === store.home) store.settle(placement);
    else store.adopt(home.bytes, placement);
    return 'done';
  }

  #zero(bytes: Uint8Array, slot: number, rooms: readonly number[], { starts }: Placement): void {
    const { level } = this.#slots[slot] as Slot;
    const start = starts[slot] as number;
    bytes.fill(0, start, start + (rooms[level] as number) * Uint32Array.BYTES_PER_ELEMENT);
  }

  #tell(cells: Int32Array, p: number, claims: number, rooms: readonly number[], { starts }: Placement): void {
    const at = cellsOf(this.#levels);
    cells[CELL.position] = INPUT;
    cells[CELL.end] = INPUT + (input.e - p);
    cells[CELL.base] = INPUT - (p - input.s);
    cells[CELL.claims] = claims;
    for (let level = 0; level < this.#levels; level++) {
      cells[at.counts + level] = 0;
      cells[at.rooms + level] = rooms[level] as number;
    }
    for (let slot = 0; slot < starts.length; slot++) cells[at.arrays + slot] = starts[slot] as number;
  }

  /** As many items for each row as so far, and never more than the input can hold. */
  #makeRoom(level: number, cells: Int32Array, n: number, claims: number, rooms: number[]): void {
    const needed = cells[CELL.needed] as number;
    const alike = (needed / ((cells[CELL.row] as number) + 1)) * n * SPARE;
    const wanted = Math.max(alike, (rooms[level] as number) * 2);
    rooms[level] = rounded(Math.min(wanted, needed + claims), ROOM_STEP);
  }

  /** The placement of the table before, if it fits: to think of one takes as long as ten rows. */
  #placed(rooms: readonly number[], from: number): Placement {
    const isSame = rooms.every((room, level) => room === this.#rooms[level]);
    if (this.#placement === undefined || !isSame || this.#placement.bounds[0] !== from) {
      this.#rooms = [...rooms];
      this.#placement = placed(this.#slots, rooms, from);
    }
    return this.#placement;
  }

  /** A memory of that size, and the code that works in it; undefined when the platform has none. */
  #settled(
    size: number,
    store: Store,
  ): { readonly home: Workspace; readonly rows: RowsFunction } | undefined {
    if (size > BYTES_MAX) return undefined;
    try {
      const home = homeOf(store, size) ?? Workspace.current();
      home.reserve(size);
      let rows = home.functions.get(this);
      if (rows === undefined) {
        rows = this.#functionIn(home);
        home.functions.set(this, rows);
      }
      return { home, rows };
    } catch (thrown) {
      if (thrown instanceof RangeError) return undefined;
      throw thrown;
    }
  }

  #functionIn(home: Workspace): RowsFunction {
    const { rows } = exportsOf(this.#module, {
      memory: home.memory,
      newText: (p: number, n: number): number =>
        (this.#store as Store).dictionary.idAt(input.b, input.v, p + this.#back, n),
      foreign: (number: number, p: number): number => this.#keep(home.cells, number, p),
    });
    return rows as RowsFunction;
  }

  /** Reads a payload that has no column of its own. @returns the address behind it */
  #keep(cells: Int32Array, number: number, p: number): number {
    const { read, slot } = this.#foreign[number] as Foreign;
    const kept = (this.#store as Store).arrays[slot] as unknown as unknown[];
    input.claims = cells[CELL.claims] as number;
    cells[CELL.kept] = kept.length;
    kept.push(read(p + this.#back));
    cells[CELL.claims] = input.claims;
    return input.p - this.#back;
  }
}
