/** Codecs that are broken on purpose: each spoils one thing of ours, as a public implementation does or did. */
import { type Answer, answer, type Request } from '../../subjects/postcard-answers.ts';

export type CodecDefect = {
  /** The clause that must be found broken, and a case that finds it. */
  readonly clause: string;
  readonly case: string;
  readonly says: string;
  /** Makes an answer of its own, or leaves it to the codec (undefined). May remember things: one a process. */
  readonly spoil: () => (request: Request) => Answer | undefined;
};

const bytesOf = (hex = ''): Buffer => Buffer.from(hex, 'hex');
const typeOf = (request: Request): string =>
  typeof request.schema === 'object' ? request.schema.type : (request.schema ?? '');

/** Without memory. */
const plain =
  (spoil: (request: Request) => Answer | undefined): (() => (request: Request) => Answer | undefined) =>
  () =>
    spoil;

const decoding = (spoil: (request: Request, data: Buffer) => Answer | undefined) =>
  plain((request) => (request.op === 'decode' ? spoil(request, bytesOf(request.hex)) : undefined));
const encoding = (spoil: (request: Request) => Answer | undefined) =>
  plain((request) => (request.op === 'encode' ? spoil(request) : undefined));

/** A varint without any limit. */
const varint = (data: Buffer): { readonly value: bigint; readonly end: number } | undefined => {
  let value = 0n;
  for (const [i, byte] of data.entries()) {
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value, end: i + 1 };
  }
  return undefined;
};

/** The codec's own answer, with every string in it led through `change`. */
const strings = (request: Request, change: (text: string) => string): Answer =>
  JSON.parse(JSON.stringify(answer(request)), (_, value) =>
    typeof value === 'string' ? change(value) : value,
  ) as Answer;

const withHex = (request: Request, hex: string): Answer => answer({ ...request, hex });

const MEBIBYTES = 64 * 1024 * 1024;

const READERS: Readonly<Record<string, CodecDefect>> = {
  'wraps-32-bits': {
    clause: 'POSTCARD-VARINT-2',
    case: 'refuse/varint',
    says: 'bits beyond 32 in the last byte of a varint are dropped',
    spoil: decoding((request, data) =>
      typeOf(request) === 'u32' && data.length === 5
        ? withHex(request, Buffer.from([...data.subarray(0, 4), (data[4] as number) & 0x0f]).toString('hex'))
        : undefined,
    ),
  },
  'no-length-limit': {
    clause: 'POSTCARD-VARINT-2',
    case: 'refuse/varint',
    says: 'varints of any length are read',
    spoil: decoding((request, data) => {
      const read = typeOf(request) === 'u16' ? varint(data) : undefined;
      return read === undefined || read.value > 65_535n
        ? undefined
        : { value: Number(read.value), consumed: read.end };
    }),
  },
  'padding-refused': {
    clause: 'POSTCARD-VARINT-3',
    case: 'accept/padded',
    says: 'a varint with padding is refused',
    spoil: decoding((request, data) =>
      typeOf(request) === 'u16' && data.length > 1 && data.at(-1) === 0 ? { error: 'padding' } : undefined,
    ),
  },
  'truncated-as-zero': {
    clause: 'POSTCARD-END-1',
    case: 'refuse/truncated',
    says: 'bytes that are missing are read as 0',
    spoil: decoding((request) => {
      const first = answer(request);
      if (first.kind !== 'DeserializeUnexpectedEnd') return undefined;
      return withHex(request, `${request.hex}${'00'.repeat(16)}`);
    }),
  },
  'length-unchecked': {
    clause: 'POSTCARD-END-2',
    case: 'refuse/length',
    says: 'a string is cut where the input ends',
    spoil: decoding((request, data) => {
      const read = typeOf(request) === 'string' ? varint(data) : undefined;
      if (read === undefined || read.value <= BigInt(data.length - read.end)) return undefined;
      return { value: data.toString('utf8', read.end), consumed: data.length };
    }),
  },
  'bool-2-is-false': {
    clause: 'POSTCARD-BOOL-2',
    case: 'refuse/bool',
    says: 'whatever is not 01 is false',
    spoil: decoding((request, data) =>
      typeOf(request) === 'bool' && data.length > 0 ? { value: data[0] === 1, consumed: 1 } : undefined,
    ),
  },
  'option-2-is-some': {
    clause: 'POSTCARD-OPTION-2',
    case: 'refuse/option',
    says: 'a tag that is not 00 is Some',
    spoil: decoding((request, data) =>
      typeOf(request) === 'option' && (data[0] ?? 0) > 1
        ? withHex(request, `01${(request.hex ?? '').slice(2)}`)
        : undefined,
    ),
  },
  'unknown-variant': {
    clause: 'POSTCARD-ENUM-2',
    case: 'refuse/enum',
    says: 'an unknown variant is taken for the first',
    spoil: decoding((request) =>
      typeOf(request) === 'enum' && answer(request).kind === 'DeserializeBadEnum'
        ? { value: { variant: 'Unit' }, consumed: 1 }
        : undefined,
    ),
  },
  'lossy-utf8': {
    clause: 'POSTCARD-STRING-2',
    case: 'refuse/text',
    says: 'what is not UTF-8 becomes U+FFFD',
    spoil: decoding((request, data) =>
      typeOf(request) === 'string' && answer(request).kind === 'DeserializeBadUtf8'
        ? { value: data.toString('utf8', 1), consumed: data.length }
        : undefined,
    ),
  },
  'bom-stripped': {
    clause: 'POSTCARD-LEGAL-1',
    case: 'accept/legal',
    says: 'a byte order mark is taken off',
    spoil: decoding((request) => strings(request, (text) => text.replace(/^\ufeff/, ''))),
  },
  'empty-char': {
    clause: 'POSTCARD-CHAR-2',
    case: 'refuse/char',
    says: 'a char without bytes is an empty string',
    spoil: decoding((request, data) =>
      typeOf(request) === 'char' && data[0] === 0 ? { value: '', consumed: 1 } : undefined,
    ),
  },
  'errors-swallowed': {
    clause: 'POSTCARD-NEST-3',
    case: 'refuse/mutated',
    says: 'a sequence ends where its items go wrong',
    spoil: decoding((request) =>
      typeOf(request) === 'seq' && answer(request).error !== undefined
        ? { value: [], consumed: 1 }
        : undefined,
    ),
  },
  'char-of-two': {
    clause: 'POSTCARD-CRATE-1',
    case: 'crate/char',
    says: 'a char of several scalars is read as all of them',
    spoil: decoding((request, data) =>
      typeOf(request) === 'char' && data.length > 2
        ? { value: data.toString('utf8', 1), consumed: data.length }
        : undefined,
    ),
  },
};

