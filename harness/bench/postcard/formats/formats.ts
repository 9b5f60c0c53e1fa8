/** Every format by the name on the command line of a bench's process. */
import type { Message, Small } from '../measurement-data.ts';
import { avroMessages, avroSmall } from './avro-format.ts';
import type { Format } from './format.ts';
import {
  postcardBigint,
  postcardColumns,
  postcardNoEval,
  postcardObjects,
  postcardSmall,
} from './postcard-format.ts';
import {
  protobufEsMessages,
  protobufEsSmall,
  protobufjsMessages,
  protobufjsSmall,
} from './protobuf-format.ts';
import { isSchemaless, schemaless } from './schemaless-formats.ts';
import { serdeMessages, serdeSmall } from './serde-format.ts';

type Makers<Value> = Readonly<Record<string, () => Format<Value> | Promise<Format<Value>>>>;

const MESSAGES: Makers<Message> = {
  postcard: postcardObjects,
  'postcard-bigint': postcardBigint,
  'postcard-no-eval': postcardNoEval,
  'postcard-dictionary': () => postcardColumns('dictionary'),
  'postcard-references': () => postcardColumns('references'),
  'postcard-reused': () => postcardColumns('reused'),
  protobufjs: protobufjsMessages,
  'protobuf-es': protobufEsMessages,
  avsc: avroMessages,
  serde: serdeMessages,
};

const SMALL: Makers<Small> = {
  postcard: postcardSmall,
  protobufjs: protobufjsSmall,
  'protobuf-es': protobufEsSmall,
  avsc: avroSmall,
  serde: serdeSmall,
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
