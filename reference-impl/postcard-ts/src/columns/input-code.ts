import type { Node } from '../schema/node.ts';
import {
  type Assembly,
  type Code,
  call,
  f32,
  f64,
  give,
  i32,
  i64,
  type Local,
  repeat,
  when,
} from '../wasm/assembler.ts';
import { NUMBERS } from './layout.ts';

/** Answers of the function that reads rows. */
export const ROWS = { done: 0, refused: 1, noRoom: 2 } as const;

const SEPTETS = 0x7f7f_7f7f_7f7f_7f7fn;
const PAIRS = 0x3fff_3fff_3fff_3fffn;
const QUADS = 0x0fff_ffff_0fff_ffffn;
const SAFE_MAX = 2n ** 53n - 1n;

const REFUSED = give(i32.const(ROWS.refused));
/** Ends the function when a condition holds: JavaScript then reads everything again, and says what is wrong. */
export const refuseIf = (condition: Code): Code => when(condition, REFUSED);

/** Whether `number` reads these. */
export const isNumber = (node: Node): boolean =>
  node.kind === 'wide' ? node.int === 'u64' || node.int === 'i64' : Object.hasOwn(NUMBERS, node.kind);

/** Fills in `(p) -> (value, end)`: a u64 of any length, byte by byte; end 0 where it is none. */
export const longVarint = (made: Assembly): Assembly => {
  const p = made.param(0);
  const [value, shift, byte] = [made.local('i64'), made.local('i64'), made.local('i64')];
  const isTooLong = i32.and(i64.eq(shift.get, i64.const(63n)), i64.gtU(byte.get, i64.const(1n)));
  made.body = [
    repeat(
      [
        byte.set(i64.load8(p.get)),
        p.set(i32.add(p.get, i32.const(1))),
        when(isTooLong, give(i64.const(0n), i32.const(0))),
        value.set(i64.or(value.get, i64.shl(i64.and(byte.get, i64.const(127n)), shift.get))),
        shift.set(i64.add(shift.get, i64.const(7n))),
      ],
      i64.gtU(byte.get, i64.const(127n)),
    ),
    ...[value.get, p.get],
  ];
  return made;
};

/** The low halves of the pieces that a fold joins: septets by 1, pairs of them by 2, fours by 4. */
const lowHalves = { 1: 0x007f_007f_007f_007fn, 2: 0x0000_3fff_0000_3fffn, 4: 0x0fff_ffffn } as const;

/** Code that reads what rows are made of, from the memory at `p`. It may read up to eight bytes behind the input: `checkEnd` has to follow. */
export class InputCode {
  readonly p: Local;
  /** Behind the input. */
  readonly e: Local;
  /** What `varint` read. */
  readonly word: Local;
  /** What `length` and `flag` read. */
  readonly count: Local;
  readonly #stop: Local;
  readonly #longVarint: number;
  readonly #rows: Assembly;
  /** What has to run before the first row. */
  readonly start: Code[] = [];

  /** @param longVarint the number of that function */
  constructor(rows: Assembly, longVarint: number) {
    this.#rows = rows;
    this.p = rows.local('i32');
    this.e = rows.local('i32');
    this.count = rows.local('i32');
    this.word = rows.local('i64');
    this.#stop = rows.local('i64');
    this.#longVarint = longVarint;
  }

  checkEnd(): Code {
    return refuseIf(i32.gtS(this.p.get, this.e.get));
  }

  advance(count: Code): Code {
    return this.p.set(i32.add(this.p.get, count));
  }

