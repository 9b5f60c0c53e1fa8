/** What a program says, as lines for the trace: whole lines only, none endless, and never more than a trace can bear. */

const LINE_CHARS = 300;
/** A program that logs every connection must not be most of the trace. */
const LINES_A_SECOND = 50;
const TAIL_LINES = 5;

/** One stream's or both streams' text, in the order in which it came. */
export class ProgramOutput {
  readonly #say: (text: string) => void;
  readonly #nowMillis: () => number;
  /** Unfinished line of each stream. */
  readonly #begun = new Map<string, string>();
  #tail: string[] = [];
  #windowFrom = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #leftOut = 0;

  /**
   * @param say takes each line, at most 300 characters long, at most 50 a second
   * @param nowMillis any clock that does not go back
   */
  constructor(say: (text: string) => void, nowMillis: () => number) {
    this.#say = say;
    this.#nowMillis = nowMillis;
  }

  /** The last five lines, also those that were left out of the trace: what a crash is explained with. */
  get lastWords(): string {
    return this.#tail.join(' | ');
  }

  push(stream: string, text: string): void {
    const lines = ((this.#begun.get(stream) ?? '') + text).split('\n');
    const rest = lines.pop() ?? '';
    // A line without an end is cut where nobody would read on.
    this.#begun.set(stream, rest.length > LINE_CHARS ? rest.slice(0, LINE_CHARS) : rest);
    for (const line of lines) this.#line(line);
  }

  /** The program is gone: what it had begun is said, and how much was left out. */
  end(): void {
    for (const rest of this.#begun.values()) this.#line(rest);
    this.#begun.clear();
    this.#windowFrom = Number.NEGATIVE_INFINITY;
    this.#sayLeftOut();
  }

  /** Another start of the same program: its last words are not those of the one before. */
  begin(): void {
    this.#tail = [];
    this.#begun.clear();
  }

  #line(raw: string): void {
    const line = raw.trimEnd().slice(0, LINE_CHARS);
    if (line === '') return;
    this.#tail = [...this.#tail.slice(1 - TAIL_LINES), line];
    const now = this.#nowMillis();
    if (now - this.#windowFrom >= 1_000) {
      this.#windowFrom = now;
      this.#inWindow = 0;
      this.#sayLeftOut();
    }
    if (this.#inWindow++ < LINES_A_SECOND) this.#say(line);
    else this.#leftOut++;
  }

  #sayLeftOut(): void {
    if (this.#leftOut > 0) this.#say(`(${this.#leftOut} more lines within a second)`);
    this.#leftOut = 0;
  }
}