const WRITERS: Readonly<Record<string, CodecDefect>> = {
  'i8-sign-magnitude': {
    clause: 'POSTCARD-BYTE-1',
    case: 'encode/i8',
    says: 'i8 is a sign bit and a magnitude',
    spoil: encoding((request) => {
      const value = Number(request.value);
      return typeOf(request) === 'i8' && value < 0
        ? { hex: (0x80 | (-value & 0x7f)).toString(16).padStart(2, '0') }
        : undefined;
    }),
  },
  'rounds-u64': {
    clause: 'POSTCARD-VARINT-1',
    case: 'encode/u64',
    says: 'a u64 goes through a double',
    spoil: encoding((request) => {
      if (typeOf(request) !== 'u64') return undefined;
      const rounded = BigInt.asUintN(64, BigInt(Number(request.value)));
      return answer({ ...request, value: String(rounded) as never });
    }),
  },
  'no-zigzag': {
    clause: 'POSTCARD-ZIGZAG-1',
    case: 'encode/i16',
    says: "i16 is written in two's complement",
    spoil: encoding((request) =>
      typeOf(request) === 'i16'
        ? answer({ ...request, schema: 'u16', value: (Number(request.value) & 0xffff) as never })
        : undefined,
    ),
  },
  'minus-zero-lost': {
    clause: 'POSTCARD-FLOAT-1',
    case: 'encode/f64',
    says: '-0 is written as 0',
    spoil: encoding((request) =>
      typeOf(request) === 'f64' && String(request.value) === '0x8000000000000000'
        ? { hex: '00'.repeat(8) }
        : undefined,
    ),
  },
  'option-flattened': {
    clause: 'POSTCARD-OPTION-1',
    case: 'decode/option',
    says: 'Some(None) is read as None',
    spoil: decoding((request) => {
      if (typeOf(request) !== 'option') return undefined;
      const { value, ...rest } = answer(request) as { readonly value?: { readonly some: unknown } };
      return value?.some === null ? { ...rest, value: null } : undefined;
    }),
  },
  'array-with-length': {
    clause: 'POSTCARD-TUPLE-1',
    case: 'encode/tuple',
    says: 'arrays are written as sequences',
    spoil: encoding((request) =>
      typeof request.schema === 'object' && request.schema.type === 'array'
        ? answer({ ...request, schema: { ...request.schema, type: 'seq' } })
        : undefined,
    ),
  },
  'proto-field-lost': {
    clause: 'POSTCARD-STRUCT-1',
    case: 'decode/struct',
    says: 'a field called __proto__ is set as the prototype',
    spoil: decoding((request) =>
      (request.hex ?? '') !== '' && JSON.stringify(request.schema).includes('"__proto__"')
        ? { ...answer(request), value: { a: 'x' } }
        : undefined,
    ),
  },
  'one-byte-index': {
    clause: 'POSTCARD-ENUM-1',
    case: 'encode/enum',
    says: 'the index of a variant is one byte',
    spoil: encoding((request) => {
      const { hex } = answer(request) as { readonly hex?: string };
      return typeOf(request) === 'enum' && hex !== undefined && hex.length > 2 && hex.startsWith('80')
        ? { hex: `80${hex.slice(4)}` }
        : undefined;
    }),
  },
};

