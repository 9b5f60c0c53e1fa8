/** Avro by avsc, which generates code for a schema. Unions are wrapped: `{ double: 1.5 }`, since a number is not told from another. */
import avsc, { type Schema } from 'avsc';
import type { Message, Point, Small, TypedValue } from '../measurement-data.ts';
import { RIVALS } from '../names.ts';
import type { Format } from './format.ts';

const IDENTITY = { name: RIVALS.avsc, library: 'avsc', own: false };

const BRANCHES = { F64: 'double', U64: 'long', Bool: 'boolean', Str: 'string', ListU64: 'array' } as const;
const TAGS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(BRANCHES).map(([tag, branch]) => [branch, tag]),
);
const value: Schema = ['double', 'long', 'boolean', 'string', { type: 'array', items: 'long' }];

const record = (name: string, fields: Readonly<Record<string, Schema>>): Schema => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
});

const message = avsc.Type.forSchema(
  record('Message', {
    sender: 'string',
    buf: {
      type: 'array',
      items: record('Point', {
        metric_id: 'long',
        timestamp: record('Timestamp', { secs: 'long', nanos: 'int' }),
        value,
        ...{ resource_kind: 'string', resource_id: 'string', consumer_kind: 'string', consumer_id: 'string' },
        attributes: { type: 'array', items: record('Attribute', { key: 'string', value }) },
      }),
    },
  }),
  { wrapUnions: true },
);

type Wrapped = Readonly<Record<string, unknown>>;
const wrapped = ({ tag, value: of }: TypedValue): Wrapped => ({ [BRANCHES[tag]]: of });
const unwrapped = (union: Wrapped): TypedValue => {
  const [[branch = '', of] = []] = Object.entries(union);
  return { tag: TAGS[branch], value: of } as TypedValue;
};

type TheirPoint = Omit<Point, 'value' | 'attributes'> & {
  readonly value: Wrapped;
  readonly attributes: readonly { readonly key: string; readonly value: Wrapped }[];
};

/** Messages of the measurement relay. */
export const avroMessages = (): Format<Message> => ({
  ...IDENTITY,
  from: ({ sender, content }) => ({
    sender,
    buf: content.value.buf.map((point) => ({
      ...point,
      value: wrapped(point.value),
      attributes: point.attributes.map(([key, of]) => ({ key, value: wrapped(of) })),
    })),
  }),
  encode: (native) => message.toBuffer(native),
  decode: (bytes) => message.fromBuffer(bytes as Buffer),
  to: ({ sender, buf }: { readonly sender: string; readonly buf: readonly TheirPoint[] }): Message => ({
    sender,
    content: {
      tag: 'SendMeasurements',
      value: {
        buf: buf.map((point) => ({
          ...point,
          timestamp: { ...point.timestamp },
          value: unwrapped(point.value),
          attributes: point.attributes.map(({ key, value: of }) => [key, unwrapped(of)]),
        })),
      },
    },
  }),
});

const small = avsc.Type.forSchema(
  record('Small', { a: 'int', b: 'int', c: 'int', d: 'int', e: 'float', f: 'double', g: 'long', h: 'int' }),
);

/** The small message. */
export const avroSmall = (): Format<Small> => ({
  ...IDENTITY,
  from: (of) => of,
  encode: (native) => small.toBuffer(native),
  decode: (bytes) => small.fromBuffer(bytes as Buffer),
  to: (decoded: Small): Small => ({ ...decoded }),
});
