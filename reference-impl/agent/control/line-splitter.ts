const NEWLINE = 10;
const RETURN = 13;

/** A whole line without its end, or why there is none. */
export type Line =
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'unreadable'; readonly why: string };

/** Lines out of a byte stream, as UTF-8. A line that is too long is let go by as it comes, and told once, when it ends. */
export class LineSplitter {
  readonly #bytesMax: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #tooLong = false;

  /** @param bytesMax longest line, its end not counted */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(bytes: Uint8Array): readonly Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(NEWLINE, from);
      if (at < 0) break;
      this.#hold(bytes.subarray(from, at));
      lines.push(this.#take());
      from = at + 1;
    }
    this.#hold(bytes.subarray(from));
    return lines;
  }

  /** The other side has said all: a last line without an end counts. */
  end(): readonly Line[] {
    return this.#heldBytes === 0 ? [] : [this.#take()];
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#heldBytes += bytes.length;
    // one more than a line may have: its \r
    if (this.#heldBytes > this.#bytesMax + 1) {
      this.#tooLong = true;
      this.#held = [];
    } else this.#held.push(bytes.slice());
  }

  #take(): Line {
    const bytes = Buffer.concat(this.#held);
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    const tooLong = this.#tooLong || end > this.#bytesMax;
    this.#held = [];
    this.#heldBytes = 0;
    this.#tooLong = false;
    if (tooLong)
      return {
        type: 'unreadable',
        why: `the line is too long; a command has at most ${this.#bytesMax} bytes`,
      };
    try {
      return {
        type: 'line',
        text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end)),
      };
    } catch {
      return {
        type: 'unreadable',
        why: 'stream did not contain valid UTF-8; commands are plain ASCII but for names',
      };
    }
  }
}
