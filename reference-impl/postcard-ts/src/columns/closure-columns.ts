import { ClosureDecoder } from '../closures/decode.ts';
import { byte, type Decoder, length, variantIndex } from '../closures/decode-leaves.ts';
import type { Settings } from '../codec/options.ts';
import { minSizes } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import { badOption, checkItems, end, input, takeEmpties } from '../wire/input.ts';
import { member, within } from '../wire/refusal.ts';
import type { Layout } from './layout.ts';
import type { SlotItems, Store } from './store.ts';

/** Reads the columns of one item into its place. */
type ColumnReader = (p: number, i: number) => void;
/** Reads a seq of rows into a store and leaves input.p behind it. */
export type ColumnsFunction = (p: number, store: Store) => void;

/** Builds the reader of a table out of closures: for places where no code may be generated, and to explain refusals. */
export class ClosureColumns {
  readonly #settings: Settings;
  readonly #decoder: ClosureDecoder;
  readonly #minSize: (node: Node) => number;
  #store: Store | undefined;

  constructor(row: Node, settings: Settings) {
    this.#settings = settings;
    this.#decoder = new ClosureDecoder(row, settings);
    this.#minSize = minSizes(row);
  }

  build(row: Node, layout: Layout): ColumnsFunction {
    const read = this.#reader(layout);
    return (p, store) => {
      this.#store = store;
      const n = this.#count(p, row);
      store.reserve(0, input.claims < 0 ? 0 : n);
      store.counts[0] = n;
      let i = 0;
      try {
        for (; i < n; i++) {
          if (i >= (store.rooms[0] as number)) store.reserve(0, i + 1);
          read(input.p, i);
        }
      } catch (thrown) {
        throw within(thrown, `[${i}]`);
      }
    };
  }

  #count(p: number, node: Node): number {
    const n = length(p);
    const least = this.#minSize(node);
    if (least === 0) takeEmpties(input.p, n);
    else input.claims -= n * least;
    if (input.claims >= 0) checkItems(input.p, n, this.#settings.limits.items);
    return n;
  }

  #array(slot: number): SlotItems {
    return (this.#store as Store).arrays[slot] as SlotItems;
  }

  #textRange(p: number): number {
    const n = length(p);
    if (n > input.e - input.p) end(input.p, `${n} bytes`);
    return n;
  }

  #reader(layout: Layout): ColumnReader {
    switch (layout.kind) {
      case 'none':
        return (p) => {
          input.p = p;
        };
      case 'number':
      case 'wide':
      case 'plain': {
        const read = this.#decoder.build(layout.node);
        return (p, i) => {
          this.#array(layout.slot)[i] = read(p);
        };
      }
      case 'bool': {
        const read = this.#decoder.build(layout.node);
        return (p, i) => {
          this.#array(layout.slot)[i] = read(p) === true ? 1 : 0;
        };
      }
      case 'dict':
        return (p, i) => {
          this.#array(layout.slot)[i] = this.#textId(p);
        };
      case 'ref':
      case 'bytes':
        return (p, i) => {
          const n = this.#textRange(p);
          this.#array(layout.offsets)[i] = input.p - input.s;
          this.#array(layout.lengths)[i] = n;
          input.p += n;
        };
      case 'group':
        return this.#group(layout);
      case 'option':
        return this.#option(layout);
      case 'list':
        return this.#list(layout);
      case 'choice':
        return this.#choice(layout);
    }
  }

  #textId(p: number): number {
    const n = this.#textRange(p);
    const at = input.p;
    const id = (this.#store as Store).dictionary.idAt(input.b, input.v, at, n);
    input.p = at + n;
    return id;
  }

  #group({ isTuple, parts }: Extract<Layout, { kind: 'group' }>): ColumnReader {
    const readers = parts.map(([, part]) => this.#reader(part));
    const pieces = parts.map(([name]) => (isTuple ? `[${name}]` : member(name)));
    return (p, i) => {
      input.p = p;
      let part = 0;
      try {
        for (; part < readers.length; part++) (readers[part] as ColumnReader)(input.p, i);
      } catch (thrown) {
        throw within(thrown, pieces[part] as string);
      }
    };
  }

  #option({ present, of, wraps }: Extract<Layout, { kind: 'option' }>): ColumnReader {
    const read = this.#reader(of);
    return (p, i) => {
      const tag = byte(p, 'an option tag');
      if (tag > 1) badOption(p);
      this.#array(present)[i] = tag;
      try {
        if (tag === 1) read(p + 1, i);
        else this.#skip(of, i);
      } catch (thrown) {
        throw wraps ? within(thrown, '.some') : thrown;
      }
    };
  }

  /** Keeps the ends of lists rising and holes out of plain arrays where an option is absent. */
  #skip(layout: Layout, i: number): void {
    if (layout.kind === 'list')
      this.#array(layout.ends)[i] = (this.#store as Store).counts[layout.level] as number;
    else if (layout.kind === 'plain') this.#array(layout.slot)[i] = undefined;
    else if (layout.kind === 'choice' && layout.others >= 0) return;
    else if (layout.kind === 'group') for (const [, part] of layout.parts) this.#skip(part, i);
    else if (layout.kind === 'option') {
      this.#array(layout.present)[i] = 0;
      this.#skip(layout.of, i);
    }
  }

  #list({ ends, level, of, node }: Extract<Layout, { kind: 'list' }>): ColumnReader {
    const read = this.#reader(of);
    return (p, i) => {
      const store = this.#store as Store;
      const n = this.#count(p, node);
      if (input.claims >= 0) store.reserve(level, (store.counts[level] as number) + n);
      let k = 0;
      try {
        for (; k < n; k++) {
          const at = store.counts[level] as number;
          store.reserve(level, at + 1);
          read(input.p, at);
          store.counts[level] = at + 1;
        }
      } catch (thrown) {
        throw within(thrown, `[${k}]`);
      }
      this.#array(ends)[i] = store.counts[level] as number;
    };
  }

  #choice(layout: Extract<Layout, { kind: 'choice' }>): ColumnReader {
    const { cases, tags, numbers, lengths, others, text } = layout;
    const read = cases.map(([, form, node]) =>
      form === 'none' || form === 'text' ? undefined : this.#decoder.build(node),
    );
    return (p, i) => {
      const index = variantIndex(p, cases.length);
      this.#array(tags)[i] = index;
      const form = cases[index]?.[1];
      try {
        if (form === 'none') this.#array(numbers)[i] = 0;
        else if (form === 'text' && text === 'dict') this.#array(numbers)[i] = this.#textId(input.p);
        else if (form === 'text') {
          const n = this.#textRange(input.p);
          this.#array(numbers)[i] = input.p - input.s;
          this.#array(lengths)[i] = n;
          input.p += n;
        } else {
          const value = (read[index] as Decoder)(input.p);
          if (form === 'other') {
            const kept = this.#array(others) as unknown as unknown[];
            this.#array(numbers)[i] = kept.length;
            kept.push(value);
          } else this.#array(numbers)[i] = Number(value);
        }
      } catch (thrown) {
        throw within(thrown, '.value');
      }
    };
  }
}
