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

/** The bytes of [from, to) as Latin-1. */
export const latin1 = (bytes: Uint8Array, from: number, to: number): string => {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
};

/** Control lines out of a byte stream, one at a time; what follows the last line stays bytes (`rest`). */
export class LineReader {
  #held: Uint8Array | undefined;
  /** Up to here it is read: a view for each line would cost more than the line (its buffer leaves the engine's heap). */
  #at = 0;

  push(bytes: Uint8Array): void {
    if (this.#held === undefined) {
      this.#held = bytes;
      return;
    }
    const held = this.#held.subarray(this.#at);
    const both = new Uint8Array(held.length + bytes.length);
    both.set(held);
    both.set(bytes, held.length);
    this.#held = both;
    this.#at = 0;
  }

  /**
   * The next whole line without its `\n` or `\r\n`, as Latin-1.
   * @param bytesMax longest line accepted, its end not counted
   * @returns undefined while the line is incomplete, null when it is too long
   */
  line(bytesMax: number): string | undefined | null {
    const held = this.#held;
    if (held === undefined) return undefined;
    const from = this.#at;
    const at = held.indexOf(NEWLINE, from);
    if (at < 0) return held.length - from > bytesMax + 1 ? null : undefined;
    const end = at > from && held[at - 1] === RETURN ? at - 1 : at;
    if (end - from > bytesMax) return null;
    this.#take(at + 1);
    return latin1(held, from, end);
  }

  /** Takes the bytes after the last line read. */
  rest(): Uint8Array | undefined {
    const rest = this.#at === 0 ? this.#held : this.#held?.subarray(this.#at);
    this.#take(this.#held?.length ?? 0);
    return rest;
  }

  #take(to: number): void {
    const whole = to === this.#held?.length;
    if (whole) this.#held = undefined;
    this.#at = whole ? 0 : to;
  }
}
