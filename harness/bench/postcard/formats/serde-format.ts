/** The other postcard for TypeScript: the same wire format, interpreted. Its u64 are bigints, its enums `{ type, value }`. */
import * as s from '@variegated-coffee/serde-postcard-ts';
import type { Message, Small, TypedValue } from '../measurement-data.ts';
import { RIVALS } from '../names.ts';
import type { Format } from './format.ts';

const IDENTITY = { name: RIVALS.serde, library: '@variegated-coffee/serde-postcard-ts', own: false };

const typedValue = s.enumType('TypedValue', {
  F64: s.newtypeVariant('F64', s.f64()),
  U64: s.newtypeVariant('U64', s.u64()),
  Bool: s.newtypeVariant('Bool', s.bool()),
  Str: s.newtypeVariant('Str', s.string()),
  ListU64: s.newtypeVariant('ListU64', s.seq(s.u64())),
});

const greeting = s.struct({ core: s.string(), plugin: s.string(), protocol: s.u32() });
const message = s.struct({
  sender: s.string(),
  content: s.enumType('Content', {
    Greet: s.newtypeVariant('Greet', greeting),
    GreetResponse: s.newtypeVariant('GreetResponse', greeting),
    RegisterMetrics: s.newtypeVariant('RegisterMetrics', greeting),
    SendMeasurements: s.newtypeVariant(
      'SendMeasurements',
      s.struct({
        buf: s.seq(
          s.struct({
            metric_id: s.u64(),
            timestamp: s.struct({ secs: s.u64(), nanos: s.u32() }),
            value: typedValue,
            ...{ resource_kind: s.string(), resource_id: s.string() },
            ...{ consumer_kind: s.string(), consumer_id: s.string() },
            attributes: s.seq(s.tuple(s.string(), typedValue)),
          }),
        ),
      }),
    ),
  }),
});

type Theirs = { readonly type: string; readonly value: unknown };
const wrapped = ({ tag, value }: TypedValue): Theirs => ({
  type: tag,
  value: tag === 'U64' ? BigInt(value) : value,
});
const unwrapped = ({ type, value }: Theirs): TypedValue =>
  ({ tag: type, value: type === 'U64' ? Number(value) : value }) as TypedValue;

type TheirPoint = Record<string, unknown> & {
  readonly metric_id: bigint;
  readonly timestamp: { readonly secs: bigint; readonly nanos: number };
  readonly value: Theirs;
  readonly attributes: readonly (readonly [string, Theirs])[];
};
type TheirMessage = {
  readonly sender: string;
  readonly content: { readonly type: string; readonly value: { readonly buf: readonly TheirPoint[] } };
};

/** Messages of the measurement relay. */
export const serdeMessages = (): Format<Message> => ({
  ...IDENTITY,
  from: ({ sender, content }) => ({
    sender,
    content: {
      type: content.tag,
      value: {
        buf: content.value.buf.map((point) => ({
          ...point,
          metric_id: BigInt(point.metric_id),
          timestamp: { secs: BigInt(point.timestamp.secs), nanos: point.timestamp.nanos },
          value: wrapped(point.value),
          attributes: point.attributes.map(([key, value]) => [key, wrapped(value)]),
        })),
      },
    },
  }),
  encode: (value) => s.serialize(message, value),
  decode: (bytes) => s.deserialize(message, bytes).value,
  to: ({ sender, content }: TheirMessage): Message =>
    ({
      sender,
      content: {
        tag: content.type,
        value: {
          buf: content.value.buf.map((point) => ({
            ...point,
            metric_id: Number(point.metric_id),
            timestamp: { secs: Number(point.timestamp.secs), nanos: point.timestamp.nanos },
            value: unwrapped(point.value),
            attributes: point.attributes.map(([key, value]) => [key, unwrapped(value)]),
          })),
        },
      },
    }) as unknown as Message,
});

const small = s.struct({
  ...{ a: s.u8(), b: s.u16(), c: s.u32(), d: s.i32(), e: s.f32(), f: s.f64(), g: s.u64(), h: s.i16() },
});

/** The small message. */
export const serdeSmall = (): Format<Small> => ({
  ...IDENTITY,
  from: (value) => ({ ...value, g: BigInt(value.g) }),
  encode: (value) => s.serialize(small, value),
  decode: (bytes) => s.deserialize(small, bytes).value,
  to: (value: Omit<Small, 'g'> & { readonly g: bigint }): Small => ({ ...value, g: Number(value.g) }),
});
