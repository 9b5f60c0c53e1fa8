import type { Limits } from '../codec/options.ts';
import { minSizes } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import {
  Assembly,
  type Code,
  call,
  f32,
  f64,
  give,
  i32,
  i64,
  type Local,
  moduleOf,
  repeat,
  when,
} from '../wasm/assembler.ts';
import { InputCode, isNumber, longVarint, ROWS, refuseIf } from './input-code.ts';
import type { Layout, LayoutPlan, Slot } from './layout.ts';
import { textFunctions } from './text-module.ts';

/** What `rows` and its caller tell each other: words at the start of the memory, then one word a level or slot. */
export const CELL = {
  /** Where reading goes on; and behind the input. */
  position: 0,
  end: 1,
  /** Where the input's first byte would lie: references count from there. */
  base: 2,
  claims: 3,
  /** Of the dictionary. */
  owner: 4,
  /** Items that have no room, of the level that `rows` then says. */
  needed: 5,
  /** And the row in which. */
  row: 6,
  /** The index of what `foreign` kept. */
  kept: 7,
  first: 8,
} as const;
/** Cells there is room for: the first page of 4 KiB. */
const CELLS_MAX = 1024;

/** The first cells of counts, rooms and arrays. */
export const cellsOf = (levels: number) => {
  const counts = CELL.first;
  const rooms = counts + levels;
  return { counts, rooms, arrays: rooms + levels };
};

/** Bytes of an item, as a shift. */
const SHIFT = { u8: 0, i8: 0, u16: 1, i16: 1, u32: 2, i32: 2, f32: 2, f64: 3, u64: 3, i64: 3 } as const;
const INTEGER_STORES = { 0: i32.store8, 1: i32.store16, 2: i32.store, 3: i32.store } as const;
/** Enums beyond are rare, and their index may take two bytes. */
const CASES_MAX = 128;
/** Cases that are looked at one by one; more are halved. */
const CHAIN_MAX = 4;

// functions of the module
const NEW_TEXT = 0;
const FOREIGN = 1;
const LONG_VARINT = 2;
const FIRST_TEXT = 3;
const TEXT_ID = 5;

const cell = (index: number): Code => i32.load(i32.const(index * 4));
const keep = (index: number, value: Code): Code => i32.store(i32.const(index * 4), value);

/** A payload that only JavaScript can read, and the slot that keeps it. */
export type ForeignPayload = { readonly node: Node; readonly slot: number };

export type RowsProgram = {
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly foreign: readonly ForeignPayload[];
  /** Slots that have to be zero before: lengths, where few payloads are texts. */
  readonly zeroed: readonly number[];
};

/**
 * Writes the WebAssembly module that reads rows into columns. Columns need no objects, and so a row is loads and stores; JavaScript
 * asks at each of them where the array lies and how long it is. The module's `rows(i, to)` reads the rows from i to (not including)
 * `to` out of its memory and into it. It refuses more than it must (padded varints of nine bytes, say): its caller then reads again
 * in JavaScript, which accepts them, or says what is wrong.
 */
export class RowsModule {
  readonly #slots: readonly Slot[];
  readonly #minSize: (node: Node) => number;
  readonly #items: number;
  readonly #rows = new Assembly(['i32', 'i32'], ['i32']);
  readonly #input = new InputCode(this.#rows, LONG_VARINT);
  readonly #base = this.#rows.local('i32');
  readonly #claims = this.#rows.local('i64');
  readonly #owner = this.#rows.local('i64');
  readonly #counts: readonly Local[];
  readonly #rooms: readonly Local[];
  readonly #arrays: readonly Local[];
  readonly #foreign: ForeignPayload[] = [];
  readonly #zeroed: number[] = [];

