/** Larger buffers are not kept alive for this, and where much is written the making of a view does not count. */
const KEPT_BYTES_MAX = 1 << 20;

const NOTHING = new DataView(new ArrayBuffer(0));
let body = NOTHING;
let target = NOTHING;

/** For one that can grow: the most that it ever has. */
const bytesOf = (buffer: ArrayBufferLike): number =>
  (buffer as { readonly maxByteLength?: number }).maxByteLength ?? buffer.byteLength;

/**
 * A view in which these bytes lie, from `bytes.byteOffset - view.byteOffset`. Two new views a call were a fifth of what it took to
 * stuff a KiB; bodies mostly lie in one buffer, again and again, at other places: the view is of the whole buffer, and the last is kept.
 */
export const bodyView = (bytes: Uint8Array): DataView => {
  const { buffer } = bytes;
  if (buffer === body.buffer) return body;
  if (bytesOf(buffer) > KEPT_BYTES_MAX) return new DataView(buffer, bytes.byteOffset, bytes.length);
  body = new DataView(buffer as ArrayBuffer);
  return body;
};

/** As bodyView, for what is written from an offset on: a view that is not kept begins there. */
export const targetView = (bytes: Uint8Array, offset: number): DataView => {
  const { buffer } = bytes;
  if (buffer === target.buffer) return target;
  if (bytesOf(buffer) > KEPT_BYTES_MAX)
    return new DataView(buffer, bytes.byteOffset + offset, bytes.length - offset);
  target = new DataView(buffer as ArrayBuffer);
  return target;
};
