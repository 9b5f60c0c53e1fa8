/** Messages that say which they are: a text that must never be seen on the wire, the tunnel, the number, and bytes that follow from it. */

/** What is looked for on the wire. */
export const KNOWN_TEXT = new TextEncoder().encode('identity');
const HEAD_BYTES = KNOWN_TEXT.length + 8;

/** Lengths differ, so that padding is not the only reason why sizes do. */
const lengthOf = (index: number): number => HEAD_BYTES + 200 + ((index * 397) % 1_800);
const fillOf = (tunnel: number, index: number, at: number): number => (tunnel * 31 + index * 7 + at) & 255;

export const messageOf = (tunnel: number, index: number): Uint8Array => {
  const bytes = new Uint8Array(lengthOf(index));
  bytes.set(KNOWN_TEXT);
  const view = new DataView(bytes.buffer);
  view.setUint32(KNOWN_TEXT.length, tunnel);
  view.setUint32(KNOWN_TEXT.length + 4, index);
  for (let at = HEAD_BYTES; at < bytes.length; at++) bytes[at] = fillOf(tunnel, index, at);
  return bytes;
};

/** The tunnel a message says it belongs to. @returns undefined when it is none of ours */
export const tunnelIn = (bytes: Uint8Array): number | undefined => {
  if (bytes.length < HEAD_BYTES || KNOWN_TEXT.some((byte, at) => bytes[at] !== byte)) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(KNOWN_TEXT.length);
};

/** Whether this is the message with that number, whole and unchanged. */
export const isMessage = (bytes: Uint8Array, tunnel: number, index: number): boolean => {
  const expected = messageOf(tunnel, index);
  return bytes.length === expected.length && expected.every((byte, at) => bytes[at] === byte);
};
