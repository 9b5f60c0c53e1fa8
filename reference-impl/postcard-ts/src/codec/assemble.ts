import { ClosureDecoder } from '../closures/decode.ts';
import { ClosureEncoder } from '../closures/encode.ts';
import { QuickDecoder } from '../closures/quick-decode.ts';
import { QuickEncoder } from '../closures/quick-encode.ts';
import { type Prefix, prefixCapacity, prefixLength, U32_BE, writePrefix } from '../framing/prefix.ts';
import type { CodecFunctions } from '../generate/source.ts';
import { PostcardError } from '../postcard-error.ts';
import { maxSize } from '../schema/bounds.ts';
import type { Node } from '../schema/node.ts';
import { closeInput, input, openInput } from '../wire/input.ts';
import {
  abandon,
  aim,
  begin,
  borrow,
  finish,
  land,
  leave,
  output,
  SLACK_BYTES,
  takeCuts,
} from '../wire/output.ts';
import { Refusal, shown } from '../wire/refusal.ts';
import type { Codec, PartsOptions, SafeResult } from './codec.ts';
import type { Limits, Settings } from './options.ts';

/** Bytes kept free in front of a frame's body for its length. */
const PREFIX_BYTES_MAX = 8;

/** The closures of a schema that know where they are: they explain the refusals of those that are made to be quick. */
const closuresOf = (node: Node, settings: Settings): CodecFunctions => ({
  encode: new ClosureEncoder(settings.limits.depth).build(node),
  decode: new ClosureDecoder(node, settings).build(node),
});

/** The codec in no-eval mode. */
const quickClosuresOf = (node: Node, settings: Settings): CodecFunctions => ({
  encode: new QuickEncoder(settings.limits.depth).build(node),
  decode: new QuickDecoder(node, settings).build(node),
});

const isStackOverflow = (thrown: unknown): boolean =>
  thrown instanceof RangeError && /call stack/i.test(thrown.message);

/** What was thrown, as the caller gets it: refusals with their path; what a getter of the caller's threw stays what it is. */
export const told = (thrown: unknown, start: number): unknown => {
  if (thrown instanceof Refusal) return thrown.toError(start);
  if (isStackOverflow(thrown))
    return new PostcardError({
      kind: 'LimitDepth',
      path: '',
      offset: undefined,
      expected: 'a depth the stack can hold',
      got: 'a deeper value',
    });
  return thrown;
};

const misused = (expected: string, got: unknown): PostcardError =>
  new PostcardError({ kind: 'BadSchema', path: '', offset: undefined, expected, got: shown(got) });

/**
 * Makes a codec of a schema's functions.
 * @param own generated functions; undefined for closures
 */
export const assemble = <T>(
  node: Node,
  settings: Settings,
  own: CodecFunctions | undefined,
  mode: Codec<T>['mode'],
): Codec<T> => {
  let explaining: CodecFunctions | undefined;
  const explainer = (): CodecFunctions => {
    explaining ??= closuresOf(node, settings);
    return explaining;
  };
  const functions = own ?? quickClosuresOf(node, settings);
  return {
    mode,
    maxSize: maxSize(node),
    ...encoding<T>(functions, explainer, settings.limits.bytes),
    ...decoding<T>(functions, explainer, settings, maxSize(node)),
  };
};

/** Makes bytes the input. @throws PostcardError BadSchema for what is no bytes, LimitBytes for too many */
export const checkedOpen = (bytes: Uint8Array, offset: number, limits: Limits): void => {
  if (bytes !== input.again && !(bytes instanceof Uint8Array)) throw misused('a Uint8Array as input', bytes);
  if (!(offset >= 0 && offset <= bytes.length)) throw misused(`an offset from 0 to ${bytes.length}`, offset);
  const length = bytes.length - offset;
  if (length > limits.bytes)
    throw new Refusal('LimitBytes', -1, `at most ${limits.bytes} bytes`, `${length} bytes`).toError(0);
  openInput(bytes, offset, limits.emptyItems);
};

