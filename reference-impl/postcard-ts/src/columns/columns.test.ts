import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { importSource } from '../../testing/modes.ts';
import { anyNode, valuesOf } from '../../testing/random-schema.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import {
  columns,
  compile,
  Dictionary,
  emit,
  emitDeclarations,
  type Infer,
  PostcardError,
  p,
} from '../index.ts';
import type { Node } from '../schema/node.ts';
import { type Schema, schemaOf } from '../schema/schema.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);

const Value = p.enum({ F64: p.f64, U64: p.u64, Bool: p.bool, Str: p.str, List: p.seq(p.u64), None: p.unit });
const Point = p.struct({
  id: p.u64,
  at: p.struct({ secs: p.u64.bigint, nanos: p.u32 }),
  value: Value,
  kind: p.str,
  consumer: p.str,
  note: p.option(p.str),
  attributes: p.seq(p.tuple(p.str, Value)),
});
const POINTS: Infer<typeof Point>[] = [
  {
    id: 1,
    at: { secs: 10n, nanos: 5 },
    value: { tag: 'F64', value: 1.5 },
    kind: 'cpu',
    consumer: 'process',
    note: null,
    attributes: [],
  },
  {
    id: 2 ** 40,
    at: { secs: 2n ** 60n, nanos: 6 },
    value: { tag: 'Str', value: 'cpu' },
    kind: 'cpu',
    consumer: 'büro',
    note: 'cpu',
    attributes: [
      ['core', { tag: 'List', value: [1, 2] }],
      ['cpu', { tag: 'Bool', value: true }],
    ],
  },
];
const bytes = compile(p.seq(Point)).encode(POINTS);
/** By WebAssembly where it can, by generated JavaScript, by closures. */
const WAYS = [{ mode: 'compiled' }, { mode: 'compiled', webAssembly: false }, { mode: 'no-eval' }] as const;

for (const way of WAYS) {
  const mode = JSON.stringify(way);
  t.test(`${mode}: columns hold what objects would`, async (t) => {
    for (const text of ['dict', 'ref'] as const) {
      const table = columns(Point, { ...way, text }).decode(bytes);
      t.same(table.rows(), POINTS, text);
      t.same(table.row(1), POINTS[1]);
      t.throws(() => table.row(2), { name: 'RangeError' });
    }
  });

  t.test(`${mode}: numbers lie in typed arrays, equal strings have one id`, async (t) => {
    const table = columns(Point, { ...way, columns: { consumer: 'ref' } }).decode(bytes);
    const { id, at, kind, consumer, attributes } = table.columns;
    t.same(id, { kind: 'number', values: new Float64Array([1, 2 ** 40]) });
    t.same(at.kind === 'group' ? at.parts.secs : at, {
      kind: 'wide',
      values: new BigUint64Array([10n, 2n ** 60n]),
    });
    const ids = kind.kind === 'dict' ? [...kind.ids] : [];
    t.same(
      ids.map((one) => table.strings[one]),
      ['cpu', 'cpu'],
    );
    t.equal(ids[0], ids[1]);
    t.same(consumer.kind === 'ref' ? [...consumer.lengths] : consumer, [7, 5]);
    t.same(attributes.kind === 'list' ? [...attributes.ends] : attributes, [0, 2]);
  });

  t.test(`${mode}: arrays are used again, and a dictionary can go on`, async (t) => {
    const codec = columns(Point, way);
    const dictionary = new Dictionary();
    const first = codec.decode(bytes, { dictionary });
    const memoryOf = ({ columns: { id } }: typeof first) => (id.kind === 'number' ? id.values.buffer : null);
    const memory = memoryOf(first);
    const second = codec.decode(compile(p.seq(Point)).encode([...POINTS].reverse()), {
      reuse: first,
      dictionary,
    });
    t.equal(memoryOf(second), memory);
    t.same(second.rows(), [...POINTS].reverse());
    t.equal(second.strings, dictionary.strings);
    t.equal(new Set(dictionary.strings).size, dictionary.strings.length);
  });

  t.test(`${mode}: a refusal names the place`, async (t) => {
    const codec = columns(Point, way);
    t.match(
      refusalOf(() => codec.decode(bytes.subarray(0, bytes.length - 1))),
      {
        kind: 'DeserializeUnexpectedEnd',
        path: '[1].attributes[1][1].value',
      },
    );
    t.match(
      refusalOf(() => codec.decode(Uint8Array.from([...bytes, 0]))),
      { kind: 'DeserializeTrailingBytes' },
    );
    t.match(
      refusalOf(() => codec.decode(Uint8Array.of(255, 255, 255, 127))),
      { kind: 'DeserializeUnexpectedEnd' },
    );
  });
}

t.test('emitted: tables read as those made at run time, and refuse with the same path', async (t) => {
  const from = new URL('../index.ts', import.meta.url).href;
  const tables = { Rows: { row: Point as Schema<unknown>, columns: { consumer: 'ref' } as const } };
  const source = emit({}, { from, tables });
  t.notMatch(source, /\beval\b|new Function|emitted,/);
  const { Rows } = (await importSource(source)) as unknown as {
    readonly Rows: ReturnType<typeof columns<Infer<typeof Point>>>;
  };
  t.equal(Rows.mode, 'emitted');
  const table = Rows.decode(bytes);
  t.same(table.rows(), POINTS);
  t.equal(table.columns.consumer.kind, 'ref');
  t.match(
    refusalOf(() => Rows.decode(bytes.subarray(0, bytes.length - 1))),
    { kind: 'DeserializeUnexpectedEnd', path: '[1].attributes[1][1].value' },
  );
  t.match(emitDeclarations({}, { tables }), /export declare const Rows: ColumnsCodec</);
  t.match(
    refusalOf(() =>
      emit({}, { tables: { Rows: { row: Point as Schema<unknown>, columns: { idd: 'ref' } } } }),
    ),
    { kind: 'BadSchema', path: 'idd' },
  );
});

