export type { Codec, SafeResult } from './codec/codec.ts';
export { compile } from './codec/compile.ts';
export { type EmitOptions, emit, emitDeclarations, emitted } from './codec/emit.ts';
export { type CodecOptions, LIMITS, type Limits } from './codec/options.ts';
export { type Prefix, U32_BE } from './framing/prefix.ts';
export { ERROR_KINDS, type ErrorKind, PostcardError, type PostcardErrorDetails } from './postcard-error.ts';
export { type Bytes, p, type Wide } from './schema/builders.ts';
export type { Infer, Schema } from './schema/schema.ts';
