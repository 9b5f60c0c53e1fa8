import { badSchema } from '../wire/refusal.ts';
import { childrenOf, FIXED_BYTES, type LazyNode, type Node, resolved, VARINT_BYTES } from './node.ts';

/** Bytes of a number below 2^32 as a varint. */
export const varintLength = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

/** Whether values may be null or undefined, so that an option around them needs a wrapper to tell None from Some(None). */
export const isNullable = (node: Node): boolean => {
  const { kind } = resolved(node);
  return kind === 'option' || kind === 'unit';
};

const LAZY_MAX = 10_000;

/** Every lazy node reachable from a node. */
export const lazyNodes = (root: Node): ReadonlySet<LazyNode> => {
  const found = new Set<LazyNode>();
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'lazy') {
      found.add(node);
      if (found.size > LAZY_MAX)
        throw badSchema('', 'lazy functions that return the same schema each time', 'ever new schemas');
      visit(node.target());
    } else for (const child of childrenOf(node)) visit(child);
  };
  visit(root);
  return found;
};

const sum = (nodes: readonly Node[], of: (node: Node) => number): number =>
  nodes.reduce((total, node) => total + of(node), 0);

const minOf = (node: Node, lazily: (node: LazyNode) => number): number => {
  const min = (child: Node): number => minOf(child, lazily);
  switch (node.kind) {
    case 'unit':
      return 0;
    case 'f32':
      return 4;
    case 'f64':
      return 8;
    case 'char':
      return 2;
    case 'fixed':
      return FIXED_BYTES[node.int];
    case 'byteArray':
      return node.length;
    case 'nonZero':
      return min(node.of);
    case 'array':
      return node.length === 0 ? 0 : node.length * min(node.of);
    case 'tuple':
    case 'struct':
      return sum(childrenOf(node), min);
    case 'enum':
      return 1 + (node.variants.length === 0 ? 0 : Math.min(...childrenOf(node).map(min)));
    case 'lazy':
      return lazily(node);
    default:
      return 1;
  }
};

/** The least bytes a value of each node can take; asks nothing of lazy nodes it has seen. @throws BadSchema for endless types */
export const minSizes = (root: Node): ((node: Node) => number) => {
  const known = new Map<LazyNode, number>(
    [...lazyNodes(root)].map((node) => [node, Number.POSITIVE_INFINITY]),
  );
  const lazily = (node: LazyNode): number => known.get(node) ?? Number.POSITIVE_INFINITY;
  for (let changed = true; changed; ) {
    changed = false;
    for (const [node, before] of known) {
      const now = minOf(node.target(), lazily);
      if (now < before) {
        known.set(node, now);
        changed = true;
      }
    }
  }
  if (!Number.isFinite(minOf(root, lazily)))
    throw badSchema(
      '',
      'a type with at least one finite value',
      'a type that contains itself without a way out',
    );
  const cache = new Map<Node, number>();
  return (node) => {
    const cached = cache.get(node) ?? minOf(node, lazily);
    cache.set(node, cached);
    return cached;
  };
};

/**
 * The most bytes a value can take: POSTCARD_MAX_SIZE of the crate's MaxSize where it is finite.
 * @returns undefined when there is no bound (strings, seqs, maps, recursion)
 */
export const maxSize = (root: Node): number | undefined => {
  const open = new Set<Node>();
  const max = (node: Node): number => {
    switch (node.kind) {
      case 'unit':
        return 0;
      case 'bool':
      case 'u8':
      case 'i8':
        return 1;
      case 'u16':
      case 'i16':
      case 'u32':
      case 'i32':
        return VARINT_BYTES[node.kind];
      case 'wide':
        return VARINT_BYTES[node.int];
      case 'char':
        return 5;
      case 'f32':
      case 'f64':
      case 'fixed':
      case 'byteArray':
        return minOf(node, () => 0);
      case 'option':
        return 1 + max(node.of);
      case 'nonZero':
        return max(node.of);
      case 'array':
        return node.length === 0 ? 0 : node.length * max(node.of);
      case 'tuple':
      case 'struct':
        return sum(childrenOf(node), max);
      case 'enum':
        return (
          varintLength(Math.max(0, node.variants.length - 1)) + Math.max(0, ...childrenOf(node).map(max))
        );
      case 'names':
        return varintLength(Math.max(0, node.names.length - 1));
      case 'lazy': {
        if (open.has(node)) return Number.POSITIVE_INFINITY;
        open.add(node);
        const bound = max(node.target());
        open.delete(node);
        return bound;
      }
      default:
        return Number.POSITIVE_INFINITY;
    }
  };
  const bound = max(root);
  return Number.isFinite(bound) ? bound : undefined;
};
