import type { Node } from './node.ts';

declare const TYPE: unique symbol;

/** A description of a type's bytes that also carries its TypeScript type. Made by the builders of `p`. */
export interface Schema<T> {
  readonly node: Node;
  /** Only for inference: no schema has this at run time. */
  readonly [TYPE]: () => T;
}

/** The TypeScript type of a schema's values. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** A schema of a node; the caller vouches for the type. */
export const schemaOf = <T>(node: Node): Schema<T> => ({ node }) as Schema<T>;

/** `T | null`, except where T itself may be null or undefined: then Some is wrapped, or Some(None) would read as None. */
export type OptionValue<T> = null extends T
  ? { some: T } | null
  : undefined extends T
    ? { some: T } | null
    : T | null;

/** A struct's values: its fields by name. */
export type StructValue<F extends Fields> = { -readonly [K in keyof F]: Infer<F[K]> };
export type Fields = Readonly<Record<string, Schema<unknown>>>;

/** An enum's values: `{ tag }`, with `value` if the variant has a payload. */
export type EnumValue<V extends Fields> = {
  [K in keyof V & string]: [Infer<V[K]>] extends [undefined] ? { tag: K } : { tag: K; value: Infer<V[K]> };
}[keyof V & string];

/** A tuple's values, in order. */
export type TupleValue<I extends readonly Schema<unknown>[]> = { -readonly [K in keyof I]: Infer<I[K]> };
