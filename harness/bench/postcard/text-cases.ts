/** Text and blobs of many sizes beside a small number; ours go into a buffer that is used again and again. */
import { Encoder, decode as msgpackDecode } from '@msgpack/msgpack';
import { Encoder as CborEncoder, decode as cborDecode } from 'cbor-x';
import { Packr, RESET_BUFFER_MODE } from 'msgpackr';
import { compile, p, type Schema } from 'postcard-ts';
import { type Case, kept, mustBeSame, sink } from './case.ts';
import { BLOB_BYTES, TEXT_CHARS, TEXT_KINDS, type TextKind } from './inputs.ts';

const TARGET_BYTES = 1 << 20;

const LETTERS = 26;
const CHARACTERS: Readonly<Record<TextKind, (i: number) => string>> = {
  ascii: (i) => String.fromCharCode(97 + (i % LETTERS)),
  latin: (i) => (i % 8 === 0 ? 'é' : String.fromCharCode(97 + (i % LETTERS))),
  cjk: (i) => String.fromCharCode(0x4e00 + (i % 2000)),
};

/** A text as it comes from the wire: flat, not a rope of pieces. */
const textOf = (kind: TextKind, chars: number): string =>
  Buffer.from(Array.from({ length: chars }, (_, i) => CHARACTERS[kind](i)).join('')).toString();

/** How a contender writes into memory that it is given once, if it can be given any, and reads. */
type Into<Value> = {
  /** @returns anything that depends on the bytes written */
  write(value: Value): unknown;
  /** The bytes of what was written last. */
  written(value: Value): Uint8Array;
  read(bytes: Uint8Array): unknown;
};

type Makers = Readonly<Record<string, (schema: Schema<unknown>) => Into<unknown>>>;

const MAKERS: Makers = {
  postcard: (schema) => {
    const codec = compile(schema);
    const target = new Uint8Array(TARGET_BYTES);
    return {
      write: (value) => codec.encodeInto(value, target, 0),
      written: (value) => target.subarray(0, codec.encodeInto(value, target, 0)),
      read: (bytes) => codec.decode(bytes),
    };
  },
  'msgpackr-records': () => {
    const packr = new Packr({ structures: [] });
    const write = (value: unknown): Uint8Array => packr.pack(value);
    return { write, written: write, read: (bytes) => packr.unpack(bytes) };
  },
  'msgpackr-given': () => {
    const packr = new Packr({ structures: [] });
    packr.useBuffer(Buffer.alloc(TARGET_BYTES));
    const write = (value: unknown): Uint8Array => packr.pack(value, RESET_BUFFER_MODE);
    return { write, written: write, read: (bytes) => packr.unpack(bytes) };
  },
  'cbor-x-records': () => {
    const encoder = new CborEncoder({ structures: [] });
    const write = (value: unknown): Uint8Array => encoder.encode(value);
    return { write, written: write, read: (bytes) => encoder.decode(bytes) };
  },
  msgpack: () => {
    const encoder = new Encoder();
    return {
      write: (value) => encoder.encodeSharedRef(value),
      written: (value) => encoder.encode(value),
      read: (bytes) => msgpackDecode(bytes),
    };
  },
  json: () => ({
    write: (value) => Buffer.from(JSON.stringify(value)),
    written: (value) => Buffer.from(JSON.stringify(value)),
    read: (bytes) => JSON.parse((bytes as Buffer).toString()),
  }),
  'cbor-x': () => {
    const encoder = new CborEncoder();
    const write = (value: unknown): Uint8Array => encoder.encode(value);
    return { write, written: write, read: (bytes) => cborDecode(bytes) };
  },
};

const casesOf = (
  id: string,
  schema: Schema<unknown>,
  values: readonly (readonly [label: string, value: unknown])[],
): readonly Case[] => {
  const make = MAKERS[id];
  if (make === undefined) throw new Error(`${id} has no way of its own for text and blobs`);
  const { write, written, read } = make(schema);
  return values.flatMap(([label, value]) => {
    const bytes = kept(written(value));
    mustBeSame(id, value, read(bytes));
    return [
      {
        name: `encode-${label}`,
        bytes: bytes.length,
        run: (count: number): void => {
          for (let i = 0; i < count; i++) sink.last = write(value);
        },
      },
      {
        name: `decode-${label}`,
        bytes: bytes.length,
        run: (count: number): void => {
          for (let i = 0; i < count; i++) sink.last = read(bytes);
        },
      },
    ];
  });
};

/** Cases `encode-KIND-CHARS` and `decode-KIND-CHARS`. */
export const textCases = async (id: string): Promise<readonly Case[]> =>
  casesOf(
    id,
    p.struct({ id: p.u32, text: p.str }) as Schema<unknown>,
    TEXT_KINDS.flatMap((kind) =>
      TEXT_CHARS.map((chars) => [`${kind}-${chars}`, { id: 7, text: textOf(kind, chars) }] as const),
    ),
  );

/** Cases `encode-BYTES` and `decode-BYTES`. */
export const blobCases = async (id: string): Promise<readonly Case[]> =>
  casesOf(
    id,
    p.struct({ id: p.u32, blob: p.bytes }) as Schema<unknown>,
    BLOB_BYTES.map((size) => [`${size}`, { id: 7, blob: kept(new Uint8Array(size).map((_, i) => i * 7)) }]),
  );
