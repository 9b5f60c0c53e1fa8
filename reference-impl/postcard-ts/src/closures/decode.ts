import type { Settings } from '../codec/options.ts';
import { isNullable, minSizes } from '../schema/bounds.ts';
import { type LazyNode, type Node, resolved } from '../schema/node.ts';
import { badOption, badZero, checkItems, enter, input, takeEmpties } from '../wire/input.ts';
import { member, within } from '../wire/refusal.ts';
import { byte, type Decoder, leafDecoder, length, string, variantIndex } from './decode-leaves.ts';

/** Builds the decoder of a schema out of closures: for places where no code may be generated, and to explain refusals. */
export class ClosureDecoder {
  readonly #settings: Settings;
  readonly #minSize: (node: Node) => number;
  readonly #recursive = new Map<Node, Decoder>();

  constructor(root: Node, settings: Settings) {
    this.#settings = settings;
    this.#minSize = minSizes(root);
  }

  build(node: Node): Decoder {
    switch (node.kind) {
      case 'option':
        return this.#option(node);
      case 'nonZero': {
        const of = this.build(node.of);
        return (p) => {
          const value = of(p);
          return value === 0 || value === 0n ? badZero(p) : value;
        };
      }
      case 'seq':
        return this.#seq(node.of);
      case 'array':
        return this.#array(node.of, node.length);
      case 'tuple':
        return this.#tuple(node.items);
      case 'struct':
        return this.#struct(node.fields);
      case 'enum':
        return this.#enum(node.variants);
      case 'map':
      case 'record':
        return this.#map(node);
      case 'lazy':
        return this.#lazy(node);
      default:
        return leafDecoder(node, this.#settings.firstChar);
    }
  }

  #option(node: Extract<Node, { kind: 'option' }>): Decoder {
    const of = this.build(node.of);
    const wrapped = isNullable(node.of);
    return (p) => {
      const tag = byte(p, 'an option tag');
      if (tag === 0) return null;
      if (tag !== 1) badOption(p);
      if (!wrapped) return of(p + 1);
      try {
        return { some: of(p + 1) };
      } catch (thrown) {
        throw within(thrown, '.some');
      }
    };
  }

  /**
   * A reader of lengths that checks what a collection claims. Where the input cannot hold it, reading goes on item by item, so that
   * the refusal names the very byte where things go wrong; the caller must then make nothing in advance.
   */
  #counter(least: number): (p: number) => number {
    const { items } = this.#settings.limits;
    return (from) => {
      const n = length(from);
      if (least === 0) takeEmpties(input.p, n);
      else input.claims -= n * least;
      if (input.claims >= 0) checkItems(input.p, n, items);
      return n;
    };
  }

  #seq(item: Node): Decoder {
    const of = this.build(item);
    const count = this.#counter(this.#minSize(item));
    return (from) => {
      const n = count(from);
      const list: unknown[] = input.claims < 0 ? [] : new Array(n);
      let i = 0;
      try {
        for (; i < n; i++) list[i] = of(input.p);
      } catch (thrown) {
        throw within(thrown, `[${i}]`);
      }
      return list;
    };
  }

  #array(item: Node, n: number): Decoder {
    const of = this.build(item);
    return (from) => {
      const list: unknown[] = [];
      input.p = from;
      let i = 0;
      try {
        for (; i < n; i++) list.push(of(input.p));
      } catch (thrown) {
        throw within(thrown, `[${i}]`);
      }
      return list;
    };
  }

  #tuple(items: readonly Node[]): Decoder {
    const of = items.map((item) => this.build(item));
    return (from) => {
      const list = new Array(of.length);
      input.p = from;
      let i = 0;
      try {
        for (; i < of.length; i++) list[i] = (of[i] as Decoder)(input.p);
      } catch (thrown) {
        throw within(thrown, `[${i}]`);
      }
      return list;
    };
  }

  #struct(fields: readonly (readonly [string, Node])[]): Decoder {
    const keys = fields.map(([name]) => name);
    const of = fields.map(([, field]) => this.build(field));
    // a copy of a template has its shape at once; stores then only fill it
    const template = Object.fromEntries(keys.map((key) => [key, undefined as unknown]));
    return (from) => {
      const value: Record<string, unknown> = { ...template };
      input.p = from;
      let i = 0;
      try {
        for (; i < of.length; i++) value[keys[i] as string] = (of[i] as Decoder)(input.p);
      } catch (thrown) {
        throw within(thrown, member(keys[i] as string));
      }
      return value;
    };
  }

  #enum(variants: readonly (readonly [string, Node])[]): Decoder {
    const tags = variants.map(([tag]) => tag);
    const payloads = variants.map(([, payload]) =>
      payload.kind === 'unit' ? undefined : this.build(payload),
    );
    return (from) => {
      const index = variantIndex(from, tags.length);
      const tag = tags[index];
      const of = payloads[index];
      if (of === undefined) return { tag };
      try {
        return { tag, value: of(input.p) };
      } catch (thrown) {
        throw within(thrown, '.value');
      }
    };
  }

  #map(node: Extract<Node, { kind: 'map' | 'record' }>): Decoder {
    const key = node.kind === 'map' ? this.build(node.key) : string;
    const of = this.build(node.value);
    const least = (node.kind === 'map' ? this.#minSize(node.key) : 1) + this.#minSize(node.value);
    const count = this.#counter(least);
    return (from) => {
      const n = count(from);
      const map = new Map<unknown, unknown>();
      const record: Record<string, unknown> = Object.create(null);
      let i = 0;
      let part = 'key';
      try {
        for (; i < n; i++) {
          part = 'key';
          const k = key(input.p);
          part = 'value';
          if (node.kind === 'map') map.set(k, of(input.p));
          else record[k as string] = of(input.p);
        }
      } catch (thrown) {
        throw within(thrown, `[${i}].${part}`);
      }
      return node.kind === 'map' ? map : record;
    };
  }

  #lazy(node: LazyNode): Decoder {
    const target = resolved(node);
    let of = this.#recursive.get(target);
    if (of === undefined) {
      let built: Decoder | undefined;
      const { depth } = this.#settings.limits;
      of = (p) => {
        enter(p, depth);
        const value = (built as Decoder)(p);
        input.depth--;
        return value;
      };
      this.#recursive.set(target, of);
      built = this.build(target);
    }
    return of;
  }
}
