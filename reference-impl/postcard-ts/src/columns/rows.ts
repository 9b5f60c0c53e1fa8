import type { Node } from '../schema/node.ts';
import { referredText } from './dictionary.ts';
import type { Layout, PayloadForm } from './layout.ts';
import type { Store } from './store.ts';

/** Reads one item back out of the columns, as decoding it to objects would have given it. */
export type RowReader = (i: number) => unknown;

const define = (target: object, key: string, value: unknown): void => {
  // plain assignment of __proto__ would set the prototype
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
};

/** Builds the reader of rows of a store. @throws (when read) TypeError for a reference that is not UTF-8 */
export const rowReader = (layout: Layout, store: Store): RowReader => {
  const array = (slot: number) => store.array(slot);
  const bytes = (offset: unknown, length: unknown): Uint8Array =>
    store.bytes.subarray(offset as number, (offset as number) + (length as number));
  const read = (of: Layout): RowReader => {
    switch (of.kind) {
      case 'none':
        return () => undefined;
      case 'number':
      case 'wide':
      case 'plain':
        return (i) => array(of.slot)[i];
      case 'bool':
        return (i) => array(of.slot)[i] === 1;
      case 'dict':
        return (i) => store.dictionary.strings[array(of.slot)[i] as number];
      case 'ref':
        return (i) =>
          referredText(store.bytes, array(of.offsets)[i] as number, array(of.lengths)[i] as number);
      case 'bytes':
        return (i) => bytes(array(of.offsets)[i], array(of.lengths)[i]);
      case 'group': {
        const parts = of.parts.map(([name, part]) => [name, read(part)] as const);
        if (of.isTuple) return (i) => parts.map(([, part]) => part(i));
        return (i) => {
          const value = {};
          for (const [name, part] of parts) define(value, name, part(i));
          return value;
        };
      }
      case 'option': {
        const inner = read(of.of);
        return (i) => {
          if (array(of.present)[i] === 0) return null;
          return of.wraps ? { some: inner(i) } : inner(i);
        };
      }
      case 'list': {
        const inner = read(of.of);
        return (i) => {
          const ends = array(of.ends);
          const from = i === 0 ? 0 : (ends[i - 1] as number);
          return Array.from({ length: (ends[i] as number) - from }, (_, k) => inner(from + k));
        };
      }
      case 'choice':
        return choice(of);
    }
  };
  const choice = (of: Extract<Layout, { kind: 'choice' }>): RowReader => {
    const payload = (form: PayloadForm, i: number): unknown => {
      const number = array(of.numbers)[i] as number;
      if (form === 'bool') return number === 1;
      if (form === 'number') return number;
      if (form === 'other') return array(of.others)[number];
      return of.text === 'dict'
        ? store.dictionary.strings[number]
        : referredText(store.bytes, number, array(of.lengths)[i] as number);
    };
    return (i) => {
      const [tag, form] = of.cases[array(of.tags)[i] as number] as readonly [string, PayloadForm, Node];
      return form === 'none' ? { tag } : { tag, value: payload(form, i) };
    };
  };
  return read(layout);
};
