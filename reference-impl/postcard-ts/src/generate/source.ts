import type { Limits } from '../codec/options.ts';
import { minSizes } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import { CALLABLE } from './callable.ts';
import { DecodeSource } from './decode-source.ts';
import { directSource } from './direct-source.ts';
import { EncodeSource } from './encode-source.ts';

/** Writes a value from a position of the output on, and returns the end. */
export type EncodeFunction = (value: unknown, p: number) => number;
/** Reads a value from a position of the input on, and leaves the end in the input's p. */
export type DecodeFunction = (p: number) => unknown;
/** Reads a value that fills the bytes, or leaves it to the other: undefined. */
export type DirectFunction = (bytes: Uint8Array) => unknown;
export type CodecFunctions = {
  readonly encode: EncodeFunction;
  readonly decode: DecodeFunction;
  /** For schemas of a few numbers. */
  readonly direct?: DirectFunction;
};

/**
 * The body of a function that takes the helpers as `H` and returns a schema's `{ encode, decode }`, perhaps with `direct`: what `compile` gives to the
 * engine and `emit` writes into a module.
 */
export const codecSource = (node: Node, limits: Limits, firstChar: boolean): string => {
  const encode = new EncodeSource(limits);
  const decode = new DecodeSource({
    depth: limits.depth,
    items: limits.items,
    firstChar,
    minSize: minSizes(node),
  });
  const functions = `${encode.source(node)}\n${decode.source(node)}`;
  const direct = directSource(node);
  const names = Object.keys(CALLABLE).filter((name) =>
    new RegExp(`\\b${name}\\b`).test(functions + encode.tables.join('')),
  );
  return [
    "'use strict';",
    `const {${names.join()}}=H;`,
    ...encode.tables,
    ...decode.tables,
    functions,
    ...(direct === undefined ? ['return {encode,decode};'] : [direct, 'return {encode,decode,direct};']),
  ].join('\n');
};