  private constructor(row: Node, { slots, levels }: LayoutPlan, limits: Limits) {
    const locals = (count: number) => Array.from({ length: count }, () => this.#rows.local('i32'));
    this.#slots = slots;
    this.#minSize = minSizes(row);
    this.#items = Math.min(limits.items, 0x7fff_ffff);
    this.#counts = locals(levels);
    this.#rooms = locals(levels);
    this.#arrays = locals(slots.length);
  }

  /** @returns undefined where a part of the layout is not for it */
  static of(row: Node, plan: LayoutPlan, limits: Limits): RowsProgram | undefined {
    const made = new RowsModule(row, plan, limits);
    const fits = cellsOf(plan.levels).arrays + plan.slots.length <= CELLS_MAX;
    if (!fits || made.#minSize(row) === 0 || !made.#reads(plan.root)) return undefined;
    return { bytes: made.#bytes(plan.root), foreign: made.#foreign, zeroed: made.#zeroed };
  }

  /** Whether there is code for all of a layout. */
  #reads(layout: Layout): boolean {
    switch (layout.kind) {
      case 'plain':
        return false;
      case 'number':
        return isNumber(layout.node);
      case 'wide':
        return layout.node.kind !== 'fixed' || layout.node.endian === 'le';
      case 'group':
        return layout.parts.every(([, part]) => this.#reads(part));
      case 'option':
        return this.#reads(layout.of);
      case 'list':
        // items without bytes have a limit of their own, which is counted in JavaScript
        return this.#minSize(layout.node) > 0 && this.#reads(layout.of);
      case 'choice': {
        const { cases } = layout;
        const isRead = cases.every(([, form, node]) => form !== 'number' || isNumber(node));
        return isRead && cases.length > 0 && cases.length <= CASES_MAX;
      }
      default:
        return true;
    }
  }

  #bytes(root: Layout): Uint8Array<ArrayBuffer> {
    const [i, to] = [this.#rows.param(0), this.#rows.param(1)];
    const { p, e } = this.#input;
    const { counts, rooms, arrays } = cellsOf(this.#counts.length);
    const all = (locals: readonly Local[], first: number): Code =>
      locals.map((local, at) => local.set(cell(first + at)));
    const next = i.set(i32.add(i.get, i32.const(1)));
    const row = this.#read(root, i);
    this.#rows.body = [
      ...[p.set(cell(CELL.position)), e.set(cell(CELL.end)), this.#base.set(cell(CELL.base))],
      this.#claims.set(i64.extendU(cell(CELL.claims))),
      this.#owner.set(i64.shl(i64.extendU(cell(CELL.owner)), i64.const(32n))),
      ...[all(this.#counts, counts), all(this.#rooms, rooms), all(this.#arrays, arrays)],
      this.#input.start,
      repeat([row, this.#input.checkEnd(), next], i32.ltU(i.get, to.get)),
      ...[keep(CELL.position, p.get), keep(CELL.claims, i32.wrap(this.#claims.get))],
      this.#counts.map((local, at) => keep(counts + at, local.get)),
      i32.const(ROWS.done),
    ];
    const imported = [
      { name: 'newText', params: ['i32', 'i32'], results: ['i32'] },
      { name: 'foreign', params: ['i32', 'i32'], results: ['i32'] },
    ] as const;
    const varint = longVarint(new Assembly(['i32'], ['i64', 'i32']));
    return moduleOf(imported, [varint, ...textFunctions(NEW_TEXT, FIRST_TEXT), this.#rows], 'rows');
  }

  #shift(slot: number): 0 | 1 | 2 | 3 {
    const { array } = this.#slots[slot] as Slot;
    return array === 'any' ? 0 : SHIFT[array];
  }

  /** Where an item of a slot lies. */
  #at(slot: number, i: Local): Code {
    const shift = this.#shift(slot);
    const offset = shift === 0 ? i.get : i32.shl(i.get, i32.const(shift));
    return i32.add((this.#arrays[slot] as Local).get, offset);
  }

  #read(layout: Layout, i: Local): Code {
    const input = this.#input;
    switch (layout.kind) {
      case 'none':
      case 'plain':
        return [];
      case 'number':
        return this.#number(layout.slot, i, layout.node);
      case 'wide': {
        const { read, value } = input.wide(layout.node);
        return [read, i64.store(this.#at(layout.slot, i), value)];
      }
      case 'bool':
        return [input.flag(), i32.store8(this.#at(layout.slot, i), input.count.get)];
      case 'dict':
        return this.#text((id) => i32.store(this.#at(layout.slot, i), id));
      case 'ref':
      case 'bytes':
        return this.#reference((offset) => i32.store(this.#at(layout.offsets, i), offset), layout.lengths, i);
      case 'group':
        return layout.parts.map(([, part]) => this.#read(part, i));
      case 'option': {
        const { present, of } = layout;
        const tag = [input.flag(), i32.store8(this.#at(present, i), input.count.get)];
        return [tag, when(input.count.get, this.#read(of, i), this.#skip(of, i))];
      }
      case 'list':
        return this.#list(layout, i);
      case 'choice':
        return this.#choice(layout, i);
    }
  }

  #number(slot: number, i: Local, node: Node): Code {
    const { read, value, type } = this.#input.number(node);
    const at = this.#at(slot, i);
    if (type === 'i32') return [read, INTEGER_STORES[this.#shift(slot)](at, value)];
    return [read, type === 'f32' ? f32.store(at, value) : f64.store(at, value)];
  }

  /** Reads a text and keeps its id. */
  #text(store: (id: Code) => Code): Code {
    const { p, count } = this.#input;
    const id = call(TEXT_ID, p.get, count.get, this.#owner.get);
    return [this.#input.extent(), store(id), this.#input.advance(count.get)];
  }

  /** Passes a text or bytes, and keeps where they are. */
  #reference(store: (offset: Code) => Code, lengths: number, i: Local): Code {
    const { p, count } = this.#input;
    return [
      this.#input.passed(),
      store(i32.sub(p.get, this.#base.get)),
      i32.store(this.#at(lengths, i), count.get),
      this.#input.advance(count.get),
    ];
  }

  /** What stands where an option is absent: lists stay rising, and nothing of an earlier table shows. */
  #skip(layout: Layout, i: Local): Code {
    const zero = (slot: number): Code => {
      const [at, shift] = [this.#at(slot, i), this.#shift(slot)];
      return shift === 3 ? i64.store(at, i64.const(0n)) : INTEGER_STORES[shift](at, i32.const(0));
    };
    switch (layout.kind) {
      case 'none':
        return [];
      case 'ref':
      case 'bytes':
        return [zero(layout.offsets), zero(layout.lengths)];
      case 'group':
        return layout.parts.map(([, part]) => this.#skip(part, i));
      case 'option':
        return [zero(layout.present), this.#skip(layout.of, i)];
      case 'list':
        return i32.store(this.#at(layout.ends, i), (this.#counts[layout.level] as Local).get);
      case 'choice':
        return [layout.tags, layout.numbers].map(zero);
      default:
        return zero(layout.slot);
    }
  }

  #list({ ends, level, of, node }: Extract<Layout, { kind: 'list' }>, i: Local): Code {
    const [at, room] = [this.#counts[level] as Local, this.#rooms[level] as Local];
    const to = this.#rows.local('i32');
    const { get: count } = this.#input.count;
    const claimed = i64.mul(i64.extendU(count), i64.const(BigInt(this.#minSize(node))));
    const noRoom = [
      ...[keep(CELL.needed, to.get), keep(CELL.row, this.#rows.param(0).get)],
      give(i32.const(ROWS.noRoom + level)),
    ];
    const next = at.set(i32.add(at.get, i32.const(1)));
    const more = i32.ltU(at.get, to.get);
    return [
      ...[this.#input.length(), this.#input.checkEnd()],
      this.#claims.set(i64.sub(this.#claims.get, claimed)),
      refuseIf(i64.ltS(this.#claims.get, i64.const(0n))),
      refuseIf(i32.gtU(count, i32.const(this.#items))),
      to.set(i32.add(at.get, count)),
      when(i32.gtU(to.get, room.get), noRoom),
      when(more, repeat([this.#read(of, at), this.#input.checkEnd(), next], more)),
      i32.store(this.#at(ends, i), at.get),
    ];
  }

  #choice(layout: Extract<Layout, { kind: 'choice' }>, i: Local): Code {
    const tag = this.#rows.local('i32');
    if (layout.lengths >= 0) this.#zeroed.push(layout.lengths);
    const payloads = layout.cases.map((_, index) => this.#payload(layout, index, i));
    const branch = (from: number, to: number): Code => {
      if (from + 1 >= to) return payloads[from] as Code;
      const middle = to - from <= CHAIN_MAX ? from + 1 : (from + to) >> 1;
      return when(i32.ltU(tag.get, i32.const(middle)), branch(from, middle), branch(middle, to));
    };
    return [
      this.#input.below(layout.cases.length, tag),
      i32.store8(this.#at(layout.tags, i), tag.get),
      branch(0, layout.cases.length),
    ];
  }

  #payload(layout: Extract<Layout, { kind: 'choice' }>, index: number, i: Local): Code {
    const { cases, numbers, lengths, others, text } = layout;
    const [, form, node] = cases[index] as (typeof cases)[number];
    const keepFloat = (value: Code): Code => f64.store(this.#at(numbers, i), value);
    switch (form) {
      case 'none':
        return [keepFloat(f64.const(0))];
      case 'bool':
        return [this.#input.flag(), keepFloat(f64.fromU32(this.#input.count.get))];
      case 'number': {
        const { read, value } = this.#input.float(node);
        return [read, keepFloat(value)];
      }
      case 'text':
        if (text === 'dict') return this.#text((id) => keepFloat(f64.fromU32(id)));
        return this.#reference((offset) => keepFloat(f64.fromU32(offset)), lengths, i);
      case 'other':
        return [this.#other(node, others), keepFloat(f64.fromU32(cell(CELL.kept)))];
    }
  }

  /** Leaves a payload to JavaScript, which goes on with the claims of this message. */
  #other(node: Node, slot: number): Code {
    const number = this.#foreign.push({ node, slot }) - 1;
    const { p } = this.#input;
    return [
      this.#input.checkEnd(),
      keep(CELL.claims, i32.wrap(this.#claims.get)),
      p.set(call(FOREIGN, i32.const(number), p.get)),
      this.#claims.set(i64.extendU(cell(CELL.claims))),
    ];
  }
}
