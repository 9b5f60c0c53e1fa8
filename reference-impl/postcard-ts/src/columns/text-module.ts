import { Assembly, call, give, i32, i64, repeat, when } from '../wasm/assembler.ts';

/**
 * Where the memory holds what outlives a table: masks for the first n of 16 bytes, and the strings seen last with their ids. As in
 * wire/text-in.ts a string is known by all of its bytes, a miss costs one call, and nothing can make it cost more.
 */
const MASKS = 4096;
/** The longest string with a record of four words: 16 bytes of text, length and owner, id. Two places each, in one line of the cache. */
const SHORT_MAX = 16;
const SHORT_BITS = 14;
const SHORT_SHIFT = 5;
const SHORTS = 8192;
/** The longest string that is looked up at all; its record is a line of the cache. */
const LONG_MAX = 48;
const LONG_BITS = 10;
const LONG_SHIFT = 6;
const LONGS = SHORTS + (1 << (SHORT_BITS + SHORT_SHIFT));
/** First byte behind all of it. */
export const TEXTS_END = LONGS + (1 << (LONG_BITS + LONG_SHIFT));

const KEY = 16;
const ID = 24;
const LONG_LAST = 40;
const LONG_KEY = 48;
const LONG_ID = 56;
const PRIME = 0x9e37_79b9_7f4a_7c15n;
const OTHER_PRIME = 0xc2b2_ae3d_27d4_eb4fn;

/** Writes the masks into a fresh memory: 16 bytes for each length. */
export const writeMasks = (memory: Uint8Array): void => {
  for (let n = 0; n <= SHORT_MAX; n++) memory.fill(255, MASKS + n * 16, MASKS + n * 16 + n);
};

/** `(p, n, owner << 32) -> id` for 1 to 16 bytes of text. Reads 16 bytes, also behind the text. @param newText `(p, n) -> id` */
const shortId = (newText: number): Assembly => {
  const made = new Assembly(['i32', 'i32', 'i64'], ['i32']);
  const [p, n, owner] = [made.param(0), made.param(1), made.param(2)];
  const [low, high, key] = [made.local('i64'), made.local('i64'), made.local('i64')];
  const [at, id] = [made.local('i32'), made.local('i32')];
  const mask = i32.shl(n.get, i32.const(4));
  const isHere = i64.eqz(
    i64.or(
      i64.or(i64.xor(i64.load(at.get), low.get), i64.xor(i64.load(at.get, 8), high.get)),
      i64.xor(i64.load(at.get, KEY), key.get),
    ),
  );
  const hash = i64.mul(i64.add(low.get, i64.mul(high.get, i64.const(OTHER_PRIME))), i64.const(PRIME));
  const record = i32.wrap(i64.shrU(hash, i64.const(BigInt(64 - SHORT_BITS))));
  const other = i32.xor(at.get, i32.const(1 << SHORT_SHIFT));
  made.body = [
    low.set(i64.and(i64.load(p.get), i64.load(mask, MASKS))),
    high.set(i64.and(i64.load(p.get, 8), i64.load(mask, MASKS + 8))),
    key.set(i64.or(owner.get, i64.extendU(n.get))),
    at.set(i32.add(i32.const(SHORTS), i32.shl(record, i32.const(SHORT_SHIFT)))),
    when(isHere, give(i32.load(at.get, ID))),
    at.set(other),
    when(isHere, give(i32.load(at.get, ID))),
    at.set(other),
    id.set(call(newText, p.get, n.get)),
    // what was in the first place may come again, what was in the other has not come for longer
    ...[0, 8, KEY, ID].map((word) => i64.store(other, i64.load(at.get, word), word)),
    ...[i64.store(at.get, low.get), i64.store(at.get, high.get, 8), i64.store(at.get, key.get, KEY)],
    ...[i32.store(at.get, id.get, ID), id.get],
  ];
  return made;
};

/** The same for 17 to 48 bytes: by words, of which the last may overlap the one before. */
const longId = (newText: number): Assembly => {
  const made = new Assembly(['i32', 'i32', 'i64'], ['i32']);
  const [p, n, owner] = [made.param(0), made.param(1), made.param(2)];
  const [key, hash, missed] = [made.local('i64'), made.local('i64'), made.local('i64')];
  const [at, q, to, last] = ['i32', 'i32', 'i32', 'i32'].map(() => made.local('i32')) as [
    ReturnType<Assembly['local']>,
    ReturnType<Assembly['local']>,
    ReturnType<Assembly['local']>,
    ReturnType<Assembly['local']>,
  ];
  const mixed = i64.mul(i64.xor(hash.get, i64.load(q.get)), i64.const(PRIME));
  const start = [q.set(p.get), to.set(at.get)];
  const next = [q.set(i32.add(q.get, i32.const(8))), to.set(i32.add(to.get, i32.const(8)))];
  const more = i32.ltU(q.get, last.get);
  made.body = [
    ...[last.set(i32.sub(i32.add(p.get, n.get), i32.const(8))), q.set(p.get)],
    ...[key.set(i64.or(owner.get, i64.extendU(n.get))), hash.set(key.get)],
    repeat(
      [
        hash.set(mixed),
        hash.set(i64.xor(hash.get, i64.shrU(hash.get, i64.const(29n)))),
        q.set(i32.add(q.get, i32.const(8))),
      ],
      more,
    ),
    hash.set(i64.mul(i64.xor(hash.get, i64.load(last.get)), i64.const(PRIME))),
    at.set(i32.wrap(i64.shrU(hash.get, i64.const(BigInt(64 - LONG_BITS))))),
    at.set(i32.add(i32.const(LONGS), i32.shl(at.get, i32.const(LONG_SHIFT)))),
    missed.set(
      i64.or(
        i64.xor(i64.load(at.get, LONG_KEY), key.get),
        i64.xor(i64.load(at.get, LONG_LAST), i64.load(last.get)),
      ),
    ),
    start,
    repeat(
      [missed.set(i64.or(missed.get, i64.xor(i64.load(to.get), i64.load(q.get)))), next],
      i32.and(i64.eqz(missed.get), more),
    ),
    when(i64.eqz(missed.get), give(i32.load(at.get, LONG_ID))),
    i32.store(at.get, call(newText, p.get, n.get), LONG_ID),
    start,
    repeat([i64.store(to.get, i64.load(q.get)), next], more),
    i64.store(at.get, i64.load(last.get), LONG_LAST),
    i64.store(at.get, key.get, LONG_KEY),
    i32.load(at.get, LONG_ID),
  ];
  return made;
};

/**
 * The functions that find the id of a text.
 * @param newText the function `(p, n) -> id` that gives one  @param first the number of the first of these
 * @returns them; the last, `(p, n, owner << 32) -> id`, takes texts of any length
 */
export const textFunctions = (newText: number, first: number): readonly Assembly[] => {
  const made = new Assembly(['i32', 'i32', 'i64'], ['i32']);
  const [p, n, owner] = [made.param(0), made.param(1), made.param(2)];
  made.body = [
    when(i32.eqz(n.get), give(i32.const(0))),
    when(i32.gtU(n.get, i32.const(LONG_MAX)), give(call(newText, p.get, n.get))),
    when(i32.gtU(n.get, i32.const(SHORT_MAX)), give(call(first + 1, p.get, n.get, owner.get))),
    call(first, p.get, n.get, owner.get),
  ];
  return [shortId(newText), longId(newText), made];
};
