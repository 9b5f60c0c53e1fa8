import { childrenOf, type Node, resolved } from '../schema/node.ts';

/** Leaves one generated function may hold: V8 gives up optimising very long ones, and huge schemas would inline without end. */
const LEAVES_MAX = 160;

/** How many leaves of code a node makes when flattened; a lazy node is a call. */
export const weights = (): ((node: Node) => number) => {
  const cache = new Map<Node, number>();
  const weigh = (node: Node): number => {
    const known = cache.get(node);
    if (known !== undefined) return known;
    const weight = childrenOf(node).reduce((total, child) => total + weigh(child), 1);
    cache.set(node, weight);
    return weight;
  };
  return weigh;
};

/**
 * Decides what becomes a function of its own: targets of lazy nodes, and composites that no longer fit the function being written.
 * Everything else is flattened into its parent.
 */
export class FunctionPlan {
  readonly #prefix: string;
  readonly #names = new Map<Node, string>();
  readonly #waiting: Node[] = [];
  readonly #weigh = weights();
  #room = LEAVES_MAX;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** @returns the function that writes or reads this node, or undefined if it is to be flattened here */
  outlined(node: Node): { readonly name: string; readonly recursive: boolean } | undefined {
    if (node.kind === 'lazy') return { name: this.#nameOf(resolved(node)), recursive: true };
    const weight = this.#weigh(node);
    const own = childrenOf(node).length;
    if (own === 0 || weight <= this.#room) return undefined;
    return { name: this.#nameOf(node), recursive: false };
  }

  /** Says that a leaf was written into the current function. */
  spend(): void {
    this.#room--;
  }

  /** The next function to write, with its full room. */
  take(): { readonly name: string; readonly node: Node } | undefined {
    const node = this.#waiting.shift();
    if (node === undefined) return undefined;
    this.#room = LEAVES_MAX;
    return { name: this.#nameOf(node), node };
  }

  #nameOf(node: Node): string {
    let name = this.#names.get(node);
    if (name === undefined) {
      name = `${this.#prefix}${this.#names.size}`;
      this.#names.set(node, name);
      this.#waiting.push(node);
    }
    return name;
  }
}
