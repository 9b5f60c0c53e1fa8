/** Protobuf by protobufjs (static code that its own generator wrote) and by protobuf-es (which walks descriptors, generated or not). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Message, Point, Small, TypedValue } from '../measurement-data.ts';
import { RIVALS } from '../names.ts';
import type { Format } from './format.ts';

const PROTO = fileURLToPath(new URL('measurements.proto', import.meta.url));
const require = createRequire(import.meta.url);

type Generate = {
  main(args: readonly string[], done: (error: Error | null, output?: string) => void): void;
};

const FLAGS = ['-t', 'static-module', '-w', 'esm', '--no-comments'];
const LEFT_OUT = ['create', 'verify', 'convert', 'delimited', 'service', 'typeurl'].map(
  (one) => `--no-${one}`,
);

/** The module that `pbjs` writes, which finds the library wherever it is put. */
const staticSource = (): Promise<string> => {
  const { main } = require('protobufjs-cli/pbjs') as Generate;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const library = pathToFileURL(require.resolve('protobufjs/minimal.js')).href;
  main([...FLAGS, ...LEFT_OUT, '--dependency', library, PROTO], (error, output = '') =>
    error === null ? resolve(output) : reject(error),
  );
  return promise;
};

type StaticType = {
  encode(native: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
};

const staticTypes = async (): Promise<Readonly<Record<'Message' | 'Small', StaticType>>> => {
  // numbers instead of objects for 64 bits: the faster of its two ways, and what ours does
  const minimal = require('protobufjs/minimal.js') as { readonly util: { Long: unknown }; configure(): void };
  minimal.util.Long = undefined;
  minimal.configure();
  const folder = mkdtempSync(join(tmpdir(), 'relaylab-protobuf-'));
  try {
    const file = join(folder, 'static.mjs');
    writeFileSync(file, await staticSource());
    return (await import(file)).bench;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const FIELDS = { F64: 'f64', U64: 'u64', Bool: 'flag', Str: 'text', ListU64: 'list' } as const;
type Field = (typeof FIELDS)[keyof typeof FIELDS];

const untagged = (field: Field, value: unknown): TypedValue => {
  const [tag = 'F64'] = Object.entries(FIELDS).find(([, one]) => one === field) ?? [];
  const plain = field === 'list' ? (value as { readonly items: unknown[] }).items.map(Number) : value;
  return { tag, value: typeof plain === 'bigint' ? Number(plain) : plain } as TypedValue;
};

type StaticValue = { readonly value: Field } & Readonly<Record<Field, unknown>>;
type StaticPoint = {
  readonly metricId: number;
  readonly timestamp: { readonly secs: number; readonly nanos: number };
  readonly value: StaticValue;
  readonly resourceKind: string;
  readonly resourceId: string;
  readonly consumerKind: string;
  readonly consumerId: string;
  readonly attributes: readonly { readonly key: string; readonly value: StaticValue }[];
};

const pointFrom = (point: Point, value: (of: TypedValue) => unknown, wide: (of: number) => unknown) => ({
  metricId: wide(point.metric_id),
  timestamp: { secs: wide(point.timestamp.secs), nanos: point.timestamp.nanos },
  value: value(point.value),
  resourceKind: point.resource_kind,
  resourceId: point.resource_id,
  consumerKind: point.consumer_kind,
  consumerId: point.consumer_id,
  attributes: point.attributes.map(([key, of]) => ({ key, value: value(of) })),
});

const pointTo = <Value>(
  point: Omit<StaticPoint, 'value' | 'attributes'> & {
    readonly value: Value;
    readonly attributes: readonly { readonly key: string; readonly value: Value }[];
  },
  value: (of: Value) => TypedValue,
): Point => ({
  metric_id: Number(point.metricId),
  timestamp: { secs: Number(point.timestamp.secs), nanos: point.timestamp.nanos },
  value: value(point.value),
  resource_kind: point.resourceKind,
  resource_id: point.resourceId,
  consumer_kind: point.consumerKind,
  consumer_id: point.consumerId,
  attributes: point.attributes.map(({ key, value: of }) => [key, value(of)]),
});

const messageTo = (sender: string, buf: Point[]): Message => ({
  sender,
  content: { tag: 'SendMeasurements', value: { buf } },
});

const STATIC = { name: RIVALS.protobufjs, library: 'protobufjs', own: false };

/** Messages of the measurement relay, by static code. */
export const protobufjsMessages = async (): Promise<Format<Message>> => {
  const { Message: type } = await staticTypes();
  const value = ({ tag, value: of }: TypedValue): unknown => ({
    [FIELDS[tag]]: tag === 'ListU64' ? { items: of } : of,
  });
  return {
    ...STATIC,
    from: ({ sender, content }) => ({
      sender,
      points: content.value.buf.map((point) => pointFrom(point, value, (of) => of)),
    }),
    encode: (native) => type.encode(native).finish(),
    decode: (bytes) => type.decode(bytes),
    to: ({ sender, points }: { readonly sender: string; readonly points: readonly StaticPoint[] }) =>
      messageTo(
        sender,
        points.map((point) => pointTo(point, (of) => untagged(of.value, of[of.value]))),
      ),
  };
};

const fieldsOf = (of: Small): Small => ({
  ...{ a: of.a, b: of.b, c: of.c, d: of.d, e: of.e, f: of.f, g: Number(of.g), h: of.h },
});

/** The small message, by static code. */
export const protobufjsSmall = async (): Promise<Format<Small>> => {
  const { Small: type } = await staticTypes();
  return {
    ...STATIC,
    from: (of) => of,
    encode: (native) => type.encode(native).finish(),
    decode: (bytes) => type.decode(bytes),
    to: fieldsOf,
  };
};

const descriptor = (name: string): DescMessage => {
  const { Root } = require('protobufjs') as {
    readonly Root: new () => {
      loadSync(file: string): { resolveAll(): { toDescriptor(syntax: string): object } };
    };
  };
  require('protobufjs/ext/descriptor');
  const set = new Root().loadSync(PROTO).resolveAll().toDescriptor('proto3') as {
    readonly constructor: unknown;
  };
  const bytes = (set.constructor as StaticType).encode(set).finish();
  const files = fromBinary(FileDescriptorSetSchema, bytes);
  // the generator of one names types as the source does, the reader of the other wants them in full
  for (const { field } of files.file.flatMap(({ messageType }) => messageType))
    for (const one of field)
      if (one.typeName !== '' && !one.typeName.startsWith('.')) one.typeName = `.bench.${one.typeName}`;
  const registry = createFileRegistry(files);
  return registry.getMessage(`bench.${name}`) as DescMessage;
};

type EsValue = { readonly value: { readonly case: Field; readonly value: unknown } };
type EsMessage = {
  readonly sender: string;
  readonly points: readonly (Omit<StaticPoint, 'value' | 'attributes'> & {
    readonly value: EsValue;
    readonly attributes: readonly { readonly key: string; readonly value: EsValue }[];
  })[];
};

const ES = { name: RIVALS.protobufEs, library: '@bufbuild/protobuf', own: false };

const es = (type: DescMessage) => ({
  ...ES,
  encode: (native: never): Uint8Array => toBinary(type, native),
  decode: (bytes: Uint8Array): unknown => fromBinary(type, bytes),
});

/** Messages of the measurement relay, by protobuf-es. */
export const protobufEsMessages = (): Format<Message> => {
  const type = descriptor('Message');
  const value = ({ tag, value: of }: TypedValue): unknown => {
    const wide = tag === 'U64' ? BigInt(of) : tag === 'ListU64' ? { items: of.map(BigInt) } : of;
    return { value: { case: FIELDS[tag], value: wide } };
  };
  return {
    ...es(type),
    from: ({ sender, content }) =>
      create(type, {
        sender,
        points: content.value.buf.map((point) => pointFrom(point, value, BigInt)),
      }),
    to: ({ sender, points }: EsMessage) =>
      messageTo(
        sender,
        points.map((point) => pointTo(point, ({ value: of }) => untagged(of.case, of.value))),
      ),
  };
};

/** The small message, by protobuf-es. */
export const protobufEsSmall = (): Format<Small> => {
  const type = descriptor('Small');
  return { ...es(type), from: (of) => create(type, { ...of, g: BigInt(of.g) }), to: fieldsOf };
};
