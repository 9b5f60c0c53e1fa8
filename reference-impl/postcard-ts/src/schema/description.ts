import type { LazyNode, Node } from './node.ts';

/** A schema as plain JSON: lazy nodes become references into `targets`. */
export type Description = { readonly root: DescribedNode; readonly targets: readonly DescribedNode[] };
/** A node whose lazy nodes are `{ kind: 'ref', id }`. */
export type DescribedNode = { readonly kind: string; readonly [key: string]: unknown };

/** A node with other children. */
const withChildren = (node: Node, change: (child: Node) => unknown): DescribedNode => {
  switch (node.kind) {
    case 'option':
    case 'nonZero':
    case 'seq':
    case 'array':
      return { ...node, of: change(node.of) };
    case 'tuple':
      return { ...node, items: node.items.map(change) };
    case 'struct':
      return { ...node, fields: node.fields.map(([name, field]) => [name, change(field)]) };
    case 'enum':
      return { ...node, variants: node.variants.map(([name, payload]) => [name, change(payload)]) };
    case 'map':
      return { ...node, key: change(node.key), value: change(node.value) };
    case 'record':
      return { ...node, value: change(node.value) };
    default:
      return { ...node };
  }
};

/** A schema's node as JSON. */
export const describe = (root: Node): Description => {
  const ids = new Map<LazyNode, number>();
  const targets: DescribedNode[] = [];
  const visit = (node: Node): DescribedNode => {
    if (node.kind !== 'lazy') return withChildren(node, visit);
    let id = ids.get(node);
    if (id === undefined) {
      id = ids.size;
      ids.set(node, id);
      targets[id] = visit(node.target());
    }
    return { kind: 'ref', id };
  };
  return { root: visit(root), targets };
};

/** The node that a description describes. The description is trusted: it comes from `describe`. */
export const nodeOf = ({ root, targets }: Description): Node => {
  const lazy: LazyNode[] = [];
  const built: Node[] = [];
  const visit = (described: DescribedNode): Node =>
    described.kind === 'ref'
      ? (lazy[described.id as number] as LazyNode)
      : (withChildren(described as unknown as Node, visit as never) as unknown as Node);
  targets.forEach((_, id) => {
    lazy[id] = { kind: 'lazy', target: () => built[id] as Node };
  });
  targets.forEach((target, id) => {
    built[id] = visit(target);
  });
  return visit(root);
};
