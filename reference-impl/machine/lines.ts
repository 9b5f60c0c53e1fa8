/** ASCII text and a newline. For lines of a few bytes a loop is three times as fast as TextEncoder. */
export const line = (text: string | number): Uint8Array => {
  const chars = String(text);
  const bytes = new Uint8Array(chars.length + 1);
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i);
  bytes[chars.length] = 10;
  return bytes;
};

const NEWLINE = 10;
const RETURN = 13;

/** Control lines out of a byte stream, one at a time; what follows the last line stays bytes (`rest`). */
export class LineReader {
  #held: Uint8Array | undefined;

  push(bytes: Uint8Array): void {
    if (this.#held === undefined) {
      this.#held = bytes;
      return;
    }
    const both = new Uint8Array(this.#held.length + bytes.length);
    both.set(this.#held);
    both.set(bytes, this.#held.length);
    this.#held = both;
  }

  /**
   * The next whole line without its `\n` or `\r\n`, as Latin-1.
   * @param bytesMax longest line accepted, its end not counted
   * @returns undefined while the line is incomplete, null when it is too long
   */
  line(bytesMax: number): string | undefined | null {
    const held = this.#held;
    if (held === undefined) return undefined;
    const at = held.indexOf(NEWLINE);
    if (at < 0) return held.length > bytesMax + 1 ? null : undefined;
    const end = at > 0 && held[at - 1] === RETURN ? at - 1 : at;
    if (end > bytesMax) return null;
    let text = '';
    for (let i = 0; i < end; i++) text += String.fromCharCode(held[i] as number);
    this.#held = at + 1 === held.length ? undefined : held.subarray(at + 1);
    return text;
  }

  /** Takes the bytes after the last line read. */
  rest(): Uint8Array | undefined {
    const rest = this.#held;
    this.#held = undefined;
    return rest;
  }
}