t.test('a form for a column without strings is refused', async (t) => {
  t.match(
    refusalOf(() => columns(Point, { columns: { idd: 'ref' } })),
    { kind: 'BadSchema', path: 'idd' },
  );
});

t.test('messages of the measurement relay read as columns', async (t) => {
  const messages: { name: string; hex: string; value: { content: { variant: string } } }[] = JSON.parse(
    readFileSync(new URL('../../vectors/measurement.json', import.meta.url), 'utf8'),
  );
  const Typed = p.enum({ F64: p.f64, U64: p.u64.auto, Bool: p.bool, Str: p.str, ListU64: p.seq(p.u64.auto) });
  const Row = p.struct({
    metric_id: p.u64.auto,
    timestamp: p.struct({ secs: p.u64.auto, nanos: p.u32 }),
    value: Typed,
    ...{ resource_kind: p.str, resource_id: p.str, consumer_kind: p.str, consumer_id: p.str },
    attributes: p.seq(p.tuple(p.str, Typed)),
  });
  const head = compile(
    p.tuple(p.str, p.names('Greet', 'GreetResponse', 'RegisterMetrics', 'SendMeasurements')),
  );
  const objects = compile(p.seq(Row));
  let rows = 0;
  for (const { name, hex, value } of messages) {
    if (value.content.variant !== 'SendMeasurements') continue;
    const data = new Uint8Array(Buffer.from(hex, 'hex'));
    const { end } = head.decodePrefix(data);
    const { table, end: last } = columns(Row, { text: 'ref' }).decodePrefix(data, end);
    t.equal(last, data.length, name);
    t.same(table.rows(), objects.decodePrefix(data, end).value, name);
    rows += table.length;
  }
  t.ok(rows > 100, `${rows} rows`);
});

t.test(
  'random rows read as columns what they read as objects, and nothing but a PostcardError refuses',
  async (t) => {
    const rowsOf = (node: Node): fc.Arbitrary<readonly [Node, readonly unknown[]]> =>
      fc.tuple(fc.constant(node), fc.array(valuesOf(node), { maxLength: 6 }));
    let refused = 0;
    fc.assert(
      fc.property(
        anyNode(3).chain(rowsOf),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        ([node, rows], edits) => {
          const row: Schema<unknown> = schemaOf(node);
          const objects = compile(p.seq(row));
          const whole = objects.encode([...rows]);
          const inputs = edits.map(([at, byte]) => whole.with(at % whole.length, byte));
          for (const input of [whole, ...inputs]) {
            const plain = objects.safeDecode(input);
            for (const way of WAYS)
              for (const text of ['dict', 'ref'] as const) {
                const { mode } = way;
                let got: unknown;
                try {
                  const table = columns(row, { ...way, text }).decode(input);
                  if (plain.ok) got = table.rows();
                } catch (thrown) {
                  if (!(thrown instanceof PostcardError)) throw thrown;
                  refused++;
                  if (plain.ok) throw thrown;
                  continue;
                }
                // references are not read while decoding, so their bytes may be no UTF-8
                if (!plain.ok && (text === 'dict' || plain.error.kind !== 'DeserializeBadUtf8'))
                  throw new Error(`${mode} ${text} accepted what ${plain.error.message}`);
                if (plain.ok && !isDeepStrictEqual(got, plain.value))
                  throw new Error(
                    `${mode} ${text}: ${fc.stringify(got)} is not ${fc.stringify(plain.value)}`,
                  );
              }
          }
        },
      ),
      { seed: SEED, endOnFailure: false, numRuns: 300 },
    );
    t.ok(refused > 100, `${refused} refusals`);
  },
);

t.test('a row that is read again for want of room leaves nothing behind twice', async (t) => {
  const Row = p.struct({
    units: p.seq(p.unit),
    lists: p.seq(p.tuple(p.seq(p.str), p.enum({ List: p.seq(p.u8), Name: p.str }))),
    last: p.map(p.u8, p.u8),
  });
  const rows = Array.from({ length: 300 }, (_, i) => ({
    units: [undefined, undefined],
    lists: Array.from({ length: i % 7 }, (_, k) => [
      Array.from({ length: (i * k) % 11 }, (_, n) => `text ${n}`),
      k % 2 === 0 ? { tag: 'List', value: [i % 256, k] } : { tag: 'Name', value: 'x' },
    ]),
    last: new Map([[i % 256, 1]]),
  })) as never;
  const input = compile(p.seq(Row)).encode(rows);
  for (const way of WAYS) {
    const mode = JSON.stringify(way);
    const table = columns(Row, { ...way, limits: { emptyItems: 600 } }).decode(input);
    t.same(table.rows(), rows, mode);
    const lists = table.columns.lists;
    const choice = lists.kind === 'list' && lists.of.kind === 'group' ? lists.of.parts['1'] : undefined;
    const others = choice?.kind === 'choice' ? choice.others : [];
    t.same(
      others.length,
      (rows as { lists: [unknown, { tag: string }][] }[]).flatMap(({ lists }) =>
        lists.filter(([, { tag }]) => tag === 'List'),
      ).length,
      'no payload is there twice',
    );
  }
});
