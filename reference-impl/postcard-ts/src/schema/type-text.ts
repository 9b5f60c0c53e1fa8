import { isNullable } from './bounds.ts';
import { type Node, resolved } from './node.ts';

const KEY = /^[A-Za-z_$][\w$]*$/;
const key = (name: string): string => (KEY.test(name) ? name : JSON.stringify(name));
const forms = { number: 'number', bigint: 'bigint', auto: 'number | bigint' } as const;

/** The TypeScript type of a node's values as text, with the declarations that recursive types need. */
export const typeText = (
  root: Node,
  name: string,
): { readonly text: string; readonly declarations: readonly string[] } => {
  const names = new Map<Node, string>();
  const declarations: string[] = [];

  const recursive = (target: Node): string => {
    let alias = names.get(target);
    if (alias === undefined) {
      alias = `${name}_${names.size}`;
      names.set(target, alias);
      declarations.push(`type ${alias} = ${text(target)};`);
    }
    return alias;
  };

  const text = (node: Node): string => {
    switch (node.kind) {
      case 'unit':
        return 'undefined';
      case 'bool':
        return 'boolean';
      case 'char':
      case 'string':
        return 'string';
      case 'wide':
      case 'fixed':
        return forms[node.form];
      case 'bytes':
      case 'byteArray':
        return 'Uint8Array';
      case 'option':
        return isNullable(node.of) ? `{ some: ${text(node.of)} } | null` : `${text(node.of)} | null`;
      case 'nonZero':
        return text(node.of);
      case 'seq':
      case 'array':
        return `(${text(node.of)})[]`;
      case 'tuple':
        return `[${node.items.map(text).join(', ')}]`;
      case 'struct':
        return `{ ${node.fields.map(([field, of]) => `${key(field)}: ${text(of)}`).join('; ')} }`;
      case 'enum':
        return node.variants.map(([tag, payload]) => variant(tag, payload)).join(' | ') || 'never';
      case 'names':
        return node.names.map((one) => JSON.stringify(one)).join(' | ') || 'never';
      case 'map':
        return `Map<${text(node.key)}, ${text(node.value)}>`;
      case 'record':
        return `Record<string, ${text(node.value)}>`;
      case 'lazy':
        return recursive(resolved(node));
      default:
        return 'number';
    }
  };
  const variant = (tag: string, payload: Node): string =>
    payload.kind === 'unit'
      ? `{ tag: ${JSON.stringify(tag)} }`
      : `{ tag: ${JSON.stringify(tag)}; value: ${text(payload)} }`;

  return { text: text(root), declarations };
};