  #byte(into: Local): Code {
    return [into.set(i32.load8(this.p.get)), this.advance(i32.const(1))];
  }

  /** Joins neighbours of a number of bits less than they lie apart. */
  #fold(mask: bigint, shift: 1 | 2 | 4): Code {
    const { get, set } = this.word;
    const half = lowHalves[shift];
    const moved = i64.shrU(i64.and(get, i64.const(mask & ~half)), i64.const(BigInt(shift)));
    return set(i64.or(i64.and(get, i64.const(mask & half)), moved));
  }

  /**
   * Reads a varint into `word`, without a branch for each byte: which of the next eight ends it is one instruction.
   * @param max bytes; what is longer is refused, or read by `longer`
   */
  #varint(max: 3 | 5 | 8, longer: Code = REFUSED): Code {
    return this.#oneOr(this.#several(max, [], longer));
  }

  /** One byte, or else: several. */
  #oneOr(several: Code): Code {
    const { p, word } = this;
    return [
      word.set(i64.load(p.get)),
      when(
        i64.eqz(i64.and(word.get, i64.const(128n))),
        [word.set(i64.and(word.get, i64.const(127n))), this.advance(i32.const(1))],
        several,
      ),
    ];
  }

  /** @param found what happens with `word` before it loses the bytes behind the varint and the bits between, its end in `stop` */
  #several(max: 3 | 5 | 8, found: Code, longer: Code): Code {
    const { word } = this;
    const stop = this.#stop;
    const ends = 0x8080_8080_8080_8080n & ((1n << BigInt(8 * max)) - 1n);
    return [
      stop.set(i64.and(i64.xor(word.get, i64.const(-1n)), i64.const(ends))),
      when(i64.eqz(stop.get), longer, [
        found,
        word.set(i64.and(word.get, this.#upToEnd())),
        ...[this.#fold(SEPTETS, 1), this.#fold(PAIRS, 2), max > 3 ? this.#fold(QUADS, 4) : []],
        this.advance(this.#bytes()),
      ]),
    ];
  }

  #upToEnd(): Code {
    return i64.xor(this.#stop.get, i64.sub(this.#stop.get, i64.const(1n)));
  }

  #bytes(): Code {
    // the end's bit is the eighth of its byte
    return i32.wrap(i64.shrU(i64.add(i64.ctz(this.#stop.get), i64.const(1n)), i64.const(3n)));
  }

  /**
   * The same for what is often as in the row before (seconds, ids): its bytes are compared first, which is a fifth of
   * the work. Seconds alone make reading references 4 % faster.
   */
  #varintAsBefore(check: Code, longer: Code = REFUSED): Code {
    const { word } = this;
    const [bytes, mask, value] = [this.#rows.local('i64'), this.#rows.local('i64'), this.#rows.local('i64')];
    const length = this.#rows.local('i32');
    // nothing is before the first row: no varint of several bytes is all zeros
    this.start.push(mask.set(i64.const(-1n)));
    const found = [bytes.set(word.get), mask.set(this.#upToEnd()), length.set(this.#bytes())];
    const isAsBefore = i64.eqz(i64.and(i64.xor(word.get, bytes.get), mask.get));
    return this.#oneOr(
      when(
        isAsBefore,
        [word.set(value.get), this.advance(length.get)],
        [this.#several(8, found, longer), check, value.set(word.get)],
      ),
    );
  }

  /** The signed value of `word`. */
  #zigzag(): Code {
    const { get } = this.word;
    return i64.xor(i64.shrU(get, i64.const(1n)), i64.sub(i64.const(0n), i64.and(get, i64.const(1n))));
  }

  /** Reads a length into `count`. @param behind what follows when it has more than one byte */
  length(behind: Code = []): Code {
    const { count, word, p } = this;
    const several = [
      this.#varint(5),
      refuseIf(i64.gtU(word.get, i64.const(0x7fff_ffffn))),
      count.set(i32.wrap(word.get)),
      behind,
    ];
    return [
      count.set(i32.load8(p.get)),
      when(i32.ltU(count.get, i32.const(128)), this.advance(i32.const(1)), several),
    ];
  }

  /** Reads the length of a text or of bytes into `count`: all of them are there. */
  extent(): Code {
    return [this.length(), this.#checkCount()];
  }

  /** The same of what is only passed. Short ones need no look of their own: `checkEnd` follows, and 127 bytes too far do no harm. */
  passed(): Code {
    return this.length(this.#checkCount());
  }

  #checkCount(): Code {
    return refuseIf(i32.gtS(this.count.get, i32.sub(this.e.get, this.p.get)));
  }

  /** Reads a number below a bound into a local. */
  below(bound: number, into: Local): Code {
    return [this.#byte(into), refuseIf(i32.geU(into.get, i32.const(bound)))];
  }

  /** Reads 00 or 01 into `count`. */
  flag(): Code {
    return this.below(2, this.count);
  }

  /** Reads a number: first some code, then its value as an i32 (without regard to its sign), f32 or f64. */
  number(
    node: Node,
    isPayload = false,
  ): { readonly read: Code; readonly value: Code; readonly type: 'i32' | 'f32' | 'f64' } {
    const { p, count, word } = this;
    switch (node.kind) {
      case 'u8':
      case 'i8': {
        const value = node.kind === 'u8' ? count.get : i32.extend8(count.get);
        return { read: this.#byte(count), value, type: 'i32' };
      }
      case 'u16':
      case 'u32':
      case 'i16':
      case 'i32': {
        const bits = node.kind.endsWith('16') ? 16n : 32n;
        const tooLarge = refuseIf(i64.gtU(word.get, i64.const((1n << bits) - 1n)));
        const value = i32.wrap(node.kind.startsWith('u') ? word.get : this.#zigzag());
        return { read: [this.#varint(bits === 16n ? 3 : 5), tooLarge], value, type: 'i32' };
      }
      case 'f32':
        return { read: [], value: [f32.load(p.get), this.advance(i32.const(4))], type: 'f32' };
      case 'f64':
        return { read: [], value: [f64.load(p.get), this.advance(i32.const(8))], type: 'f64' };
      default: {
        const isSigned = node.kind === 'wide' && node.int === 'i64';
        const unsafe = refuseIf(i64.gtU(word.get, i64.const(isSigned ? SAFE_MAX * 2n : SAFE_MAX)));
        // what is safe has no sign bit, and from there the conversion is one instruction
        const value = f64.fromI64(isSigned ? this.#zigzag() : word.get);
        const read = isPayload ? [this.#varint(8), unsafe] : this.#varintAsBefore(unsafe);
        return { read, value, type: 'f64' };
      }
    }
  }

  /** Reads a number as f64. */
  float(node: Node): { readonly read: Code; readonly value: Code } {
    const { read, value, type } = this.number(node, true);
    if (type === 'f64') return { read, value };
    if (type === 'f32') return { read, value: f64.fromF32(value) };
    return { read, value: node.kind === 'u32' ? f64.fromU32(value) : f64.fromI32(value) };
  }

  /** Reads an integer of 64 bits, signed or not, whole. */
  wide(node: Node): { readonly read: Code; readonly value: Code } {
    const { p, word } = this;
    if (node.kind === 'fixed') return { read: [], value: [i64.load(p.get), this.advance(i32.const(8))] };
    const longer = [call(this.#longVarint, p.get), p.pop, word.pop, refuseIf(i32.eqz(p.get))];
    const isSigned = node.kind === 'wide' && node.int === 'i64';
    return { read: this.#varint(8, longer), value: isSigned ? this.#zigzag() : word.get };
  }
}
