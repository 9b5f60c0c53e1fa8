import { type ErrorKind, PostcardError } from '../postcard-error.ts';

/**
 * A refusal on its way up. Not an Error: no stack is captured while values are still being left, and each composite on the way adds
 * its piece of the path. The codec turns it into a PostcardError.
 */
export class Refusal {
  readonly kind: ErrorKind;
  /** Position in the buffer being read; -1 when the refusal is not about a byte. */
  readonly at: number;
  readonly expected: string;
  readonly got: string;
  path = '';

  constructor(kind: ErrorKind, at: number, expected: string, got: string) {
    this.kind = kind;
    this.at = at;
    this.expected = expected;
    this.got = got;
  }

  /** @param start position of the input's first byte, which becomes offset 0 */
  toError(start: number): PostcardError {
    return new PostcardError({
      kind: this.kind,
      path: this.path.startsWith('.') ? this.path.slice(1) : this.path,
      offset: this.at < 0 ? undefined : this.at - start,
      expected: this.expected,
      got: this.got,
    });
  }
}

/** Refuses a read or a write. @throws Refusal always */
export const refuse = (kind: ErrorKind, at: number, expected: string, got: string): never => {
  throw new Refusal(kind, at, expected, got);
};

/** A value as error messages show it: its type and a short form. */
export const shown = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return `string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
    case 'bigint':
      return `bigint ${value}`;
    case 'number':
    case 'boolean':
      return `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`;
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? `array of ${value.length}` : 'object';
    default:
      return typeof value;
  }
};

/** Refuses a value that does not fit its schema. @throws Refusal always */
export const badValue = (expected: string, value: unknown): never =>
  refuse('SerializeBadValue', -1, expected, shown(value));

/** A refusal of a schema or an option, thrown while a schema is built or compiled. */
export const badSchema = (path: string, expected: string, got: string): PostcardError =>
  new PostcardError({ kind: 'BadSchema', path, offset: undefined, expected, got });

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** How a path reaches a property. */
export const member = (key: string): string =>
  IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;

/** Adds a piece in front of a refusal's path; anything else passes as it is. */
export const within = (thrown: unknown, piece: string): unknown => {
  if (thrown instanceof Refusal) thrown.path = piece + thrown.path;
  return thrown;
};
