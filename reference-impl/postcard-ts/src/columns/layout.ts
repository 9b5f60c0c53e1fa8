import { isNullable } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import { badSchema, member } from '../wire/refusal.ts';

/** How the strings of a column are kept: as ids of a dictionary, or as offset and length in the input. */
export type TextForm = 'dict' | 'ref';

/** Arrays that hold a slot's items. */
export const SLOT_ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  any: Array,
} as const;
export type SlotArray = keyof typeof SLOT_ARRAYS;

/** One array of a table. Level 0 has an item a row; level k one for every item of the k-th nested list. */
export type Slot = { readonly array: SlotArray; readonly level: number };

/** How a payload is kept in the Float64Array of a choice: as a number, a dictionary id, an offset, or an index into `others`. */
export type PayloadForm = 'none' | 'number' | 'bool' | 'text' | 'other';

/** A node as columns: which slots its parts go into. */
export type Layout =
  | { readonly kind: 'number' | 'bool' | 'wide'; readonly node: Node; readonly slot: number }
  | { readonly kind: 'dict'; readonly slot: number }
  | { readonly kind: 'ref' | 'bytes'; readonly offsets: number; readonly lengths: number }
  | {
      readonly kind: 'group';
      readonly isTuple: boolean;
      readonly parts: readonly (readonly [string, Layout])[];
    }
  | { readonly kind: 'option'; readonly present: number; readonly of: Layout; readonly wraps: boolean }
  | {
      readonly kind: 'list';
      readonly ends: number;
      readonly level: number;
      readonly of: Layout;
      readonly node: Node;
    }
  | {
      readonly kind: 'choice';
      readonly tags: number;
      readonly numbers: number;
      readonly lengths: number;
      readonly others: number;
      readonly text: TextForm;
      readonly cases: readonly (readonly [tag: string, form: PayloadForm, node: Node])[];
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'plain'; readonly node: Node; readonly slot: number };

/** Forms by the path of a string or enum (`attributes[0]`), or of anything that holds it. */
export type TextForms = Readonly<Record<string, TextForm>>;

/** Numbers that are no integers of 64 bits or more, and the arrays of their columns. */
export const NUMBERS = {
  u8: 'u8',
  i8: 'i8',
  u16: 'u16',
  i16: 'i16',
  u32: 'u32',
  i32: 'i32',
  f32: 'f32',
  f64: 'f64',
} as const;

/** Lays a row's node out in slots. */
export class LayoutPlan {
  readonly slots: Slot[] = [];
  readonly root: Layout;
  levels = 1;
  readonly #forms: ReadonlyMap<string, TextForm>;
  readonly #used = new Set<string>();

  /** @throws PostcardError BadSchema for a form of a path that holds no string */
  constructor(row: Node, forms: TextForms, standard: TextForm) {
    this.#forms = new Map(Object.entries(forms));
    this.root = this.#lay(row, '', 0, standard);
    for (const path of this.#forms.keys())
      if (!this.#used.has(path)) throw badSchema(path, 'the path of a column with strings', 'none there');
  }

  #slot(array: SlotArray, level: number): number {
    this.slots.push({ array, level });
    return this.slots.length - 1;
  }

  #lay(node: Node, path: string, level: number, outer: TextForm): Layout {
    const named = path.startsWith('.') ? path.slice(1) : path;
    const own = this.#forms.get(named);
    if (own !== undefined) this.#used.add(named);
    const form = own ?? outer;
    switch (node.kind) {
      case 'unit':
        return { kind: 'none' };
      case 'bool':
        return { kind: 'bool', node, slot: this.#slot('u8', level) };
      case 'u8':
      case 'i8':
      case 'u16':
      case 'i16':
      case 'u32':
      case 'i32':
      case 'f32':
      case 'f64':
        return { kind: 'number', node, slot: this.#slot(NUMBERS[node.kind], level) };
      case 'wide':
      case 'fixed':
        return this.#wide(node, level);
      case 'string':
        if (form === 'dict') return { kind: 'dict', slot: this.#slot('u32', level) };
        return { kind: 'ref', offsets: this.#slot('u32', level), lengths: this.#slot('u32', level) };
      case 'bytes':
        return { kind: 'bytes', offsets: this.#slot('u32', level), lengths: this.#slot('u32', level) };
      case 'struct':
      case 'tuple': {
        const parts = (
          node.kind === 'struct' ? node.fields : node.items.map((item, i) => [String(i), item] as const)
        ).map(([name, part]) => {
          const piece = node.kind === 'struct' ? member(name) : `[${name}]`;
          return [name, this.#lay(part, path + piece, level, form)] as const;
        });
        return { kind: 'group', isTuple: node.kind === 'tuple', parts };
      }
      case 'option': {
        const present = this.#slot('u8', level);
        const wraps = isNullable(node.of);
        return { kind: 'option', present, of: this.#lay(node.of, path, level, form), wraps };
      }
      case 'seq': {
        const ends = this.#slot('u32', level);
        const inner = this.levels++;
        return { kind: 'list', ends, level: inner, of: this.#lay(node.of, path, inner, form), node: node.of };
      }
      case 'enum':
        return this.#choice(node.variants, level, form);
      default:
        return { kind: 'plain', node, slot: this.#slot('any', level) };
    }
  }

  #wide(node: Extract<Node, { kind: 'wide' | 'fixed' }>, level: number): Layout {
    const { int } = node;
    const isBig = int === 'u64' || int === 'i64' || int === 'u128' || int === 'i128';
    if (!isBig || node.form === 'number') return { kind: 'number', node, slot: this.#slot('f64', level) };
    // an array of 64-bit integers cannot hold 128 bits, nor be sometimes a number
    if (int === 'u128' || int === 'i128' || node.form === 'auto')
      return { kind: 'plain', node, slot: this.#slot('any', level) };
    return { kind: 'wide', node, slot: this.#slot(int, level) };
  }

  #choice(variants: readonly (readonly [string, Node])[], level: number, text: TextForm): Layout {
    const cases = variants.map(([tag, node]) => [tag, formOf(node), node] as const);
    const has = (form: PayloadForm): boolean => cases.some(([, one]) => one === form);
    return {
      kind: 'choice',
      tags: this.#slot(variants.length > 256 ? 'u32' : 'u8', level),
      numbers: this.#slot('f64', level),
      lengths: text === 'ref' && has('text') ? this.#slot('u32', level) : -1,
      others: has('other') ? this.#slot('any', level) : -1,
      text,
      cases,
    };
  }
}

const formOf = (node: Node): PayloadForm => {
  switch (node.kind) {
    case 'unit':
      return 'none';
    case 'bool':
      return 'bool';
    case 'string':
      return 'text';
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
    case 'f32':
    case 'f64':
      return 'number';
    case 'wide':
    case 'fixed':
      return node.form === 'number' ? 'number' : 'other';
    default:
      return 'other';
  }
};
