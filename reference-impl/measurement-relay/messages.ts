/** What travels between the two ends, as postcard writes it, and what of it the pipeline of an agent works with. */
import { type Codec, compile, type Infer, p } from 'postcard-ts';

/** The version both ends must speak. */
export const PROTOCOL_VERSION = 2;
/** Longest body of a frame, in bytes; a longer one ends the connection. */
export const BODY_BYTES_MAX = 32_000_000;
/** Highest id a client may give to a metric. */
export const WIRE_METRIC_ID_MAX = 65_535;

const U64 = p.u64.auto;
const TypedValueSchema = p.enum({ F64: p.f64, U64, Bool: p.bool, Str: p.str, ListU64: p.seq(U64) });
const PointSchema = p.struct({
  metric_id: U64,
  timestamp: p.struct({ secs: U64, nanos: p.u32 }),
  value: TypedValueSchema,
  resource_kind: p.str,
  resource_id: p.str,
  consumer_kind: p.str,
  consumer_id: p.str,
  attributes: p.seq(p.tuple(p.str, TypedValueSchema)),
});
const MetricSchema = p.struct({
  id: U64,
  name: p.str,
  value_type: p.names('F64', 'U64'),
  unit: p.struct({ base: p.str, prefix: p.str }),
});
const ContentSchema = p.enum({
  Greet: p.struct({ alumet_core_version: p.str, relay_plugin_version: p.str, protocol_version: p.u32 }),
  GreetResponse: p.struct({
    accept: p.bool,
    server_alumet_core_version: p.str,
    server_relay_plugin_version: p.str,
    protocol_version: p.u32,
  }),
  RegisterMetrics: p.struct({ metrics: p.seq(MetricSchema) }),
  SendMeasurements: p.struct({ buf: p.seq(PointSchema) }),
  // from here on only between two ends that agreed on acknowledgement (README.md)
  OpenSpool: p.struct({ spool: p.str, first: U64 }),
  SpoolOpened: p.struct({ stored: p.option(U64) }),
  SendBatch: p.struct({ batch: U64, buf: p.seq(PointSchema) }),
  Acknowledge: p.struct({ through: U64 }),
});
const MessageSchema = p.struct({ sender: p.str, content: ContentSchema });

/** Items of one list in a message that is read or written as a whole: no client has more metrics, and long batches are streamed. */
const ITEMS_MAX = 65_536;
/** Whole messages. Bytes after the value are the caller's to notice: read with `decodePrefix`. */
export const MESSAGE = compile(MessageSchema, { limits: { items: ITEMS_MAX } });
/** How a message begins: who sends it, and the number of its variant. */
export const MESSAGE_HEAD = compile(p.struct({ sender: p.str, variant: p.u32 }));

/** One point: a long seq is read point by point, so that nobody's count decides what is allocated. */
export const POINT = compile(PointSchema, { limits: { items: ITEMS_MAX } });

/** A varint that says how many points follow. */
export const COUNT = compile(U64);
/** A point behind its metric's id, which its writer puts before it. To write is not to change: read-only points will do. */
export const POINT_TAIL: Pick<Codec<Point>, 'encodeInto'> = compile(
  p.struct({
    timestamp: p.struct({ secs: U64, nanos: p.u32 }),
    value: TypedValueSchema,
    resource_kind: p.str,
    resource_id: p.str,
    consumer_kind: p.str,
    consumer_id: p.str,
    attributes: p.seq(p.tuple(p.str, TypedValueSchema)),
  }),
) as unknown as Codec<Point>;

/** Numbers of the variants, as on the wire. */
export const VARIANT = {
  Greet: 0,
  GreetResponse: 1,
  RegisterMetrics: 2,
  SendMeasurements: 3,
  OpenSpool: 4,
  SpoolOpened: 5,
  SendBatch: 6,
  Acknowledge: 7,
} as const;

export type Message = Infer<typeof MessageSchema>;
export type Content = Message['content'];
export type WireMetric = Infer<typeof MetricSchema>;
/** A point as it was read: nothing of it has been checked. */
export type WirePoint = Infer<typeof PointSchema>;

/** Unix time. `nanos` is below 10^9, `secs` within what a JavaScript Date can say. */
export type Timestamp = { readonly secs: number; readonly nanos: number };
/** u64 as a number up to 2^53-1, as a bigint above. */
export type U64 = number | bigint;
export type NumberValue =
  | { readonly tag: 'F64'; readonly value: number }
  | { readonly tag: 'U64'; readonly value: U64 };
export type TypedValue =
  | NumberValue
  | { readonly tag: 'Bool'; readonly value: boolean }
  | { readonly tag: 'Str'; readonly value: string }
  | { readonly tag: 'ListU64'; readonly value: readonly U64[] };
export type Attribute = readonly [key: string, value: TypedValue];

/** One measurement, in the shape of the wire: what all of an agent works with. Outputs share it, so nobody changes it. */
export type Point = {
  /** In an agent: the id its `MetricRegistry` gave. */
  readonly metric_id: number;
  readonly timestamp: Timestamp;
  /** Of the metric's type. */
  readonly value: NumberValue;
  readonly resource_kind: string;
  readonly resource_id: string;
  readonly consumer_kind: string;
  readonly consumer_id: string;
  readonly attributes: readonly Attribute[];
};

/** Which batch of which client this is. Only of clients that ask for an acknowledgement. */
export type Origin = {
  readonly client: string;
  /** Names a client's spool for as long as that exists. */
  readonly spool: string;
  /** 1, 2, 3, ... in a spool; the same number is the same points. Numbers may be left out, never used twice. */
  readonly batch: number;
};

/** Points that are stored together. Who stores `origin` with them, in one transaction, stores them exactly once. */
export type Batch = { readonly points: readonly Point[]; readonly origin: Origin | undefined };

/** A message with its length before it. Lists have at most 65,536 items. @throws PostcardError for what does not fit the schema */
export const frameOf = (message: Message): Uint8Array => MESSAGE.encodeFrame(message);
