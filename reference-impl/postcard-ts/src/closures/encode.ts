import { isNullable } from '../schema/bounds.ts';
import { type LazyNode, type Node, resolved } from '../schema/node.ts';
import { output } from '../wire/output.ts';
import { badValue, member, refuse, within } from '../wire/refusal.ts';
import {
  type Encoder,
  leafEncoder,
  type Part,
  partOf,
  putPart,
  putString,
  putVarint,
} from './encode-leaves.ts';

const object = (value: unknown, expected: string): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : badValue(expected, value);

const FEW_VARIANTS = 8;

/** Builds the encoder of a schema out of closures: for places where no code may be generated, and to explain refusals. */
export class ClosureEncoder {
  readonly #depthMax: number;
  readonly #recursive = new Map<Node, Encoder>();

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
  }

  build(node: Node): Encoder {
    switch (node.kind) {
      case 'option':
        return this.#option(node);
      case 'nonZero': {
        const of = this.build(node.of);
        return (value, p) => (value === 0 || value === 0n ? badValue('not zero', value) : of(value, p));
      }
      case 'seq':
        return this.#items(node.of, undefined);
      case 'array':
        return this.#items(node.of, node.length);
      case 'tuple':
        return this.#tuple(node.items);
      case 'struct':
        return this.#struct(node.fields);
      case 'enum':
        return this.#enum(node.variants);
      case 'map':
        return this.#map(this.build(node.key), this.build(node.value));
      case 'record':
        return this.#record(this.build(node.value));
      case 'lazy':
        return this.#lazy(node);
      default:
        return leafEncoder(node);
    }
  }

  #option(node: Extract<Node, { kind: 'option' }>): Encoder {
    const of = this.build(node.of);
    const wrapped = isNullable(node.of);
    return (value, from) => {
      if (value === null || value === undefined) return putVarint(0, from);
      const p = putVarint(1, from);
      if (!wrapped) return of(value, p);
      if (typeof value !== 'object' || !('some' in value)) return badValue('{ some } or null', value);
      try {
        return of(value.some, p);
      } catch (thrown) {
        throw within(thrown, '.some');
      }
    };
  }

  #items(item: Node, length: number | undefined): Encoder {
    const of = this.build(item);
    return (value, from) => {
      const list = object(value, 'array') as unknown as ArrayLike<unknown>;
      const n = list.length;
      if (n >>> 0 !== n || (length !== undefined && n !== length))
        badValue(length === undefined ? 'array' : `array of ${length}`, value);
      let p = length === undefined ? putVarint(n, from) : from;
      let i = 0;
      try {
        for (; i < n; i++) p = of(list[i], p);
      } catch (thrown) {
        throw within(thrown, `[${i}]`);
      }
      return p;
    };
  }

  #tuple(items: readonly Node[]): Encoder {
    const of = items.map((item) => partOf(item, this.build(item)));
    return (value, from) => {
      const list = object(value, 'array') as unknown as ArrayLike<unknown>;
      if (list.length !== of.length) badValue(`array of ${of.length}`, value);
      let p = from;
      let i = 0;
      try {
        for (; i < of.length; i++) p = putPart(of[i] as Part, list[i], p);
      } catch (thrown) {
        throw within(thrown, `[${i}]`);
      }
      return p;
    };
  }

  #struct(fields: readonly (readonly [string, Node])[]): Encoder {
    const keys = fields.map(([name]) => name);
    const of = fields.map(([, field]) => partOf(field, this.build(field)));
    return (value, from) => {
      if (typeof value !== 'object' || value === null) badValue('object', value);
      const record = value as Readonly<Record<string, unknown>>;
      let p = from;
      let i = 0;
      try {
        for (; i < of.length; i++) p = putPart(of[i] as Part, record[keys[i] as string], p);
      } catch (thrown) {
        throw within(thrown, member(keys[i] as string));
      }
      return p;
    };
  }

  #enum(variants: readonly (readonly [string, Node])[]): Encoder {
    const table = new Map(
      variants.map(([tag, payload], index) => {
        const of = payload.kind === 'unit' ? undefined : partOf(payload, this.build(payload));
        return [tag as unknown, { index, of }] as const;
      }),
    );
    const known = variants.slice(0, FEW_VARIANTS).map(([tag]) => tag);
    const few = variants.length <= FEW_VARIANTS ? [...table.values()] : [];
    return (value, from) => {
      if (typeof value !== 'object' || value === null) badValue('{ tag }', value);
      const { tag, value: payload } = value as Readonly<Record<string, unknown>>;
      // comparing a few names is faster than hashing one
      let at = few.length - 1;
      while (at >= 0 && known[at] !== tag) at--;
      const variant = at < 0 ? table.get(tag) : few[at];
      if (variant === undefined) return badValue(`a tag of ${known.join(', ')}`, tag);
      const p = putVarint(variant.index, from);
      if (variant.of === undefined) return p;
      try {
        return putPart(variant.of, payload, p);
      } catch (thrown) {
        throw within(thrown, '.value');
      }
    };
  }

  #map(key: Encoder, of: Encoder): Encoder {
    return (value, from) => {
      if (!(value instanceof Map)) return badValue('Map', value);
      let p = putVarint(value.size, from);
      let i = 0;
      let part = 'key';
      try {
        for (const [k, v] of value) {
          part = 'key';
          p = key(k, p);
          part = 'value';
          p = of(v, p);
          i++;
        }
      } catch (thrown) {
        throw within(thrown, `[${i}].${part}`);
      }
      return p;
    };
  }

  #record(of: Encoder): Encoder {
    return (value, from) => {
      const record = object(value, 'object');
      const keys = Object.keys(record);
      let p = putVarint(keys.length, from);
      for (const key of keys)
        try {
          p = of(record[key], putString(key, p));
        } catch (thrown) {
          throw within(thrown, member(key));
        }
      return p;
    };
  }

  #lazy(node: LazyNode): Encoder {
    const target = resolved(node);
    let of = this.#recursive.get(target);
    if (of === undefined) {
      let built: Encoder | undefined;
      const max = this.#depthMax;
      of = (value, p) => {
        if (++output.depth > max) refuse('LimitDepth', -1, `at most ${max} levels`, 'a deeper value');
        const next = (built as Encoder)(value, p);
        output.depth--;
        return next;
      };
      this.#recursive.set(target, of);
      built = this.build(target);
    }
    return of;
  }
}
