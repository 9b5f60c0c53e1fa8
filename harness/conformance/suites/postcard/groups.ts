/** Which vectors make up which case: by the part of a vector's name before the slash, each in just one case. */
import type { InvalidVector, ValueVector } from './vectors.ts';

export type ValueGroup = {
  readonly name: string;
  /** What is written and read, as it stands in a title: "u16". */
  readonly what: string;
  readonly clause: string;
  readonly wants: (vector: ValueVector) => boolean;
};

/** `option x3` and `option u8` are of the family `option`. */
const familyOf = ({ name }: { readonly name: string }): string =>
  (name.split('/')[0] as string).split(' ')[0] as string;

const plain = (clause: string, ...types: readonly string[]): readonly ValueGroup[] =>
  types.map((type) => ({ name: type, what: type, clause, wants: (vector) => familyOf(vector) === type }));

const family = (name: string, what: string, clause: string, ...families: readonly string[]): ValueGroup => ({
  ...{ name, what, clause },
  wants: (vector) => families.includes(familyOf(vector)),
});

export const VALUE_GROUPS: readonly ValueGroup[] = [
  ...plain('POSTCARD-BOOL-1', 'bool'),
  ...plain('POSTCARD-BYTE-1', 'u8', 'i8'),
  ...plain('POSTCARD-VARINT-1', 'u16', 'u32', 'u64', 'u128'),
  ...plain('POSTCARD-ZIGZAG-1', 'i16', 'i32', 'i64', 'i128'),
  ...plain('POSTCARD-SIZE-1', 'usize', 'isize'),
  ...plain('POSTCARD-FLOAT-1', 'f32', 'f64'),
  ...plain('POSTCARD-CHAR-1', 'char'),
  ...plain('POSTCARD-STRING-1', 'string'),
  ...plain('POSTCARD-BYTES-1', 'bytes'),
  family('option', 'options, nested ones too', 'POSTCARD-OPTION-1', 'option'),
  family('unit', 'unit and unit structs', 'POSTCARD-UNIT-1', 'unit', 'unit_struct'),
  family('newtype', 'newtypes', 'POSTCARD-NEWTYPE-1', 'newtype'),
  family('seq', 'sequences', 'POSTCARD-SEQ-1', 'seq'),
  family('tuple', 'arrays, tuples and tuple structs', 'POSTCARD-TUPLE-1', 'array', 'tuple', 'tuple_struct'),
  family('map', 'maps', 'POSTCARD-MAP-1', 'map'),
  family('struct', 'structs', 'POSTCARD-STRUCT-1', 'struct'),
  family('enum', 'enums', 'POSTCARD-ENUM-1', 'enum'),
  family('recursive', 'recursive types', 'POSTCARD-NEST-1', 'recursive'),
  family('std', 'what serde makes of std types', 'POSTCARD-NEST-2', 'std', 'fixint'),
  family('mixed', 'schemas drawn at random', 'POSTCARD-NEST-2', 'random'),
];

export type InvalidGroup = {
  readonly name: string;
  readonly title: string;
  readonly clause: string;
  readonly wants: (vector: InvalidVector) => boolean;
};

/** Of the format's own vectors: those whose name begins so, that are to be read or refused. */
const spec =
  (expect: 'ok' | 'error', pattern: RegExp) =>
  (vector: InvalidVector): boolean =>
    vector.class === 'spec' && vector.expect === expect && pattern.test(vector.name);

const VARINTS = /^(varint|padded|enum index out of range)/;

/** What the format says to odd input. */
export const INVALID_GROUPS: readonly InvalidGroup[] = [
  {
    name: 'accept/padded',
    title: 'a varint with padding is the same number, in lengths and indices too',
    clause: 'POSTCARD-VARINT-3',
    wants: spec('ok', VARINTS),
  },
  {
    name: 'accept/legal',
    title: 'what is unusual and legal is read as it stands',
    clause: 'POSTCARD-LEGAL-1',
    wants: spec('ok', /^(legal|bad UTF-8|empty input|map)/),
  },
  {
    name: 'refuse/varint',
    title: 'a varint that is too long or too large is refused, in lengths and indices too',
    clause: 'POSTCARD-VARINT-2',
    wants: spec('error', /^(varint|padded)/),
  },
  {
    name: 'refuse/bool',
    title: 'a bool is 00 or 01 and nothing else',
    clause: 'POSTCARD-BOOL-2',
    wants: spec('error', /^bool/),
  },
  {
    name: 'refuse/option',
    title: 'the tag of an option is 00 or 01 and nothing else',
    clause: 'POSTCARD-OPTION-2',
    wants: spec('error', /^option tag/),
  },
  {
    name: 'refuse/text',
    title: 'what is not UTF-8 is no string and no char',
    clause: 'POSTCARD-STRING-2',
    wants: spec('error', /^bad UTF-8/),
  },
  {
    name: 'refuse/char',
    title: 'a char of no scalar, or of more than four bytes, is refused',
    clause: 'POSTCARD-CHAR-2',
    wants: spec('error', /^char/),
  },
  {
    name: 'refuse/enum',
    title: 'a variant that the enum has not got is refused',
    clause: 'POSTCARD-ENUM-2',
    wants: spec('error', /^enum index out of range/),
  },
  {
    name: 'refuse/truncated',
    title: 'input that ends early is refused wherever it ends',
    clause: 'POSTCARD-END-1',
    wants: spec('error', /^(empty input|truncated|enum\/|map|depth)/),
  },
  {
    name: 'refuse/length',
    title: 'a length beyond what follows is refused',
    clause: 'POSTCARD-END-2',
    wants: spec('error', /^(huge|zero-size)/),
  },
  {
    name: 'refuse/mutated',
    title: 'damaged messages are refused where the crate refuses them',
    clause: 'POSTCARD-NEST-3',
    wants: spec('error', /^mutated/),
  },
];

const ofClass =
  (name: InvalidVector['class'], pattern: RegExp) =>
  (vector: InvalidVector): boolean =>
    vector.class === name && pattern.test(vector.name);

/** Where the specification is silent: twice, as what must agree if it is read, and as what could be read. */
export const CRATE_GROUPS: readonly {
  readonly name: string;
  readonly what: string;
  readonly wants: InvalidGroup['wants'];
}[] = [
  { name: 'trailing', what: 'bytes behind a value', wants: ofClass('crate', /^(trailing|mutated)/) },
  { name: 'char', what: 'a char of several scalars', wants: ofClass('crate', /^char/) },
  { name: 'duplicate-keys', what: 'a map with equal keys', wants: ofClass('crate', /^duplicate/) },
  { name: 'depth', what: 'a value nested 100 deep', wants: ofClass('crate', /^depth/) },
  { name: 'empty-items', what: '100,000 items without bytes', wants: ofClass('crate', /^zero-size/) },
];

/** Attacks: whatever is answered, it is answered. */
export const ROBUST_GROUPS: readonly InvalidGroup[] = [
  {
    name: 'robust/length',
    title: 'a huge length costs neither memory nor time',
    clause: 'POSTCARD-ROBUST-1',
    wants: ofClass('robust', /^padded/),
  },
  {
    name: 'robust/depth',
    title: 'deep nesting does not end the program',
    clause: 'POSTCARD-ROBUST-2',
    wants: ofClass('robust', /^depth/),
  },
  {
    name: 'robust/empty-items',
    title: 'endless items without bytes do not keep it busy',
    clause: 'POSTCARD-ROBUST-3',
    wants: ofClass('robust', /^zero-size/),
  },
];