const ATTACKED: Readonly<Record<string, CodecDefect>> = {
  'allocates-length': {
    clause: 'POSTCARD-ROBUST-1',
    case: 'robust/length',
    says: 'memory of the announced length is taken first',
    spoil: decoding((_, data) => {
      const length = varint(data)?.value ?? 0n;
      const taken: Buffer[] = [];
      // address space, untouched: the limit is met before the machine's memory is
      for (let had = 0n; had < length && length > 1n << 32n; had += BigInt(MEBIBYTES))
        taken.push(Buffer.allocUnsafeSlow(MEBIBYTES));
      return undefined;
    }),
  },
  'dies-of-depth': {
    clause: 'POSTCARD-ROBUST-2',
    case: 'robust/depth',
    says: 'deep nesting overflows the stack',
    spoil: decoding((request, data) => {
      const descend = (left: number): number => (left === 0 ? 0 : 1 + descend(left - 1));
      if (JSON.stringify(request.schema).includes('"ref"')) descend(data.length * 100);
      return undefined;
    }),
  },
  'counts-empty-items': {
    clause: 'POSTCARD-ROBUST-3',
    case: 'robust/empty-items',
    says: 'items without bytes are counted one by one',
    spoil: decoding((request, data) => {
      const length = varint(data)?.value ?? 0n;
      if (answer(request).kind === 'LimitItems') for (let at = 0n; at < length; at++) if (at < 0n) break;
      return undefined;
    }),
  },
};

const AROUND: Readonly<Record<string, CodecDefect>> = {
  'frame-without-end': {
    clause: 'POSTCARD-COBS-1',
    case: 'framing/cobs-encode',
    says: 'the zero behind a frame is forgotten',
    spoil: plain((request) =>
      request.op === 'cobs-encode' ? { hex: String(answer(request).hex).slice(0, -2) } : undefined,
    ),
  },
  'code-past-the-end': {
    clause: 'POSTCARD-COBS-2',
    case: 'framing/cobs-decode',
    says: 'a code beyond the end of a frame is read as what is there',
    spoil: plain((request) =>
      request.op === 'cobs-decode' && answer(request).error !== undefined
        ? { hex: (request.hex ?? '').slice(2) }
        : undefined,
    ),
  },
  'crc-big-endian': {
    clause: 'POSTCARD-CRC-1',
    case: 'framing/crc-encode',
    says: 'the checksum is written most significant byte first',
    spoil: plain((request) => {
      if (request.op !== 'crc-encode') return undefined;
      const framed = bytesOf(String(answer(request).hex));
      const at = bytesOf(request.body).length;
      return { hex: Buffer.concat([framed.subarray(0, at), framed.subarray(at).reverse()]).toString('hex') };
    }),
  },
  'crc-unchecked': {
    clause: 'POSTCARD-CRC-2',
    case: 'framing/crc-decode',
    says: 'a wrong checksum is ignored',
    spoil: plain((request) =>
      request.op === 'crc-decode' && answer(request).kind === 'DeserializeBadCrc'
        ? answer({ ...request, op: 'decode' })
        : undefined,
    ),
  },
  'rest-of-chunk-lost': {
    clause: 'POSTCARD-ACC-1',
    case: 'framing/accumulator',
    says: 'what comes behind a frame in the same chunk is dropped',
    spoil: plain((request) =>
      request.op === 'accumulate'
        ? answer({
            ...request,
            chunks: (request.chunks ?? []).map((chunk) => chunk.replace(/^((?:..)*?00).*/, '$1')),
          })
        : undefined,
    ),
  },
  'wrong-id': {
    clause: 'POSTCARD-KIT-1',
    case: 'kit/ids',
    says: 'now and then an answer has the id of the request before',
    spoil: () => {
      let asked = 0;
      return (request) => (++asked % 40 === 0 ? { ...answer(request), id: request.id - 1 } : undefined);
    },
  },
  'stale-after-error': {
    clause: 'POSTCARD-KIT-2',
    case: 'kit/state',
    says: 'a refused message leaves its offset behind for the next',
    spoil: () => {
      let offset = 0;
      return (request) => {
        const given = answer(request);
        const moved = offset;
        offset = given.error === undefined ? 0 : 1;
        return typeof given.consumed === 'number'
          ? { ...given, consumed: given.consumed + moved }
          : undefined;
      };
    },
  },
};

export const CODEC_DEFECTS: Readonly<Record<string, CodecDefect>> = {
  ...READERS,
  ...WRITERS,
  ...ATTACKED,
  ...AROUND,
};
