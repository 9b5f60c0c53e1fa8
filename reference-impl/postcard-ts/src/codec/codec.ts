import type { Prefix } from '../framing/prefix.ts';
import type { PostcardError } from '../postcard-error.ts';

export type SafeResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PostcardError };

export type PartsOptions = {
  /** Puts the length of all pieces in front. */
  readonly prefix?: Prefix;
  /** Byte arrays from this length on are not copied; 4096 by default. */
  readonly from?: number;
};

/** Reads and writes the values of one schema. Every refusal is a PostcardError. */
export interface Codec<T> {
  /** How it works: by generated code or by closures. */
  readonly mode: 'compiled' | 'no-eval' | 'emitted';
  /** The most bytes a value can take; undefined where there is no bound. */
  readonly maxSize: number | undefined;

  /**
   * Writes a value.
   * @returns bytes of their own in a shared pool of 64 KiB: they never change, and keep the pool alive (`slice()` long-lived ones)
   * @throws PostcardError SerializeBadValue, LimitBytes, LimitDepth
   */
  encode(value: T): Uint8Array;
  /**
   * Writes a value into bytes of the caller's. After a refusal what lies behind `offset` may be partly overwritten.
   * @returns the offset after the value
   * @throws PostcardError SerializeBufferFull and those of encode
   */
  encodeInto(value: T, target: Uint8Array, offset?: number): number;
  /**
   * Writes a value behind its length, in one piece of memory.
   * @param prefix four bytes, big-endian, by default
   * @throws PostcardError FrameTooLong and those of encode
   */
  encodeFrame(value: T, prefix?: Prefix): Uint8Array;
  /**
   * Writes a value as a list of pieces for one gathering write (`writev`, `Blob`): long byte arrays are not copied, they are pieces
   * themselves and must not change until they are written.
   * @throws PostcardError FrameTooLong and those of encode
   */
  encodeParts(value: T, options?: PartsOptions): readonly Uint8Array[];
  /** The bytes a value takes. Costs as much as encoding it. @throws PostcardError as encode */
  size(value: T): number;
  /** Reads a value that must fill the input (unless `trailing: 'ignore'`). @throws PostcardError */
  decode(bytes: Uint8Array): T;
  /** Reads a value from an offset on. @returns the value and the offset after it @throws PostcardError */
  decodePrefix(bytes: Uint8Array, offset?: number): { value: T; end: number };
  /** As decode, with the refusal as a value. */
  safeDecode(bytes: Uint8Array): SafeResult<T>;
}
