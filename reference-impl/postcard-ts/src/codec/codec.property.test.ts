import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { schemaAndValues } from '../../testing/random-schema.ts';
import { compile, PostcardError, type SafeResult } from '../index.ts';
import { maxSize, minSizes } from '../schema/bounds.ts';
import { schemaOf } from '../schema/schema.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);
const FUZZ = Number(process.env.RELAYLAB_FUZZ ?? 10_000);
const RUNS = { seed: SEED, endOnFailure: false } as const;

const same = (a: unknown, b: unknown, what: string): void => {
  if (!isDeepStrictEqual(a, b)) throw new Error(`${what}: ${fc.stringify(a)} is not ${fc.stringify(b)}`);
};

t.test('what is written reads back, equally in every mode and by every door', async (t) => {
  let values = 0;
  fc.assert(
    fc.property(schemaAndValues, ([node, samples]) => {
      const schema = schemaOf<unknown>(node);
      const [fast, slow] = [compile(schema, { mode: 'compiled' }), compile(schema, { mode: 'no-eval' })];
      const [least, most] = [minSizes(node)(node), maxSize(node) ?? Number.POSITIVE_INFINITY];
      for (const value of samples) {
        const bytes = fast.encode(value);
        same(bytes, slow.encode(value), 'bytes of both modes');
        if (bytes.length < least || bytes.length > most)
          throw new Error(`${bytes.length} bytes of ${least}..${most}`);
        same(fast.size(value), bytes.length, 'size');
        same(fast.decode(bytes), value, 'compiled value');
        same(slow.decode(bytes), value, 'no-eval value');
        for (const codec of [fast, slow])
          for (const room of [0, 400]) {
            const target = new Uint8Array(7 + bytes.length + room).fill(0xee);
            same(codec.encodeInto(value, target, 7), 7 + bytes.length, 'end');
            same(target.subarray(7, 7 + bytes.length), bytes, 'bytes in place');
            same(codec.decodePrefix(target, 7), { value, end: 7 + bytes.length }, 'prefix');
          }
        same(
          fast.encodeFrame(value, { bytes: 'varint' }).subarray(-bytes.length || Number.MAX_SAFE_INTEGER),
          bytes,
          'frame',
        );
        values++;
      }
    }),
    { ...RUNS, numRuns: 600 },
  );
  t.ok(values >= 600, `${values} values`);
});

type Told = {
  readonly kind: string;
  readonly path: string;
  readonly offset: number | undefined;
  readonly got: string;
};
const told = (result: SafeResult<unknown>): unknown => {
  if (result.ok) return result;
  const { kind, path, offset, got }: Told = result.error;
  return { kind, path, offset, got };
};

t.test('any bytes end in a value or a PostcardError, the same in every mode', async (t) => {
  let inputs = 0;
  let accepted = 0;
  const edits = fc.array(
    fc.tuple(
      fc.constantFrom('set', 'cut', 'insert', 'flip'),
      fc.nat(),
      fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xc0, 0xff),
    ),
    { minLength: 1, maxLength: 4 },
  );
  const mutated = (
    bytes: Uint8Array,
    changes: readonly (readonly [string, number, number])[],
  ): Uint8Array => {
    let list = [...bytes];
    for (const [how, where, byte] of changes) {
      const at = where % (list.length + 1);
      if (how === 'cut') list = list.slice(0, at);
      else if (how === 'insert') list.splice(at, 0, byte);
      else if (how === 'set') list[at] = byte;
      else list[at] = (list[at] ?? 0) ^ (1 << (byte & 7));
    }
    return Uint8Array.from(list);
  };
  fc.assert(
    fc.property(
      schemaAndValues,
      fc.array(edits, { minLength: 20, maxLength: 20 }),
      ([node, samples], changes) => {
        const schema = schemaOf<unknown>(node);
        const [fast, slow] = [compile(schema, { mode: 'compiled' }), compile(schema, { mode: 'no-eval' })];
        for (const change of changes) {
          inputs++;
          const bytes = mutated(fast.encode(samples[inputs % samples.length]), change);
          const result = fast.safeDecode(bytes);
          same(told(result), told(slow.safeDecode(bytes)), 'outcome of both modes');
          if (!result.ok) continue;
          accepted++;
          same(fast.decode(slow.encode(result.value)), result.value, 'what was accepted');
        }
      },
    ),
    { ...RUNS, numRuns: Math.ceil(FUZZ / 20) },
  );
  t.ok(inputs >= FUZZ, `${inputs} inputs, ${accepted} of them accepted`);
});

t.test('any value ends in bytes or a PostcardError, the same in every mode', async (t) => {
  let refused = 0;
  const attempt = (run: () => Uint8Array): unknown => {
    try {
      return run();
    } catch (thrown) {
      if (!(thrown instanceof PostcardError)) throw thrown;
      refused++;
      return { kind: thrown.kind, path: thrown.path, got: thrown.got };
    }
  };
  fc.assert(
    fc.property(
      schemaAndValues,
      fc.anything({ withBigInt: true, withMap: true, withTypedArray: true }),
      ([node], value) => {
        const schema = schemaOf<unknown>(node);
        const [fast, slow] = [compile(schema, { mode: 'compiled' }), compile(schema, { mode: 'no-eval' })];
        same(
          attempt(() => fast.encode(value)),
          attempt(() => slow.encode(value)),
          'outcome of both modes',
        );
      },
    ),
    { ...RUNS, numRuns: 1000 },
  );
  t.ok(refused > 500, `${refused} refusals`);
});
