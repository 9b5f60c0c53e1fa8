/**
 * Every way in which this package refuses: the stable `kind` (postcard's own name for it where the crate has one), what it means
 * and what to try. The README's table is compared with this one by a test.
 */
export const ERROR_KINDS = {
  DeserializeUnexpectedEnd: {
    means: 'the input ends inside a value',
    hint: 'read more bytes, or compare the schema with the sender',
  },
  DeserializeBadVarint: {
    means: 'a varint has too many bytes, or bits beyond its type',
    hint: 'compare the integer widths of both sides',
  },
  DeserializeBadBool: { means: 'a bool is neither 00 nor 01', hint: 'compare the schema with the sender' },
  DeserializeBadOption: {
    means: 'an option tag is neither 00 nor 01',
    hint: 'compare the schema with the sender',
  },
  DeserializeBadChar: {
    means: 'a char is not exactly one scalar value in UTF-8',
    hint: "the crate reads the first of several: `chars: 'first'` does too",
  },
  DeserializeBadUtf8: { means: 'a string is not UTF-8', hint: 'use p.bytes for arbitrary bytes' },
  DeserializeBadEnum: {
    means: 'no variant has this index (SerdeDeCustom in Rust)',
    hint: 'the sender may know newer variants: list them in its order of declaration',
  },
  DeserializeZero: {
    means: 'a NonZero integer is zero (SerdeDeCustom in Rust)',
    hint: 'use the plain integer if zero is meant',
  },
  DeserializeUnsafeInteger: {
    means: 'an integer read as a number lies beyond 2^53-1',
    hint: 'use `.bigint` or `.auto` for this field',
  },
  DeserializeTrailingBytes: {
    means: 'bytes are left over after the value',
    hint: "use decodePrefix, or `trailing: 'ignore'`",
  },
  DeserializeBadEncoding: {
    means: 'a COBS frame is malformed',
    hint: 'the frame was cut or damaged: resume at the next 00',
  },
  DeserializeBadCrc: { means: 'a checksum does not match', hint: 'compare the algorithms of both sides' },
  SerializeBadValue: {
    means: 'a value does not fit its schema',
    hint: 'look at the path: the schema says what it takes',
  },
  SerializeBufferFull: {
    means: 'the target of encodeInto is too small',
    hint: 'size() tells the bytes a value needs',
  },
  LimitBytes: { means: 'a message is longer than limits.bytes', hint: 'raise limits.bytes, or split it' },
  LimitItems: {
    means: 'a collection has more items than limits.items, or empty ones than limits.emptyItems',
    hint: 'raise the limit if the peer may be trusted with the memory',
  },
  LimitDepth: {
    means: 'recursive values nest deeper than limits.depth',
    hint: 'raise limits.depth; a value that contains itself has no end',
  },
  FrameTooLong: { means: 'a frame announces more than its limit', hint: 'raise max, or drop the peer' },
  FrameTruncated: {
    means: 'the stream ended inside a frame',
    hint: 'the peer closed early: the part is lost',
  },
  BadSchema: {
    means: 'a schema or an option cannot work as written',
    hint: 'the message names the place and the way out',
  },
} as const;

/** The stable name of a refusal: tests and programs match this, never the prose. */
export type ErrorKind = keyof typeof ERROR_KINDS;

export type PostcardErrorDetails = {
  readonly kind: ErrorKind;
  /** Where in the value, as JavaScript would reach it (`points[3].value`); empty at the root. */
  readonly path: string;
  /** Byte offset from the start of the input; undefined when it is not about a byte. */
  readonly offset: number | undefined;
  readonly expected: string;
  readonly got: string;
};

/** The one error class of this package: kind, path, offset, what was expected and what was there. */
export class PostcardError extends Error {
  override readonly name: string = 'PostcardError';
  readonly kind: ErrorKind;
  readonly path: string;
  readonly offset: number | undefined;
  readonly expected: string;
  readonly got: string;
  /** What to try. */
  readonly hint: string;

  constructor(details: PostcardErrorDetails) {
    const { kind, path, offset, expected, got } = details;
    const { hint } = ERROR_KINDS[kind];
    const where = `${path === '' ? '' : ` at ${path}`}${offset === undefined ? '' : ` (byte ${offset})`}`;
    super(`${kind}${where}: expected ${expected}, got ${got} - ${hint}`);
    this.kind = kind;
    this.path = path;
    this.offset = offset;
    this.expected = expected;
    this.got = got;
    this.hint = hint;
  }
}
