/** Every format by the name on the command line of a bench's process. */
import type { Message, Small } from '../measurement-data.ts';
import type { Format } from './format.ts';
import { isSchemaless, schemaless } from './schemaless-formats.ts';

type Makers<Value> = Readonly<Record<string, () => Promise<Format<Value>>>>;

// a library is loaded when it is asked for: all of them together take longer than all else that a process does before it is ready
const ours = () => import('./postcard-format.ts');
const protobuf = () => import('./protobuf-format.ts');
const avro = () => import('./avro-format.ts');
const serde = () => import('./serde-format.ts');

const MESSAGES: Makers<Message> = {
  postcard: async () => (await ours()).postcardObjects(),
  'postcard-bigint': async () => (await ours()).postcardBigint(),
  'postcard-no-eval': async () => (await ours()).postcardNoEval(),
  'postcard-dictionary': async () => (await ours()).postcardColumns('dictionary'),
  'postcard-references': async () => (await ours()).postcardColumns('references'),
  'postcard-reused': async () => (await ours()).postcardColumns('reused'),
  protobufjs: async () => (await protobuf()).protobufjsMessages(),
  'protobuf-es': async () => (await protobuf()).protobufEsMessages(),
  avsc: async () => (await avro()).avroMessages(),
  serde: async () => (await serde()).serdeMessages(),
};

const SMALL: Makers<Small> = {
  postcard: async () => (await ours()).postcardSmall(),
  protobufjs: async () => (await protobuf()).protobufjsSmall(),
  'protobuf-es': async () => (await protobuf()).protobufEsSmall(),
  avsc: async () => (await avro()).avroSmall(),
  serde: async () => (await serde()).serdeSmall(),
};

const made = async <Value>(makers: Makers<Value>, id: string): Promise<Format<Value>> => {
  if (isSchemaless(id)) return schemaless<Value>(id);
  const make = makers[id];
  if (make === undefined) throw new Error(`no format is called ${id}`);
  return await make();
};

/** @throws Error for an unknown name */
export const messageFormat = (id: string): Promise<Format<Message>> => made(MESSAGES, id);
/** @throws Error for an unknown name */
export const smallFormat = (id: string): Promise<Format<Small>> => made(SMALL, id);
/** Whoever writes messages of the measurement relay. */
export const MESSAGE_FORMATS: readonly string[] = Object.keys(MESSAGES);
/** Whoever writes the small message. */
export const SMALL_FORMATS: readonly string[] = Object.keys(SMALL);
