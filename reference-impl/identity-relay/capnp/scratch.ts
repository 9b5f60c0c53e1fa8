/** Memory that is used again for message after message: word-aligned, grown when needed, never handed out for keeps. */
export class Scratch {
  bytes: Uint8Array;
  words: Int32Array;
  view: DataView;

  constructor(bytes = 4_096) {
    this.bytes = new Uint8Array(bytes);
    this.words = new Int32Array(this.bytes.buffer);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for so many bytes. @param keep how many of the first bytes must survive */
  ensure(bytes: number, keep = 0): void {
    if (bytes <= this.bytes.length) return;
    const old = this.bytes;
    let length = old.length;
    while (length < bytes) length *= 2;
    this.bytes = new Uint8Array(length);
    if (keep > 0) this.bytes.set(old.subarray(0, keep));
    this.words = new Int32Array(this.bytes.buffer);
    this.view = new DataView(this.bytes.buffer);
  }
}
