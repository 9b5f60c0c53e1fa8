/** Instructions as bytes, in the order of the binary format; nested, so that expressions read like calls. */
export type Code = readonly (number | Code)[];

/** Value types. Source: WebAssembly core specification, binary format, 5.3.1. */
export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
export type ValueType = keyof typeof TYPE;

const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const FUNCTION = 0x60;
const END = 0x0b;
const NO_RESULT = 0x40;

/** An unsigned number as LEB128. */
export const unsigned = (value: number): number[] => {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return [...bytes, left];
};

const signed = (value: bigint): number[] => {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7n) {
    const byte = Number(left & 127n);
    if (left >= -64n && left < 64n) return [...bytes, byte];
    bytes.push(byte | 128);
  }
};

const unary =
  (opcode: number) =>
  (a: Code): Code => [a, opcode];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [a, b, opcode];
// no promise about alignment: columns and input lie where they lie
const load =
  (opcode: number) =>
  (address: Code, offset = 0): Code => [address, opcode, 0, unsigned(offset)];
const store =
  (opcode: number) =>
  (address: Code, value: Code, offset = 0): Code => [address, value, opcode, 0, unsigned(offset)];

/** Instructions on i32. */
export const i32 = {
  const: (value: number): Code => [0x41, signed(BigInt(value | 0))],
  eqz: unary(0x45),
  eq: binary(0x46),
  ltU: binary(0x49),
  gtS: binary(0x4a),
  gtU: binary(0x4b),
  geU: binary(0x4f),
  add: binary(0x6a),
  sub: binary(0x6b),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shl: binary(0x74),
  shrU: binary(0x76),
  wrap: unary(0xa7),
  extend8: unary(0xc0),
  load: load(0x28),
  load8: load(0x2d),
  store: store(0x36),
  store8: store(0x3a),
  store16: store(0x3b),
} as const;

/** Instructions on i64. */
export const i64 = {
  const: (value: bigint): Code => [0x42, signed(BigInt.asIntN(64, value))],
  eqz: unary(0x50),
  eq: binary(0x51),
  ne: binary(0x52),
  ltS: binary(0x53),
  gtU: binary(0x56),
  ctz: unary(0x7a),
  add: binary(0x7c),
  sub: binary(0x7d),
  mul: binary(0x7e),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  shl: binary(0x86),
  shrS: binary(0x87),
  shrU: binary(0x88),
  extendU: unary(0xad),
  load: load(0x29),
  load8: load(0x31),
  store: store(0x37),
} as const;

/** Instructions on f32. */
export const f32 = { load: load(0x2a), store: store(0x38) } as const;

/** Instructions on f64. */
export const f64 = {
  const: (value: number): Code => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  fromI32: unary(0xb7),
  fromU32: unary(0xb8),
  fromI64: unary(0xb9),
  fromU64: unary(0xba),
  fromF32: unary(0xbb),
  load: load(0x2b),
  store: store(0x39),
} as const;

/** Does something if a condition (i32) holds, else something else. */
export const when = (condition: Code, then: Code, otherwise?: Code): Code => [
  ...[condition, 0x04, NO_RESULT, then],
  ...(otherwise === undefined ? [] : [0x05, otherwise]),
  END,
];
/** Repeats a body while the condition behind it holds. */
export const repeat = (body: Code, again: Code): Code => [0x03, NO_RESULT, body, again, 0x0d, 0, END];
/** Leaves a function with what the values before it put on the stack. */
export const give = (...values: readonly Code[]): Code => [values, 0x0f];
export const call = (index: number, ...args: readonly Code[]): Code => [args, 0x10, unsigned(index)];

/** A variable of a function. */
export type Local = {
  readonly get: Code;
  readonly set: (value: Code) => Code;
  readonly tee: (value: Code) => Code;
  /** Takes what is on the stack. */
  readonly pop: Code;
};

/** A function to assemble: first its parameters, then its variables, then its body. */
export class Assembly {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  body: Code = [];

  constructor(params: readonly ValueType[], results: readonly ValueType[]) {
    this.params = params;
    this.results = results;
  }

  param(index: number): Local {
    const at = unsigned(index);
    return {
      get: [0x20, at],
      set: (value) => [value, 0x21, at],
      tee: (value) => [value, 0x22, at],
      pop: [0x21, at],
    };
  }

  local(type: ValueType): Local {
    this.#locals.push(type);
    return this.param(this.params.length + this.#locals.length - 1);
  }

  /** The function's entry in the code section. */
  code(): Code {
    const locals = this.#locals.map((type) => [1, TYPE[type]]);
    return sized([unsigned(locals.length), locals, this.body, END]);
  }
}

const flat = (code: Code, into: number[] = []): number[] => {
  for (const part of code)
    if (typeof part === 'number') into.push(part);
    else flat(part, into);
  return into;
};

const sized = (code: Code): Code => {
  const bytes = flat(code);
  return [unsigned(bytes.length), bytes];
};
const vector = (items: readonly Code[]): Code => [unsigned(items.length), items];
const name = (text: string): Code => sized([...new TextEncoder().encode(text)]);
const section = (id: number, items: readonly Code[]): Code => [id, sized(vector(items))];
const signature = ({ params, results }: Pick<Assembly, 'params' | 'results'>): Code => [
  FUNCTION,
  vector(params.map((type) => [TYPE[type]])),
  vector(results.map((type) => [TYPE[type]])),
];

/** A function of somebody else, called by its number: those come first. */
export type Imported = {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
};

/**
 * Assembles a module that imports a memory, as `host.memory`, and functions beside it, and exports the last of its own.
 * Source: WebAssembly core specification, binary format, 5.5.
 * @param imported functions 0 and up  @param functions the ones after them  @param exported a name for the last one
 */
export const moduleOf = (
  imported: readonly Imported[],
  functions: readonly Assembly[],
  exported: string,
): Uint8Array<ArrayBuffer> => {
  const host = name('host');
  const last = imported.length + functions.length - 1;
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(SECTION.type, [...imported, ...functions].map(signature)),
      section(SECTION.import, [
        [host, name('memory'), 0x02, 0x00, unsigned(1)],
        ...imported.map((each, i): Code => [host, name(each.name), 0x00, unsigned(i)]),
      ]),
      section(
        SECTION.function,
        functions.map((_, i) => unsigned(imported.length + i)),
      ),
      section(SECTION.export, [[name(exported), 0x00, unsigned(last)]]),
      section(
        SECTION.code,
        functions.map((each) => each.code()),
      ),
    ]),
  );
};