/** Copying is as fast as a piece more in a list up to here. */
const PART_BYTES_MIN = 4096;

type Encoding<T> = Pick<Codec<T>, 'encode' | 'encodeInto' | 'encodeFrame' | 'encodeParts' | 'size'>;

/** Puts a length in front of a message that ends at a position. @returns where it then begins @throws Refusal FrameTooLong */
const prefixed = (from: number, length: number, prefix: Prefix): number => {
  const capacity = prefixCapacity(prefix);
  if (length > capacity)
    throw new Refusal('FrameTooLong', -1, `at most ${capacity} bytes`, `${length} bytes`);
  const start = from - prefixLength(prefix, length);
  writePrefix(output.b, start, prefix, length);
  return start;
};

/** Ends a message whose long byte arrays were left where they are. */
const finishParts = (end: number, prefix: Prefix | undefined): readonly Uint8Array[] => {
  const cuts = takeCuts();
  const from = output.start;
  const length = cuts.reduce((sum, { bytes }) => sum + bytes.length, end - from);
  const start = prefix === undefined ? from : prefixed(from, length, prefix);
  const own = finish(start, end);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { at: behind, bytes } of cuts) {
    const next = behind + from - start;
    if (next > at) parts.push(own.subarray(at, next));
    parts.push(bytes);
    at = next;
  }
  if (at < own.length || parts.length === 0) parts.push(own.subarray(at));
  return parts;
};

const encoding = <T>(own: CodecFunctions, explainer: () => CodecFunctions, max: number): Encoding<T> => {
  const { encode } = own;

  /** Writes the value again with closures, which know where they are; what they do not refuse was refused for another reason. */
  const explain = (value: T, thrown: unknown): unknown => {
    takeCuts();
    abandon();
    const closures = explainer();
    if (closures === own || (thrown instanceof Refusal && thrown.kind === 'LimitBytes'))
      return told(thrown, 0);
    try {
      output.busy = true;
      closures.encode(value, begin(0, max));
      return told(thrown, 0);
    } catch (again) {
      return told(again, 0);
    } finally {
      abandon();
      output.busy = false;
    }
  };

  const message = (
    value: T,
    reserve: number,
    done: (from: number, end: number) => Uint8Array,
  ): Uint8Array => {
    if (output.busy) return borrow(() => message(value, reserve, done));
    output.busy = true;
    try {
      const end = encode(value, begin(reserve, max));
      const made = done(output.start, end);
      output.busy = false;
      return made;
    } catch (thrown) {
      output.busy = false;
      throw explain(value, thrown);
    }
  };

  // as message, which for a small value costs a quarter more
  const encodeAlone = (value: T): Uint8Array => {
    if (output.busy) return borrow(() => encodeAlone(value));
    output.busy = true;
    try {
      const end = encode(value, begin(0, max));
      const made = finish(output.start, end);
      output.busy = false;
      return made;
    } catch (thrown) {
      output.busy = false;
      throw explain(value, thrown);
    }
  };

  const encodeIntoAnother = (value: T, target: Uint8Array, offset: number): number => {
    if (!(target instanceof Uint8Array)) throw misused('a Uint8Array as target', target);
    if (!(offset >= 0 && offset <= target.length))
      throw misused(`an offset from 0 to ${target.length}`, offset);
    if (output.busy) return borrow(() => encodeIntoAnother(value, target, offset));
    output.busy = true;
    try {
      const end = land(target, offset, encode(value, aim(target, offset, max)));
      output.busy = false;
      return end;
    } catch (thrown) {
      leave();
      output.busy = false;
      throw explain(value, thrown);
    }
  };

  const encodeInto = (value: T, target: Uint8Array, offset = 0): number => {
    // messages into one buffer come in runs: what was found out about it for the last one still holds
    const { b } = output;
    const known = output.aimedAt === target && b.length === target.length && !output.busy;
    if (!known || !(offset >= 0 && offset < target.length - SLACK_BYTES))
      return encodeIntoAnother(value, target, offset);
    output.busy = true;
    output.start = offset;
    output.max = max;
    output.depth = 0;
    try {
      const end = encode(value, offset);
      output.busy = false;
      return output.b === b && end - offset <= max ? end : land(target, offset, end);
    } catch (thrown) {
      leave();
      output.busy = false;
      throw explain(value, thrown);
    }
  };

  const encodeParts = (
    value: T,
    { prefix, from = PART_BYTES_MIN }: PartsOptions = {},
  ): readonly Uint8Array[] => {
    if (!(from >= 1)) throw misused('a length from 1', from);
    if (output.busy) return borrow(() => encodeParts(value, { ...(prefix && { prefix }), from }));
    output.busy = true;
    try {
      const p = begin(PREFIX_BYTES_MAX, max);
      output.cut = from;
      const parts = finishParts(encode(value, p), prefix);
      output.busy = false;
      return parts;
    } catch (thrown) {
      output.busy = false;
      throw explain(value, thrown);
    }
  };

  return {
    encode: encodeAlone,
    encodeInto,
    encodeFrame: (value, prefix: Prefix = U32_BE) =>
      message(value, PREFIX_BYTES_MAX, (from, end) => finish(prefixed(from, end - from, prefix), end)),
    encodeParts,
    size: (value) => {
      let size = 0;
      message(value, 0, (from, end) => {
        size = end - from;
        abandon();
        return output.b;
      });
      return size;
    },
  };
};

