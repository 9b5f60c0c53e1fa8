/** Reads Docker's multiplexed stream: frames of standard output (1) and standard error (2), each behind an 8-byte header. */

const HEADER = 8;

/** Feed it chunks as they come; it hands out payload as soon as it is there, never whole frames only. */
export class Demux {
  readonly #out: (bytes: Buffer) => void;
  readonly #err: (bytes: Buffer) => void;
  #header: Buffer = Buffer.alloc(0);
  #kind = 0;
  #left = 0;

  constructor(out: (bytes: Buffer) => void, err: (bytes: Buffer) => void) {
    this.#out = out;
    this.#err = err;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left);
        this.#left -= part.length;
        rest = rest.subarray(part.length);
        if (this.#kind === 2) this.#err(part);
        else this.#out(part);
        continue;
      }
      const missing = HEADER - this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#header.length < HEADER) return;
      this.#kind = this.#header[0] as number;
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
  }
}
