/** Names that the plan, the goals and the page share. */

/** Ours, by what comes out and how it is made. */
export const OURS = {
  objects: 'postcard-ts',
  bigint: 'postcard-ts, u64 as bigint',
  noEval: 'postcard-ts, no eval',
  dictionary: 'postcard-ts, columns with dictionary',
  references: 'postcard-ts, columns with references',
  reused: 'postcard-ts, columns with references, reused',
  into: 'postcard-ts, encodeInto',
} as const;

/** Rivals. */
export const RIVALS = {
  records: 'msgpackr, shared records',
  given: 'msgpackr, shared records, given a buffer',
  msgpackr: 'msgpackr, default',
  cborRecords: 'cbor-x, shared records',
  cbor: 'cbor-x, default',
  msgpack: '@msgpack/msgpack',
  protobufjs: 'protobufjs, static code',
  protobufEs: '@bufbuild/protobuf',
  avsc: 'avsc',
  bson: 'bson',
  json: 'JSON to bytes',
  v8: 'v8.serialize',
  serde: 'serde-postcard-ts',
  native: 'postcard crate (Rust)',
  nativeNew: 'postcard crate (Rust), new Vec',
  nativeCobs: 'cobs crate (Rust)',
  cobs: 'cobs (npm)',
  concat: 'Buffer.concat',
} as const;