type Decoding<T> = Pick<Codec<T>, 'decode' | 'decodePrefix' | 'safeDecode'>;

const decoding = <T>(
  own: CodecFunctions,
  explainer: () => CodecFunctions,
  { limits, ignoreTrailing }: Settings,
  max: number | undefined,
): Decoding<T> => {
  const { decode, direct } = own;

  const refused = (bytes: Uint8Array, offset: number, thrown: unknown): unknown => {
    const closures = explainer();
    let cause = thrown;
    if (closures !== own) {
      checkedOpen(bytes, offset, limits);
      try {
        closures.decode(input.p);
      } catch (again) {
        cause = again;
      }
    }
    const error = told(cause, bytes.byteOffset);
    closeInput();
    return error;
  };

  const read = (bytes: Uint8Array, offset: number): T => {
    checkedOpen(bytes, offset, limits);
    try {
      return decode(input.p) as T;
    } catch (thrown) {
      throw refused(bytes, offset, thrown);
    }
  };

  const whole = (bytes: Uint8Array): T => {
    const value = read(bytes, 0);
    const left = input.e - input.p;
    if (left > 0 && !ignoreTrailing) {
      const at = input.p;
      closeInput();
      const refusal = new Refusal(
        'DeserializeTrailingBytes',
        at,
        'the end of the input',
        `${left} more bytes`,
      );
      throw refusal.toError(bytes.byteOffset);
    }
    closeInput();
    return value;
  };

  const small = (bytes: Uint8Array): T => {
    const value = bytes instanceof Uint8Array ? direct?.(bytes) : undefined;
    return value === undefined ? whole(bytes) : (value as T);
  };
  // no message that is read directly may be longer than the limit
  const isSmall = direct !== undefined && max !== undefined && max <= limits.bytes;
  const all = isSmall ? small : whole;

  return {
    decode: all,
    decodePrefix: (bytes, offset = 0) => {
      const value = read(bytes, offset);
      const end = input.p - input.s;
      closeInput();
      return { value, end };
    },
    safeDecode: (bytes): SafeResult<T> => {
      try {
        return { ok: true, value: all(bytes) };
      } catch (thrown) {
        if (thrown instanceof PostcardError) return { ok: false, error: thrown };
        throw thrown;
      }
    },
  };
};
