import t from 'tap';
import { isReadByWebAssembly as isRead } from '../../testing/is-read-by-webassembly.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import { columns, compile, Dictionary, p, type Schema } from '../index.ts';

t.test('integers at the ends of their range, and one bit beyond it', async (t) => {
  const powers = Array.from({ length: 64 }, (_, i) => 2n ** BigInt(i));
  for (const [name, schema, min, max] of [
    ['u16', p.u16, 0n, 65_535n],
    ['i16', p.i16, -32_768n, 32_767n],
    ['u32', p.u32, 0n, 2n ** 32n - 1n],
    ['i32', p.i32, -(2n ** 31n), 2n ** 31n - 1n],
    ['u64', p.u64, 0n, 2n ** 53n - 1n],
    ['i64', p.i64, -(2n ** 53n - 1n), 2n ** 53n - 1n],
    ['u64 as bigint', p.u64.bigint, 0n, 2n ** 64n - 1n],
    ['i64 as bigint', p.i64.bigint, -(2n ** 63n), 2n ** 63n - 1n],
  ] as const) {
    const isBig = name.endsWith('bigint');
    const near = powers.flatMap((power) => [power - 1n, power, -power, 1n - power]);
    const values = [...new Set([min, max, ...near])]
      .filter((value) => value >= min && value <= max)
      .map((value) => (isBig ? value : Number(value)));
    const row = schema as Schema<unknown>;
    const bytes = compile(p.seq(row)).encode(values).slice();
    t.ok(isRead(row, bytes), `${name}: ${values.length} values`);
    t.same(columns(row).decode(bytes).rows(), values, name);
  }
  const refused = (schema: Schema<unknown>, ...bytes: number[]): string =>
    refusalOf(() => columns(schema).decode(Uint8Array.of(1, ...bytes))).kind;
  t.equal(refused(p.u16, 0x80, 0x80, 0x04), 'DeserializeBadVarint');
  t.equal(refused(p.u32, 0x80, 0x80, 0x80, 0x80, 0x10), 'DeserializeBadVarint');
  t.equal(refused(p.u32, 0x80, 0x80, 0x80, 0x80, 0x80, 0), 'DeserializeBadVarint');
  t.equal(refused(p.u64, ...Array(7).fill(0x80), 0x20), 'DeserializeUnsafeInteger');
  t.equal(refused(p.u64.bigint, ...Array(9).fill(0xff), 2), 'DeserializeBadVarint');
  const padded = [1, 0x81, ...Array(8).fill(0x80), 0];
  t.notOk(isRead(p.u64, Uint8Array.from(padded)), 'a padded varint of ten bytes is left to JavaScript');
  t.same(columns(p.u64).decode(Uint8Array.from(padded)).rows(), [1]);
  t.same(columns(p.u64.bigint).decode(Uint8Array.from(padded)).rows(), [1n]);
});

t.test('strings of every length have the id of their bytes', async (t) => {
  const twins = Array.from({ length: 61 }, (_, n) => [
    'x'.repeat(n),
    // the same but for one byte: the first, one in the middle, the last
    ...[0, n >> 1, n - 1]
      .filter((at) => at >= 0 && at < n)
      .map((at) => `${'x'.repeat(at)}y${'x'.repeat(n - at - 1)}`),
  ]).flat();
  const rows = [...twins, ...twins, 'a', 'a\0', 'büro', '\ufeffbom', ...twins];
  const bytes = compile(p.seq(p.str)).encode(rows).slice();
  t.ok(isRead(p.str, bytes));
  const codec = columns(p.str);
  for (let pass = 0; pass < 3; pass++) {
    const table = codec.decode(bytes);
    t.same(table.rows(), rows);
    t.equal(table.strings.length, new Set(rows).size, 'each has one id');
  }
});

t.test('more strings than the memory remembers', async (t) => {
  const rows = Array.from({ length: 60_000 }, (_, i) => (i % 3 === 0 ? `a process, number ${i}` : `p${i}`));
  const bytes = compile(p.seq(p.str))
    .encode([...rows, ...rows])
    .slice();
  const dictionary = new Dictionary();
  const codec = columns(p.str);
  t.same(codec.decode(bytes, { dictionary }).rows(), [...rows, ...rows]);
  const [one, two] = [codec.decode(bytes), codec.decode(bytes, { dictionary })];
  t.same(two.rows(), [...rows, ...rows], 'with the ids of somebody else beside');
  t.equal(dictionary.strings.length, rows.length + 1);
  t.equal(one.strings.length, rows.length + 1);
});

