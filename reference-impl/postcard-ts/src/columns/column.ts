import type { Layout } from './layout.ts';
import type { SlotItems, Store } from './store.ts';

type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** One column of a table, or several where a value has parts. Where an option is absent, what its inner column holds means nothing. */
export type Column =
  | { readonly kind: 'none' }
  | { readonly kind: 'number'; readonly values: Numbers }
  | { readonly kind: 'wide'; readonly values: BigUint64Array | BigInt64Array }
  /** 0 or 1. */
  | { readonly kind: 'bool'; readonly values: Uint8Array }
  /** Ids of the table's `strings`. */
  | { readonly kind: 'dict'; readonly ids: Uint32Array }
  /** Offset and length in the table's `bytes`; strings are not checked to be UTF-8 until they are read. */
  | { readonly kind: 'ref' | 'bytes'; readonly offsets: Uint32Array; readonly lengths: Uint32Array }
  | { readonly kind: 'group'; readonly parts: Readonly<Record<string, Column>> }
  | { readonly kind: 'option'; readonly present: Uint8Array; readonly of: Column }
  /** The items of row i lie from `ends[i - 1]` (0 for the first) to `ends[i]` of the inner column. */
  | { readonly kind: 'list'; readonly ends: Uint32Array; readonly of: Column }
  /** An enum: the variant by index, and its payload as a number, a bool as 0 or 1, a string's id or offset, or an index of others. */
  | {
      readonly kind: 'choice';
      readonly names: readonly string[];
      readonly tags: Uint8Array | Uint32Array;
      readonly numbers: Float64Array;
      readonly lengths: Uint32Array | undefined;
      readonly others: readonly unknown[];
    }
  /** What has no columnar form (maps, fixed arrays, recursion, 128-bit integers). */
  | { readonly kind: 'plain'; readonly values: readonly unknown[] };

/** The columns of a store, cut to what is used. */
export const columnOf = (root: Layout, store: Store): Column => {
  const used = <T>(slot: number, level: number): T => {
    const items = store.array(slot) as SlotItems & { subarray?: (from: number, to: number) => unknown };
    return (items.subarray ? items.subarray(0, store.counts[level] as number) : items) as T;
  };
  const view = (of: Layout, level: number): Column => {
    switch (of.kind) {
      case 'none':
        return of;
      case 'number':
        return { kind: of.kind, values: used(of.slot, level) };
      case 'wide':
        return { kind: of.kind, values: used(of.slot, level) };
      case 'bool':
        return { kind: of.kind, values: used(of.slot, level) };
      case 'plain':
        return { kind: of.kind, values: used(of.slot, level) };
      case 'dict':
        return { kind: of.kind, ids: used(of.slot, level) };
      case 'ref':
      case 'bytes':
        return { kind: of.kind, offsets: used(of.offsets, level), lengths: used(of.lengths, level) };
      case 'group':
        return {
          kind: of.kind,
          parts: Object.fromEntries(of.parts.map(([name, part]) => [name, view(part, level)])),
        };
      case 'option':
        return { kind: of.kind, present: used(of.present, level), of: view(of.of, level) };
      case 'list':
        return { kind: of.kind, ends: used(of.ends, level), of: view(of.of, of.level) };
      case 'choice':
        return {
          kind: of.kind,
          names: of.cases.map(([tag]) => tag),
          tags: used(of.tags, level),
          numbers: used(of.numbers, level),
          lengths: of.lengths < 0 ? undefined : used(of.lengths, level),
          others: of.others < 0 ? [] : used(of.others, level),
        };
    }
  };
  return view(root, 0);
};
