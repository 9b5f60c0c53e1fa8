import { badValue } from './refusal.ts';

type Write = (this: Uint8Array, text: string, at: number) => number;
const nodeBuffer = (globalThis as { Buffer?: { prototype?: { utf8Write?: Write } } }).Buffer;
const nativeWrite = nodeBuffer?.prototype?.utf8Write;
const encoder = new TextEncoder();

/** Writes UTF-8 where there is room for 3 bytes a code unit. @returns bytes written */
const write = nativeWrite
  ? (b: Uint8Array, p: number, text: string): number => nativeWrite.call(b, text, p)
  : (b: Uint8Array, p: number, text: string): number => encoder.encodeInto(text, b.subarray(p)).written;

const headLength = (n: number): number =>
  n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x20_0000 ? 3 : n < 0x1000_0000 ? 4 : 5;

const writeHead = (b: Uint8Array, from: number, n: number): void => {
  let p = from;
  let rest = n;
  for (; rest > 127; rest >>>= 7) b[p++] = (rest & 127) | 128;
  b[p] = rest;
};

const wellFormed = (text: string): boolean => {
  const native = (text as { isWellFormed?: () => boolean }).isWellFormed;
  if (native !== undefined) return native.call(text);
  // a lone surrogate is a code point of its own
  for (const scalar of text) if (/^[\ud800-\udfff]$/.test(scalar)) return false;
  return true;
};

/**
 * Writes a string with its length in front, where there is room for 3 bytes a code unit and the length. The length is guessed as
 * if all were ASCII, and the text moved if it was not.
 * @returns the position after it
 * @throws Refusal SerializeBadValue for a lone surrogate, which no UTF-8 can say
 */
export const writeText = (b: Uint8Array, p: number, text: string): number => {
  const n = text.length;
  const guessed = p + headLength(n);
  const written = write(b, guessed, text);
  if (written !== n) {
    if (!wellFormed(text)) badValue('a well-formed string', text);
    const start = p + headLength(written);
    if (start !== guessed) b.copyWithin(start, guessed, guessed + written);
    writeHead(b, p, written);
    return start + written;
  }
  writeHead(b, p, n);
  return guessed + n;
};

/** Checks that a string is one scalar value. @throws Refusal SerializeBadValue */
export const checkChar = (value: unknown): string => {
  if (typeof value !== 'string') badValue('a char', value);
  const text = value as string;
  const scalar = text.codePointAt(0);
  const isOne = scalar !== undefined && String.fromCodePoint(scalar).length === text.length;
  if (!isOne || (scalar >= 0xd800 && scalar < 0xe000)) badValue('exactly one scalar value', value);
  return text;
};