t.test('a string that is no UTF-8 is refused where it stands, and leaves nothing behind', async (t) => {
  const Row = p.struct({ id: p.u8, name: p.str });
  for (const n of [1, 3, 16, 17, 48, 49]) {
    const bytes = compile(p.seq(Row))
      .encode([
        { id: 1, name: 'good' },
        { id: 2, name: 'x'.repeat(n) },
      ])
      .slice();
    const bad = bytes.with(bytes.length - 1, 0xff);
    const refusal = refusalOf(() => columns(Row).decode(bad));
    t.match(refusal, { kind: 'DeserializeBadUtf8', path: '[1].name' }, `${n} bytes`);
    t.match(columns(Row).decode(bytes).row(1), { name: 'x'.repeat(n) });
    t.equal(columns(Row, { text: 'ref' }).decode(bad).length, 2, 'references are checked when they are read');
  }
});

t.test('lists that grow find room, and payloads without a column are there once', async (t) => {
  const Row = p.struct({
    lists: p.seq(p.tuple(p.seq(p.u32), p.enum({ List: p.seq(p.u64), Map: p.map(p.str, p.u8), F64: p.f64 }))),
    last: p.option(p.str),
  });
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    lists: Array.from({ length: i % 64 === 0 ? i >> 5 : i % 3 }, (_, k) => [
      Array.from({ length: (i * k) % 7 }, (_, n) => n * 1000),
      [
        { tag: 'List', value: [i, k] },
        { tag: 'Map', value: new Map([['k', k % 256]]) },
        { tag: 'F64', value: i / 3 },
      ][k % 3],
    ]),
    last: i % 2 === 0 ? null : `row ${i}`,
  })) as never;
  const bytes = compile(p.seq(Row)).encode(rows).slice();
  t.ok(isRead(Row as Schema<unknown>, bytes));
  const codec = columns(Row);
  let last = codec.decode(bytes);
  for (let pass = 0; pass < 2; pass++) {
    t.same(last.rows(), rows);
    const { lists } = last.columns;
    const choice = lists.kind === 'list' && lists.of.kind === 'group' ? lists.of.parts['1'] : undefined;
    const wanted = (rows as { lists: [unknown, { tag: string }][] }[])
      .flatMap((row) => row.lists)
      .filter(([, { tag }]) => tag !== 'F64').length;
    t.equal(choice?.kind === 'choice' ? choice.others.length : -1, wanted);
    last = codec.decode(bytes, { reuse: last });
  }
});

t.test('nothing of an earlier table shows where an option is absent', async (t) => {
  const Inner = p.struct({ id: p.u64, name: p.str, wide: p.u64.bigint, small: p.i16, some: p.option(p.u8) });
  const Row = p.struct({ inner: p.option(Inner), kind: p.enum({ Text: p.str, None: p.unit }) });
  const full = Array.from({ length: 40 }, () => ({
    inner: { id: 77, name: 'secret', wide: 2n ** 63n, small: -1, some: 255 },
    kind: { tag: 'Text' as const, value: 'secret' },
  }));
  const none = Array.from({ length: 40 }, () => ({ inner: null, kind: { tag: 'None' as const } }));
  const codec = columns(Row, { text: 'ref' });
  const first = codec.decode(compile(p.seq(Row)).encode(full).slice());
  const second = codec.decode(compile(p.seq(Row)).encode(none).slice(), { reuse: first });
  t.same(second.rows(), none);
  const arrays = (value: unknown): number[] =>
    ArrayBuffer.isView(value)
      ? Array.from(value as Uint8Array, Number)
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(arrays)
        : [];
  t.ok(arrays(second.columns.inner).every((item) => item === 0));
  const { kind } = second.columns;
  t.ok(kind.kind === 'choice' && kind.lengths?.every((length) => length === 0));
});

t.test('rows inside a larger message, in a view, into arrays that are there', async (t) => {
  const Row = p.struct({ a: p.u64, text: p.str });
  const rows = Array.from({ length: 2500 }, (_, i) => ({ a: i * i, text: `text ${i % 90}` }));
  const seq = compile(p.seq(Row)).encode(rows);
  const bytes = new Uint8Array(seq.length + 30);
  bytes.set(seq, 20);
  const view = bytes.subarray(7);
  for (const text of ['dict', 'ref'] as const) {
    const codec = columns(Row, { text });
    const first = codec.decodePrefix(view, 13);
    t.equal(first.end, 13 + seq.length);
    t.same(first.table.rows(), rows, text);
    const fewer = compile(p.seq(Row)).encode(rows.slice(0, 3)).slice();
    const second = codec.decode(fewer, { reuse: first.table });
    t.same(second.rows(), rows.slice(0, 3));
    t.same(codec.decodePrefix(view, 13, { reuse: second }).table.rows(), rows);
    t.same(codec.decode(Uint8Array.of(0), { reuse: second }).rows(), []);
  }
});

