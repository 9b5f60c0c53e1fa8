import {
  badBool,
  badEnum,
  badOption,
  badVarint,
  badZero,
  checkItems,
  end,
  enter,
  input,
  takeEmpties,
} from '../wire/input.ts';
import { cut, grow, output } from '../wire/output.ts';
import { badValue, refuse } from '../wire/refusal.ts';
import { elsewhere, idElsewhere, readChar, shorts, shortTexts, textAt, textId } from '../wire/text-in.ts';
import { checkChar, writeText } from '../wire/text-out.ts';
import {
  readFixedWide,
  readI64,
  readI64Auto,
  readI64Big,
  readLength,
  readU32,
  readU64,
  readU64Auto,
  readU64Big,
  readWide128,
} from '../wire/varint-in.ts';
import {
  checkSmall,
  writeFixedWide,
  writeI64,
  writeI64Auto,
  writeI64Big,
  writeLong,
  writeU64,
  writeU64Auto,
  writeU64Big,
  writeWide128,
} from '../wire/varint-out.ts';
import { WrittenText, writeNew } from '../wire/written-text.ts';

/** @throws Refusal LimitDepth always */
const deep = (): never => refuse('LimitDepth', -1, 'fewer levels', 'a deeper value');

/** Everything generated code calls, by the names it uses. */
export const CALLABLE = {
  O: output,
  C: input,
  SHORTS: shorts,
  TEXTS: shortTexts,
  TAGS: (names: readonly (string | null)[]): ReadonlyMap<string, number> =>
    new Map(names.flatMap((name, i) => (name === null ? [] : [[name, i] as const]))),
  isBytes: (value: unknown): boolean => value instanceof Uint8Array,
  grow,
  cut,
  deep,
  bad: badValue,
  checkSmall,
  checkChar,
  writeText,
  WrittenText,
  writeNew,
  writeLong,
  writeU64,
  writeU64Big,
  writeU64Auto,
  writeI64,
  writeI64Big,
  writeI64Auto,
  writeWide128,
  writeFixedWide,
  end,
  badBool,
  badOption,
  badEnum,
  badVarint,
  badZero,
  checkItems,
  takeEmpties,
  enter,
  elsewhere,
  idElsewhere,
  textAt,
  textId,
  readChar,
  readLength,
  readU32,
  readU64,
  readU64Big,
  readU64Auto,
  readI64,
  readI64Big,
  readI64Auto,
  readWide128,
  readFixedWide,
};
