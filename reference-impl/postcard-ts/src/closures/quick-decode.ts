import type { Node } from '../schema/node.ts';
import { ClosureDecoder } from './decode.ts';
import type { Decoder } from './decode-leaves.ts';
import { enumDecoder, structDecoder, tupleDecoder } from './unrolled-decode.ts';

/** Builds the decoder of a schema for no-eval mode; as QuickEncoder, it leaves the paths of refusals to its parent. */
export class QuickDecoder extends ClosureDecoder {
  override build(node: Node): Decoder {
    return this.#quick(node) ?? super.build(node);
  }

  #quick(node: Node): Decoder | undefined {
    switch (node.kind) {
      case 'struct':
        return structDecoder(node.fields, (field) => this.build(field));
      case 'tuple':
        return tupleDecoder(node.items, (item) => this.build(item));
      case 'enum':
        return enumDecoder(node.variants, (payload) => this.build(payload));
      default:
        return undefined;
    }
  }
}
