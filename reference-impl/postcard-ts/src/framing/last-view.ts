/** Larger buffers are not kept alive for this, and where much is written the making of a view does not count. */
const KEPT_BYTES_MAX = 1 << 20;

/** For one that can grow: the most that it ever has. */
const bytesOf = (buffer: ArrayBufferLike): number =>
  (buffer as { readonly maxByteLength?: number }).maxByteLength ?? buffer.byteLength;

/**
 * Views of the buffers under bytes. Two new views a call were a fifth of what it took to stuff a KiB; bodies mostly lie in one buffer,
 * again and again, at other places: the view is of the whole buffer, and the last is kept.
 */
export class LastView {
  #view = new DataView(new ArrayBuffer(0));

  /** A view in which `bytes` lie from an offset on, at `bytes.byteOffset + offset - view.byteOffset`. */
  of(bytes: Uint8Array, offset: number): DataView {
    const { buffer } = bytes;
    if (buffer === this.#view.buffer) return this.#view;
    if (bytesOf(buffer) > KEPT_BYTES_MAX)
      return new DataView(buffer, bytes.byteOffset + offset, bytes.length - offset);
    this.#view = new DataView(buffer as ArrayBuffer);
    return this.#view;
  }
}
