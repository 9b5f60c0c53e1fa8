import t from 'tap';
import { Assembly, f64, give, i32, i64, moduleOf, repeat, unsigned, when } from './assembler.ts';
import { exportsOf, moduleFrom, newMemory } from './engine.ts';

const run = (made: Assembly, ...args: number[]): number => {
  const module = moduleFrom(moduleOf([], [made], 'f'));
  if (module === undefined) throw new Error('no module');
  return exportsOf(module, { memory: newMemory(1) }).f?.(...args) as number;
};

t.test('numbers are written as LEB128', async (t) => {
  t.same([0, 127, 128, 624_485, 2 ** 32 - 1].map(unsigned), [
    [0],
    [127],
    [128, 1],
    [0xe5, 0x8e, 0x26],
    [255, 255, 255, 255, 15],
  ]);
  for (const value of [0, 1, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)]) {
    const made = new Assembly([], ['i32']);
    made.body = i32.const(value);
    t.equal(run(made), value);
  }
  for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x8080_8080_8080_8080n]) {
    const made = new Assembly([], ['i32']);
    const high = i32.wrap(i64.shrU(i64.const(value), i64.const(32n)));
    made.body = i32.xor(high, i32.wrap(i64.const(value)));
    const bits = BigInt.asUintN(64, value);
    t.equal(run(made), Number(BigInt.asIntN(32, (bits >> 32n) ^ bits)), String(value));
  }
});

t.test('a function with a loop, a branch and two kinds of variables', async (t) => {
  // 1 + 2 + ... + n, but -1 from 100 on
  const made = new Assembly(['i32'], ['f64']);
  const [n, i, sum] = [made.param(0), made.local('i32'), made.local('i64')];
  made.body = [
    when(i32.geU(n.get, i32.const(100)), give(f64.const(-1))),
    repeat(
      [i.set(i32.add(i.get, i32.const(1))), sum.set(i64.add(sum.get, i64.extendU(i.get)))],
      i32.ltU(i.get, n.get),
    ),
    f64.fromI64(sum.get),
  ];
  t.same(
    [1, 10, 99, 100].map((count) => run(made, count)),
    [1, 55, 4950, -1],
  );
});

t.test('memory is read as it was written, at any address', async (t) => {
  const made = new Assembly(['i32'], ['i32']);
  const at = made.param(0).get;
  made.body = [i64.store(at, i64.const(0x0102_0304_0506_0708n), 3), i32.load(at, 6)];
  t.equal(run(made, 8), 0x0203_0405);
  t.equal(run(made, 1001), 0x0203_0405);
  t.throws(() => run(made, 65_535), { name: 'RuntimeError' }, 'and not beyond its end');
});

t.test('bytes that are no module make none', async (t) => {
  t.equal(moduleFrom(Uint8Array.of(1, 2, 3)), undefined);
});