t.test('a large table that is used again and again gets a memory of its own, if there is one', async (t) => {
  const Row = p.struct({ a: p.f64, text: p.str, list: p.seq(p.u16) });
  const rowsOf = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      a: i / 3,
      text: `text ${i % 90}`,
      list: [i % 9, count % 1000],
    }));
  const write = (count: number) => compile(p.seq(Row)).encode(rowsOf(count)).slice();
  const codec = columns(Row);
  const memories = new Set<unknown>();
  // growing, shrinking to nothing, and past what it has room for
  const counts = [...Array(12).fill(9000), 0, 3, 9000, 40_000, 9000];
  let last = codec.decode(write(9000));
  for (const count of counts) {
    last = codec.decode(write(count), { reuse: last });
    t.same(last.rows(), rowsOf(count), `${count} rows`);
    const { a } = last.columns;
    if (count === 9000) memories.add(a.kind === 'number' ? a.values.buffer : undefined);
  }
  t.equal(memories.size, 3, 'copies, then its own, which grew once');
  // what is read again in JavaScript leaves that memory, and comes back to it
  const padded = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x81, 0x80, 0]);
  last = codec.decode(padded, { reuse: last });
  t.same(last.rows(), [{ a: 0, text: '', list: [1] }]);
  t.same(codec.decode(write(9000), { reuse: last }).rows(), rowsOf(9000));

  const place = globalThis as { WebAssembly?: object };
  const before = place.WebAssembly as { Module: object; Instance: object };
  t.teardown(() => {
    place.WebAssembly = before;
  });
  place.WebAssembly = {
    ...{ Module: before.Module, Instance: before.Instance },
    Memory: class {
      constructor() {
        throw new RangeError('out of memory');
      }
    },
  };
  let other = codec.decode(write(9000));
  for (let i = 0; i < 12; i++) other = codec.decode(write(9000), { reuse: other });
  t.same(other.rows(), rowsOf(9000), 'without one they are copied');
});

t.test('a table that does not fit the memory that is kept, and small ones behind it', async (t) => {
  const count = 2_500_000;
  const bytes = compile(p.seq(p.f64))
    .encode(Array.from({ length: count }, (_, i) => i))
    .slice();
  const { root } = columns(p.f64).decode(bytes);
  const values = root.kind === 'number' ? root.values : [];
  t.equal(values.length, count);
  t.ok(values.every((value, i) => value === i));
  const few = compile(p.seq(p.str)).encode(['a', 'b']).slice();
  const place = globalThis as { WebAssembly?: object };
  const before = place.WebAssembly as { Module: object; Instance: object };
  class Memory {
    constructor() {
      throw new RangeError('out of memory');
    }
  }
  t.teardown(() => {
    place.WebAssembly = before;
  });
  place.WebAssembly = { Module: before.Module, Instance: before.Instance, Memory };
  t.notOk(isRead(p.str, few), 'the large memory was given up, and there is no other');
  t.same(columns(p.str).decode(few).rows(), ['a', 'b']);
  place.WebAssembly = before;
  t.ok(isRead(p.str, few));
});

t.test('what stands before rows that are many, but not there, is not believed', async (t) => {
  const Row = p.struct({ a: p.f64, list: p.seq(p.u8) });
  for (const bytes of [
    [255, 255, 255, 127],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 127],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 15],
  ])
    t.equal(refusalOf(() => columns(Row).decode(Uint8Array.from(bytes))).kind, 'DeserializeUnexpectedEnd');
  const two = compile(p.seq(Row))
    .encode([{ a: 1, list: [1, 2, 3] }])
    .slice();
  t.equal(refusalOf(() => columns(Row, { limits: { items: 2 } }).decode(two)).kind, 'LimitItems');
});

t.test('platforms without WebAssembly, or that forbid it, read by JavaScript', async (t) => {
  const place = globalThis as { WebAssembly?: object };
  const before = place.WebAssembly as object;
  const bytes = compile(p.seq(p.str)).encode(['a', 'b']).slice();
  const forbidden = class {
    constructor() {
      throw new Error('forbidden');
    }
  };
  t.teardown(() => {
    place.WebAssembly = before;
  });
  for (const engine of [undefined, { ...before, Module: forbidden }]) {
    place.WebAssembly = engine as object;
    t.notOk(isRead(p.str, bytes));
    t.same(columns(p.str).decode(bytes).rows(), ['a', 'b']);
  }
});

t.test('rows with parts that have no column of numbers are left to JavaScript', async (t) => {
  const bytes = compile(p.seq(p.names('A', 'B')))
    .encode(['B'])
    .slice();
  t.notOk(isRead(p.names('A', 'B') as Schema<unknown>, bytes));
  t.same(columns(p.names('A', 'B')).decode(bytes).rows(), ['B']);
  t.same(columns(p.unit).decode(Uint8Array.of(3)).rows(), [undefined, undefined, undefined]);
});
