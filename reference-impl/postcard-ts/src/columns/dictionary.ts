import { textId } from '../wire/text-in.ts';

let lastOwner = 0;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Strings by number, in the order of their first appearance; 0 is always ''. Every table has one of its own, unless several decodes
 * are given the same one: then equal strings have equal ids across their tables, and the dictionary grows with what they hold.
 */
export class Dictionary {
  readonly strings: string[] = [''];
  readonly #ids = new Map<string, number>([['', 0]]);
  /** Who this is to the table of strings read last. For the readers of columns, which ask that table themselves. */
  readonly owner: number = ++lastOwner;

  /** The id of a string, given at need. */
  idOf(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.strings.length;
      this.strings.push(text);
      this.#ids.set(text, id);
    }
    return id;
  }

  /** The id of the string of n bytes at p, without making the string if it was here before. @throws Refusal DeserializeBadUtf8 */
  idAt(b: Uint8Array, v: DataView, p: number, n: number): number {
    return n === 0 ? 0 : textId(b, v, p, n, this);
  }
}

/** The text of a reference into bytes. @throws TypeError if they are not UTF-8: references are checked when they are read */
export const referredText = (bytes: Uint8Array, offset: number, length: number): string =>
  decoder.decode(bytes.subarray(offset, offset + length));
