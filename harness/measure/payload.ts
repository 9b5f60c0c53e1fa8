/**
 * Position-coded payload: from any 16 bytes of it one can read which tunnel, direction and offset they belong to. Word n (8
 * bytes, little-endian) of a direction is n in the low half and tunnel, direction and a check in the high half.
 */

/** Length of the request a user says first; it stands at offset 0 of direction up and is counted in it. */
export const REQUEST_BYTES = 32;
/** Tunnels are numbered in 24 bits. */
export const TUNNELS_MAX = 1 << 24;

const MAGIC = 0x42414c52; // "RLAB"
const MODES = ['pool', 'event', 'multiplex', 'forwarder'] as const;
const CLOSES = ['half', 'full', 'abort'] as const;

export type Request = {
  readonly tunnel: number;
  /** Bytes in direction up, this request included. */
  readonly up: number;
  readonly down: number;
  readonly mode: (typeof MODES)[number];
  readonly close: (typeof CLOSES)[number];
  /** Round of the throughput phase, -1: none. */
  readonly round: number;
};

export const encodeRequest = (request: Request): Uint8Array => {
  const bytes = new Uint8Array(REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, request.tunnel, true);
  view.setUint32(8, request.up, true);
  view.setUint32(12, request.down, true);
  view.setUint8(16, MODES.indexOf(request.mode));
  view.setUint8(17, CLOSES.indexOf(request.close));
  view.setInt32(20, request.round, true);
  view.setUint32(28, MAGIC ^ request.tunnel, true);
  return bytes;
};

/** @returns undefined when these 32 bytes are no request */
export const decodeRequest = (bytes: Uint8Array): Request | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tunnel = view.getUint32(4, true);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(28, true) !== (MAGIC ^ tunnel) >>> 0)
    return undefined;
  const mode = MODES[view.getUint8(16)];
  const close = CLOSES[view.getUint8(17)];
  if (mode === undefined || close === undefined) return undefined;
  return {
    tunnel,
    up: view.getUint32(8, true),
    down: view.getUint32(12, true),
    mode,
    close,
    round: view.getInt32(20, true),
  };
};

/** What was held and what came after it, as one piece. */
export const joined = (held: Uint8Array, next: Uint8Array): Uint8Array => {
  const both = new Uint8Array(held.length + next.length);
  both.set(held);
  both.set(next, held.length);
  return both;
};

/** The two directions of a tunnel: up is user to service. */
export type Direction = 'up' | 'down';

const CHECK = 0x9e3779b1;
const ownerOf = (tunnel: number, direction: Direction): number =>
  (tunnel << 8) | (direction === 'up' ? 0 : 128);

/** High half of word `index`: 24 bits tunnel, 1 bit direction, 7 bits check over all of it. */
const high = (tunnel: number, direction: Direction, index: number): number => {
  const owner = ownerOf(tunnel, direction);
  return (owner | (Math.imul(index ^ owner, CHECK) >>> 25)) >>> 0;
};

/** A fresh block of payload of this direction from `offset` on. */
export const payload = (tunnel: number, direction: Direction, offset: number, length: number): Uint8Array => {
  const first = offset >>> 3;
  const words = ((offset + length + 7) >>> 3) - first;
  const block = new Uint32Array(words * 2);
  const owner = ownerOf(tunnel, direction);
  for (let i = 0, index = first; i < words; i++, index++) {
    block[2 * i] = index;
    block[2 * i + 1] = owner | (Math.imul(index ^ owner, CHECK) >>> 25);
  }
  return new Uint8Array(block.buffer, offset & 7, length);
};

export type Position = { readonly tunnel: number; readonly direction: Direction; readonly offset: number };

/** Where the bytes from `at` on belong, read from the first two whole words; undefined when they are no payload. */
export const locate = (bytes: Uint8Array, at: number): Position | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let shift = 0; shift < 8 && at + shift + 16 <= bytes.length; shift++) {
    const index = view.getUint32(at + shift, true);
    const owner = view.getUint32(at + shift + 4, true);
    const direction = (owner & 128) === 0 ? 'up' : 'down';
    const tunnel = owner >>> 8;
    if (owner !== high(tunnel, direction, index)) continue;
    if (view.getUint32(at + shift + 8, true) !== index + 1) continue;
    if (view.getUint32(at + shift + 12, true) !== high(tunnel, direction, index + 1)) continue;
    const offset = index * 8 - shift;
    if (offset >= 0) return { tunnel, direction, offset };
  }
  return undefined;
};
