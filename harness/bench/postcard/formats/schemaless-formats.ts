/** Formats that say what a value is in the bytes themselves: they take and give any value. */

import { deserialize, serialize } from 'node:v8';
import { RIVALS } from '../names.ts';
import { asIs, type Format } from './format.ts';

type Made = Pick<Format<unknown>, 'name' | 'library'> & {
  readonly encode: (value: unknown) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
};

// one instance keeps the shapes of objects for all messages: its documents' advice for both ends of a lasting connection
const msgpackrRecords = async (): Promise<Made> => {
  const { Packr } = await import('msgpackr');
  const packr = new Packr({ structures: [] });
  return {
    name: RIVALS.records,
    library: 'msgpackr',
    encode: (value) => packr.pack(value),
    decode: (bytes) => packr.unpack(bytes),
  };
};

const msgpackrDefault = async (): Promise<Made> => {
  const { pack, unpack } = await import('msgpackr');
  return {
    name: RIVALS.msgpackr,
    library: 'msgpackr',
    encode: (value) => pack(value),
    decode: (bytes) => unpack(bytes),
  };
};

const cborRecords = async (): Promise<Made> => {
  const { Encoder } = await import('cbor-x');
  const encoder = new Encoder({ structures: [] });
  return {
    name: RIVALS.cborRecords,
    library: 'cbor-x',
    encode: (value) => encoder.encode(value),
    decode: (bytes) => encoder.decode(bytes),
  };
};

const cborDefault = async (): Promise<Made> => {
  const { decode, encode } = await import('cbor-x');
  return {
    name: RIVALS.cbor,
    library: 'cbor-x',
    encode: (value) => encode(value),
    decode: (bytes) => decode(bytes),
  };
};

const msgpack = async (): Promise<Made> => {
  const { Decoder, Encoder } = await import('@msgpack/msgpack');
  const [encoder, decoder] = [new Encoder(), new Decoder()];
  return {
    name: RIVALS.msgpack,
    library: '@msgpack/msgpack',
    encode: (value) => encoder.encode(value),
    decode: (bytes) => decoder.decode(bytes),
  };
};

const json = async (): Promise<Made> => ({
  name: RIVALS.json,
  library: 'node',
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse((bytes as Buffer).toString()),
});

const bson = async (): Promise<Made> => {
  const { BSON } = await import('bson');
  return {
    name: RIVALS.bson,
    library: 'bson',
    encode: (value) => BSON.serialize(value as Record<string, unknown>),
    decode: (bytes) => BSON.deserialize(bytes),
  };
};

const v8 = async (): Promise<Made> => ({
  name: RIVALS.v8,
  library: 'node',
  encode: (value) => serialize(value),
  decode: (bytes) => deserialize(bytes),
});

/** Makers by the name on the command line of a bench's process. */
const MAKERS = {
  'msgpackr-records': msgpackrRecords,
  msgpackr: msgpackrDefault,
  'cbor-x-records': cborRecords,
  'cbor-x': cborDefault,
  msgpack,
  json,
  bson,
  v8,
} as const;

export type SchemalessId = keyof typeof MAKERS;

/** A format for values of any kind. */
export const schemaless = async <Value>(id: SchemalessId): Promise<Format<Value>> => ({
  ...asIs<Value>(),
  ...(await MAKERS[id]()),
  own: false,
});

/** Whether a name is one of these formats. */
export const isSchemaless = (id: string): id is SchemalessId => Object.hasOwn(MAKERS, id);

/** Their names. */
export const SCHEMALESS_FORMATS: readonly string[] = Object.keys(MAKERS);
