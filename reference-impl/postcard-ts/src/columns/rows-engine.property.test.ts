import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { isReadByWebAssembly } from '../../testing/is-read-by-webassembly.ts';
import { valuesOf } from '../../testing/random-schema.ts';
import { type ColumnsOptions, columns, compile, p, type Schema } from '../index.ts';
import type { Node } from '../schema/node.ts';
import { schemaOf } from '../schema/schema.ts';
import type { TextForm } from './layout.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_122);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);
/** Inputs; each schema has about five. */
const FUZZ = Number(process.env.RELAYLAB_FUZZ ?? 2_000);

const SCRIPT = { mode: 'compiled', webAssembly: false } as const;

const leaves = fc.constantFrom<Node>(
  ...(['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'string'] as const).map(
    (kind): Node => ({ kind }),
  ),
  ...(['u64', 'i64'] as const).flatMap((int): Node[] => [
    { kind: 'wide', int, form: 'number' },
    { kind: 'wide', int, form: 'bigint' },
    { kind: 'fixed', int, endian: 'le', form: 'bigint' },
  ]),
  { kind: 'bytes', copy: false },
);
const variants = (part: fc.Arbitrary<Node>, most: number): fc.Arbitrary<Node> =>
  fc
    .array(fc.oneof(part, fc.constant<Node>({ kind: 'unit' })), { minLength: 1, maxLength: most })
    .map((nodes): Node => ({ kind: 'enum', variants: nodes.map((node, i) => [`V${i}`, node]) }));
const readable = (depth: number): fc.Arbitrary<Node> => {
  if (depth === 0) return leaves;
  const part = readable(depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: leaves },
    { weight: 1, arbitrary: part.map((of): Node => ({ kind: 'option', of })) },
    { weight: 1, arbitrary: part.map((of): Node => ({ kind: 'seq', of })) },
    { weight: 1, arbitrary: variants(part, 12) },
    {
      weight: 2,
      arbitrary: fc
        .array(part, { minLength: 1, maxLength: 5 })
        .map((items): Node => ({ kind: 'tuple', items })),
    },
  );
};

t.test('rows that WebAssembly reads are those that JavaScript reads, and both refuse alike', async (t) => {
  const rowsOf = (node: Node): fc.Arbitrary<readonly [Node, readonly unknown[]]> =>
    fc.tuple(fc.constant(node), fc.array(valuesOf(node), { minLength: 1, maxLength: 12 }));
  const outcome = (schema: Schema<unknown>, options: ColumnsOptions, bytes: Uint8Array): unknown => {
    try {
      return columns(schema, options).decode(bytes).rows();
    } catch (thrown) {
      return String(thrown);
    }
  };
  let [read, refused] = [0, 0];
  fc.assert(
    fc.property(
      readable(3).chain(rowsOf),
      fc.constantFrom<TextForm>('dict', 'ref'),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      ([node, rows], text, edits) => {
        const schema: Schema<unknown> = schemaOf(node);
        const whole = compile(p.seq(schema))
          .encode([...rows])
          .slice();
        if (!isReadByWebAssembly(schema, whole, text)) throw new Error('left to JavaScript');
        const cut = whole.subarray(0, whole.length - 1);
        for (const input of [whole, cut, ...edits.map(([at, byte]) => whole.with(at % whole.length, byte))]) {
          const [quick, slow] = [
            outcome(schema, { text }, input),
            outcome(schema, { text, ...SCRIPT }, input),
          ];
          if (typeof slow === 'string') refused++;
          else read++;
          if (!isDeepStrictEqual(quick, slow))
            throw new Error(`${fc.stringify(quick)} is not ${fc.stringify(slow)}`);
        }
      },
    ),
    { seed: SEED, numRuns: Math.ceil(FUZZ / 5) },
  );
  t.ok(read > 500 && refused > 500, `${read} read, ${refused} refused`);
});
