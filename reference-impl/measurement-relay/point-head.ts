/** Points by hand: the part that differs from one to the next (metric, time, value), and how long the labels behind it are. */
import { NANOS_IN_SEC, SECS_END } from './point-check.ts';

/** More than any head that `readHead` understands takes: a metric of 3 bytes, seconds of 7, nanoseconds of 5, a value of 9. */
const HEAD_BYTES_MAX = 24;
/** Bytes of a varint that surely fits a number without rounding. */
const SAFE_BYTES = 7;
const U32_BYTES = 5;
/** Variants of a value. */
const F64 = 0;
const U64 = 1;
const BOOL = 2;
const STR = 3;

/** What `readHead` read last. One for all: an object for each point would be the most that a point costs. */
export const head = { metric: 0, secs: 0, nanos: 0, isFloat: false, value: 0 };

let varint = 0;

/** Reads a varint into `varint`. @returns where it ends; -1: it is longer than `bytesMax` */
const readVarint = (bytes: Uint8Array, from: number, bytesMax: number): number => {
  let p = from;
  let byte = bytes[p++] as number;
  varint = byte & 127;
  for (let scale = 128; byte > 127; scale *= 128) {
    if (p - from >= bytesMax) return -1;
    byte = bytes[p++] as number;
    varint += (byte & 127) * scale;
  }
  return p;
};

/**
 * Reads the head of a point into `head`, some four times as fast as the codec, which reads whole points.
 * @returns where the labels begin; -1: it is nothing for the short way (an end that is near, a large number, a value that is none),
 * and the codec has to say what it is
 */
export const readHead = (bytes: Uint8Array, view: DataView, at: number): number => {
  if (at + HEAD_BYTES_MAX > bytes.length) return -1;
  let p = readVarint(bytes, at, 3);
  if (p < 0) return -1;
  head.metric = varint;
  p = readVarint(bytes, p, SAFE_BYTES);
  if (p < 0 || varint >= SECS_END) return -1;
  head.secs = varint;
  p = readVarint(bytes, p, U32_BYTES);
  if (p < 0 || varint >= NANOS_IN_SEC) return -1;
  head.nanos = varint;
  const type = bytes[p++];
  if (type === F64) {
    head.isFloat = true;
    head.value = view.getFloat64(p, true);
    return p + 8;
  }
  if (type !== U64) return -1;
  p = readVarint(bytes, p, SAFE_BYTES);
  if (p < 0) return -1;
  head.isFloat = false;
  head.value = varint;
  return p;
};

/** @returns where a text ends; NaN: it is long, or there is none */
const textEnd = (bytes: Uint8Array, at: number): number => {
  const length = bytes[at] as number;
  return length < 128 ? at + 1 + length : Number.NaN;
};

const valueEnd = (bytes: Uint8Array, at: number): number => {
  switch (bytes[at]) {
    case F64:
      return at + 9;
    case U64:
      return readVarint(bytes, at + 1, SAFE_BYTES);
    case BOOL:
      return at + 2;
    case STR:
      return textEnd(bytes, at + 1);
    default:
      return Number.NaN;
  }
};

/** @returns where the labels that begin there end; -1: they are nothing for the short way. Says nothing about what they are. */
export const labelsEnd = (bytes: Uint8Array, at: number): number => {
  const consumer = textEnd(bytes, textEnd(bytes, at));
  let p = textEnd(bytes, textEnd(bytes, consumer));
  const attributes = bytes[p++] as number;
  if (!(attributes < 128)) return -1;
  for (let i = 0; i < attributes && p > 0; i++) p = valueEnd(bytes, textEnd(bytes, p));
  return p > 0 && p <= bytes.length ? p : -1;
};
