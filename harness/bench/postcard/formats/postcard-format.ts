/** Ours: the schemas of what is measured, and the ways to read and write it. */
import {
  type CodecOptions,
  columns,
  compile,
  Dictionary,
  type Infer,
  p,
  type Schema,
  type Table,
} from 'postcard-ts';
import { type Case, mustBeSame } from '../case.ts';
import type { Message, Point, Small } from '../measurement-data.ts';
import { OURS } from '../names.ts';
import { asIs, type Format } from './format.ts';

const typedValue = (u64: Schema<number>) =>
  p.enum({ F64: p.f64, U64: u64, Bool: p.bool, Str: p.str, ListU64: p.seq(u64) });

const pointOf = (u64: Schema<number>) =>
  p.struct({
    metric_id: u64,
    timestamp: p.struct({ secs: u64, nanos: p.u32 }),
    value: typedValue(u64),
    ...{ resource_kind: p.str, resource_id: p.str, consumer_kind: p.str, consumer_id: p.str },
    attributes: p.seq(p.tuple(p.str, typedValue(u64))),
  });

const greeting = p.struct({ core: p.str, plugin: p.str, protocol: p.u32 });
const metric = p.struct({
  ...{ id: p.u64, name: p.str, value_type: p.names('F64', 'U64') },
  unit: p.struct({ base: p.str, prefix: p.str }),
});

const messageOf = (u64: Schema<number>) =>
  p.struct({
    sender: p.str,
    content: p.enum({
      Greet: greeting,
      GreetResponse: p.struct({ accept: p.bool, core: p.str, plugin: p.str, protocol: p.u32 }),
      RegisterMetrics: p.struct({ metrics: p.seq(metric) }),
      SendMeasurements: p.struct({ buf: p.seq(pointOf(u64)) }),
    }),
  });

/** The schema of a point as the relay's protocol has it. */
export const POINT = pointOf(p.u64);

const objects = (name: string, schema: Schema<unknown>, options: CodecOptions): Format<Message> => {
  const codec = compile(schema, options);
  return {
    ...asIs<Message>(),
    ...{ name, library: 'postcard-ts', own: true },
    encode: (value) => codec.encode(value),
    decode: (bytes) => codec.decode(bytes),
  };
};

// as a bigint field: the types differ, the code that walks them does not
const BIG = p.u64.bigint as unknown as Schema<number>;
const widened = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), function (this: { tag?: string }, key, item) {
    const isWide = key === 'metric_id' || key === 'secs' || (key === 'value' && this.tag === 'U64');
    return isWide ? BigInt(item as number) : item;
  });
const narrowed = (value: unknown): Message =>
  JSON.parse(JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item)));

/** Codec of whole messages, objects out. */
export const postcardObjects = (): Format<Message> =>
  objects(OURS.objects, messageOf(p.u64) as Schema<unknown>, {});
/** As it is where no code may be generated. */
export const postcardNoEval = (): Format<Message> =>
  objects(OURS.noEval, messageOf(p.u64) as Schema<unknown>, { mode: 'no-eval' });
/** All u64 as bigint. */
export const postcardBigint = (): Format<Message> => ({
  ...objects(OURS.bigint, messageOf(BIG) as Schema<unknown>, {}),
  from: widened,
  to: narrowed,
});

/** What stands before the points of a message: its sender and the variant. */
const HEAD = p.tuple(p.str, p.names('Greet', 'GreetResponse', 'RegisterMetrics', 'SendMeasurements'));

/** Points as columns, read behind the head of a message. */
export const postcardColumns = (form: 'dictionary' | 'references' | 'reused'): Format<Message> => {
  const whole = postcardObjects();
  const head = compile(HEAD);
  const points = columns(POINT, { text: form === 'dictionary' ? 'dict' : 'ref' });
  let reuse: Table<Infer<typeof POINT>> | undefined;
  // one for the whole connection, as msgpackr keeps its records: ids then mean the same in every table
  const dictionary = new Dictionary();
  return {
    ...whole,
    name: OURS[form],
    decode: (bytes) => {
      const { end } = head.decodePrefix(bytes);
      const { table } = points.decodePrefix(bytes, end, {
        ...(form === 'reused' ? { reuse } : {}),
        ...(form === 'dictionary' ? { dictionary } : {}),
      });
      reuse = table;
      return table;
    },
    to: (table: Table<Point>): Message => ({
      sender: 'node-rennes-12.g5k',
      content: { tag: 'SendMeasurements', value: { buf: table.rows() as unknown as Point[] } },
    }),
  };
};

/** The small message. */
export const SMALL = p.struct({
  ...{ a: p.u8, b: p.u16, c: p.u32, d: p.i32, e: p.f32, f: p.f64, g: p.u64, h: p.i16 },
});

/** The small message, each in bytes of its own. */
export const postcardSmall = (): Format<Small> => {
  const codec = compile(SMALL);
  return {
    ...asIs<Small>(),
    ...{ name: OURS.objects, library: 'postcard-ts', own: true },
    encode: (value: Small) => codec.encode(value),
    decode: (bytes) => codec.decode(bytes),
  };
};

const TARGET_BYTES = 1 << 16;

/** The small message behind the others in one buffer, as a sender fills one before it writes it out. */
export const postcardSmallInto = (values: readonly Small[]): readonly Case[] => {
  const codec = compile(SMALL);
  const target = new Uint8Array(TARGET_BYTES);
  const last = TARGET_BYTES - 64;
  let at = 0;
  let end = 0;
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      end = codec.encodeInto(values[at] as Small, target, end > last ? 0 : end);
      if (++at === values.length) at = 0;
    }
  };
  run(1);
  mustBeSame('encodeInto', values[0], codec.decode(target.subarray(0, end)));
  return [{ name: 'encodeInto', run, bytes: end }];
};
