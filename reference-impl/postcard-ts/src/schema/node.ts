/** Integers that always fit a number. */
export type SmallInt = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';
/** Integers that may need a bigint. */
export type WideInt = 'u64' | 'i64' | 'u128' | 'i128';
/** How a wide integer looks in JavaScript: a safe number, a bigint, or whichever the value needs. */
export type WideForm = 'number' | 'bigint' | 'auto';
export type Endian = 'le' | 'be';

/** What a schema is made of: plain data, except `lazy`, whose target is asked for when a codec is compiled. */
export type Node =
  | { readonly kind: 'unit' | 'bool' | SmallInt | 'f32' | 'f64' | 'char' | 'string' }
  | { readonly kind: 'wide'; readonly int: WideInt; readonly form: WideForm }
  | {
      readonly kind: 'fixed';
      readonly int: Exclude<SmallInt, 'u8' | 'i8'> | WideInt;
      readonly endian: Endian;
      readonly form: WideForm;
    }
  | { readonly kind: 'bytes'; readonly copy: boolean }
  | { readonly kind: 'byteArray'; readonly length: number; readonly copy: boolean }
  | { readonly kind: 'option'; readonly of: Node }
  | { readonly kind: 'nonZero'; readonly of: Node }
  | { readonly kind: 'seq'; readonly of: Node }
  | { readonly kind: 'array'; readonly of: Node; readonly length: number }
  | { readonly kind: 'tuple'; readonly items: readonly Node[] }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [name: string, node: Node])[] }
  | { readonly kind: 'enum'; readonly variants: readonly (readonly [name: string, node: Node])[] }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'map'; readonly key: Node; readonly value: Node }
  | { readonly kind: 'record'; readonly value: Node }
  | LazyNode;

/** A reference that is followed late, so that types may contain themselves. */
export type LazyNode = { readonly kind: 'lazy'; readonly target: () => Node };

/** Inclusive range of every integer type. */
export const INT_RANGE: Readonly<Record<SmallInt | WideInt, readonly [min: bigint, max: bigint]>> = {
  u8: [0n, 0xffn],
  i8: [-0x80n, 0x7fn],
  u16: [0n, 0xffffn],
  i16: [-0x8000n, 0x7fffn],
  u32: [0n, 0xffff_ffffn],
  i32: [-0x8000_0000n, 0x7fff_ffffn],
  u64: [0n, (1n << 64n) - 1n],
  i64: [-(1n << 63n), (1n << 63n) - 1n],
  u128: [0n, (1n << 128n) - 1n],
  i128: [-(1n << 127n), (1n << 127n) - 1n],
};

/** Bytes of the longest varint of a type. Source: postcard wire format, "Maximum Encoded Length". */
export const VARINT_BYTES = {
  u16: 3,
  i16: 3,
  u32: 5,
  i32: 5,
  u64: 10,
  i64: 10,
  u128: 19,
  i128: 19,
} as const;

/** Bytes of a fixed-width integer. */
export const FIXED_BYTES = {
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  u128: 16,
  i128: 16,
} as const;

/** The node a chain of lazy references ends at. */
export const resolved = (node: Node): Exclude<Node, LazyNode> => {
  let at = node;
  for (let hops = 0; at.kind === 'lazy'; hops++) {
    if (hops > 1000) throw new Error('a lazy schema must not be only itself');
    at = at.target();
  }
  return at;
};

/** The nodes right below a node, lazy targets not followed. */
export const childrenOf = (node: Node): readonly Node[] => {
  switch (node.kind) {
    case 'option':
    case 'nonZero':
    case 'seq':
    case 'array':
      return [node.of];
    case 'tuple':
      return node.items;
    case 'struct':
      return node.fields.map(([, child]) => child);
    case 'enum':
      return node.variants.map(([, child]) => child);
    case 'map':
      return [node.key, node.value];
    case 'record':
      return [node.value];
    default:
      return [];
  }
};
