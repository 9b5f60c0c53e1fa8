import t from 'tap';
import { compile, type Infer, p, type Schema } from '../index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the types are the same; that is the test. */
const sameType = <_A, _B>(_same: Same<_A, _B>): number => 1;

const Value = p.enum({ F64: p.f64, Str: p.str, List: p.seq(p.u64), None: p.unit });
const Everything = p.struct({
  bool: p.bool,
  small: p.i8,
  number: p.u64,
  big: p.u64.bigint,
  either: p.i64.auto,
  huge: p.u128,
  hugeNumber: p.i128.number,
  char: p.char,
  bytes: p.byteArray(4),
  copy: p.bytes.copy,
  unit: p.unit,
  option: p.option(p.u8),
  nested: p.option(p.option(p.str)),
  optionUnit: p.option(p.unit),
  tuple: p.tuple(p.u8, p.str),
  value: Value,
  names: p.names('a', 'b'),
  map: p.map(p.u8, Value),
  record: p.record(p.bool),
  array: p.array(p.f32, 3),
  result: p.result(p.u8, p.str),
  duration: p.duration,
  fixed: p.fixed.le.u64.bigint,
  nonZero: p.nonZero(p.u32),
  newtype: p.newtype(p.u16),
});

t.test('types are inferred from schemas', async (t) => {
  type V =
    | { tag: 'F64'; value: number }
    | { tag: 'Str'; value: string }
    | { tag: 'List'; value: number[] }
    | { tag: 'None' };
  let checks = sameType<Infer<typeof Value>, V>(true);
  type E = {
    bool: boolean;
    small: number;
    number: number;
    big: bigint;
    either: number | bigint;
    huge: bigint;
    hugeNumber: number;
    char: string;
    bytes: Uint8Array;
    copy: Uint8Array;
    unit: undefined;
    option: number | null;
    nested: { some: string | null } | null;
    optionUnit: { some: undefined } | null;
    tuple: [number, string];
    value: V;
    names: 'a' | 'b';
    map: Map<number, V>;
    record: Record<string, boolean>;
    array: number[];
    result: { tag: 'Ok'; value: number } | { tag: 'Err'; value: string };
    duration: { secs: number; nanos: number };
    fixed: bigint;
    nonZero: number;
    newtype: number;
  };
  checks += sameType<Infer<typeof Everything>, E>(true);
  t.equal(checks, 2);
});

t.test('wrong values do not compile', async (t) => {
  const codec = compile(p.struct({ value: Value, pair: p.tuple(p.u8, p.str) }));
  const good = { value: { tag: 'F64', value: 1 }, pair: [1, 'a'] } as const;
  const attempts = [
    () => codec.encode({ ...good, pair: [1, 'a'], value: { tag: 'Str', value: 'a' } }),
    // @ts-expect-error a payload of another variant
    () => codec.encode({ ...good, pair: [1, 'a'], value: { tag: 'F64', value: 'a' } }),
    // @ts-expect-error an unknown tag
    () => codec.encode({ ...good, pair: [1, 'a'], value: { tag: 'F32', value: 1 } }),
    // @ts-expect-error a tuple that is too short
    () => codec.encode({ ...good, pair: [1] }),
    // @ts-expect-error a bigint where numbers are read
    () => compile(p.u64).encode(1n),
    // @ts-expect-error a number where bigints are read
    () => compile(p.u64.bigint).encode(1),
  ];
  const refused = attempts.map((attempt) => {
    try {
      return attempt().length < 0;
    } catch {
      return true;
    }
  });
  t.same(refused, [false, true, true, true, true, true]);
});

t.test('a recursive type is written by hand and checked against its schema', async (t) => {
  type Tree = { name: string; children: Tree[] };
  const Tree: Schema<Tree> = p.struct({ name: p.str, children: p.seq(p.lazy(() => Tree)) });
  // @ts-expect-error another type
  const Wrong: Schema<{ name: number }> = Tree;
  t.equal(Wrong, Tree);
});
