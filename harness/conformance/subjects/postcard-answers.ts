/** Our codec as the kit asks it (suites/postcard/README.md): one request in, one answer out. */
import {
  appendCrc,
  CobsAccumulator,
  type Codec,
  CRC,
  compile,
  decodeCobs,
  decodeCrc,
  encodeCobs,
  PostcardError,
} from 'postcard-ts';
import { type Form, formOf, type KitSchema } from './postcard-form.ts';

export type Request = {
  readonly id: number;
  readonly op: string;
  readonly schema?: KitSchema;
  readonly value?: never;
  readonly hex?: string;
  readonly body?: string;
  readonly algorithm?: { readonly name: string };
  readonly capacity?: number;
  readonly chunks?: readonly string[];
};
export type Answer = Readonly<Record<string, unknown>>;

const bytes = (hex = ''): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

type Prepared = { readonly form: Form; readonly codec: Codec<unknown> };
const prepared = new Map<string, Prepared>();

const of = (schema: KitSchema = 'unit'): Prepared => {
  const key = JSON.stringify(schema);
  const known = prepared.get(key);
  if (known !== undefined) return known;
  const form = formOf(schema);
  const pair = { form, codec: compile(form.schema) };
  prepared.set(key, pair);
  return pair;
};

const decode = (schema: KitSchema | undefined, data: Uint8Array): Answer => {
  const { codec, form } = of(schema);
  const { value, end } = codec.decodePrefix(data);
  return { value: form.toJson(value as never), consumed: end };
};

const accumulate = ({ schema, capacity = 0, chunks = [] }: Request): Answer => {
  const accumulator = new CobsAccumulator({ max: capacity });
  const events = chunks
    .flatMap((chunk) => accumulator.push(bytes(chunk)))
    .map((event) => {
      if (event.type === 'bad-frame')
        return { result: event.error.kind === 'FrameTooLong' ? 'overfull' : 'deser_error' };
      try {
        return { result: 'success', value: decode(schema, event.body).value };
      } catch {
        return { result: 'deser_error' };
      }
    });
  return { events };
};

const answered = (request: Request): Answer => {
  const { op, schema } = request;
  const algorithm = CRC[request.algorithm?.name as keyof typeof CRC];
  switch (op) {
    case 'hello':
      return { name: 'postcard-ts', version: 'of this repository', lacks: [], limits: { depth: 128 } };
    case 'encode': {
      const { codec, form } = of(schema);
      return { hex: hex(codec.encode(form.fromJson(request.value as never))) };
    }
    case 'decode':
      return decode(schema, bytes(request.hex));
    case 'cobs-encode':
      return { hex: hex(encodeCobs(bytes(request.body))) };
    case 'cobs-decode': {
      const body = decodeCobs(bytes(request.hex));
      return schema === undefined ? { hex: hex(body) } : decode(schema, body);
    }
    case 'crc-encode':
      return { hex: hex(appendCrc(bytes(request.body), algorithm)) };
    case 'crc-decode': {
      const { codec, form } = of(schema);
      const { value, end } = decodeCrc(codec, bytes(request.hex), algorithm);
      return { value: form.toJson(value as never), consumed: end };
    }
    case 'accumulate':
      return accumulate(request);
    default:
      return { skip: `no ${op}` };
  }
};

/** Never throws for what the codec refuses. @throws whatever else goes wrong: the adapter ends, and the kit sees a crash */
export const answer = (request: Request): Answer => {
  try {
    return answered(request);
  } catch (error) {
    if (!(error instanceof PostcardError)) throw error;
    return { error: error.message, kind: error.kind };
  }
};
