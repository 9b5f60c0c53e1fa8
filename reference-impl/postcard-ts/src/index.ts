export type { Codec, PartsOptions, SafeResult } from './codec/codec.ts';
export { compile } from './codec/compile.ts';
export {
  type EmitOptions,
  type EmittedTable,
  emit,
  emitDeclarations,
  emitted,
  emittedColumns,
} from './codec/emit.ts';
export { type CodecOptions, LIMITS, type Limits } from './codec/options.ts';
export type { Column } from './columns/column.ts';
export {
  type ColumnsCodec,
  type ColumnsDecodeOptions,
  type ColumnsOptions,
  columns,
  Table,
} from './columns/columns.ts';
export { Dictionary } from './columns/dictionary.ts';
export type { TextForm, TextForms } from './columns/layout.ts';
export { cobsMaxLength, decodeCobs, decodeCobsInto, encodeCobs, encodeCobsInto } from './framing/cobs.ts';
export { CobsAccumulator, type CobsEvent, CobsSplitter } from './framing/cobs-accumulator.ts';
export {
  appendCrc,
  CRC,
  type CrcAlgorithm,
  crcLength,
  crcOf,
  decodeCrc,
  encodeCrc,
} from './framing/crc.ts';
export { LengthPrefixed, type LengthPrefixedOptions, lengthPrefixed } from './framing/length-prefixed.ts';
export { type Prefix, U32_BE } from './framing/prefix.ts';
export type { Splitter } from './framing/splitter.ts';
export { decodeStream, encodeStream, frameStream } from './framing/web-streams.ts';
export { ERROR_KINDS, type ErrorKind, PostcardError, type PostcardErrorDetails } from './postcard-error.ts';
export { type Bytes, p, type Wide } from './schema/builders.ts';
export type {
  EnumValue,
  Fields,
  Infer,
  OptionValue,
  Schema,
  StructValue,
  TupleValue,
} from './schema/schema.ts';
