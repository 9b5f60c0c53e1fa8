import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { codecsOf } from '../../testing/modes.ts';
import { type Codec, p, type Schema } from '../index.ts';
import { directSource } from './direct-source.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);

const NUMBERS = {
  ...{ bool: p.bool, u8: p.u8, i8: p.i8, u16: p.u16, i16: p.i16, u32: p.u32, i32: p.i32 },
  ...{ f32: p.f32, f64: p.f64, u64: p.u64 },
};
const Mixed = p.struct({ ...NUMBERS, ['__proto__']: p.u8, pair: p.tuple(p.u64, p.struct({ x: p.f64 })) });

const shared = (levels: number): Schema<unknown> =>
  Array.from({ length: levels }).reduce<Schema<unknown>>(
    (of) => p.tuple(of, of) as Schema<unknown>,
    p.struct({}),
  );

for (const [what, schema, isDirect] of [
  ['numbers', Mixed, true],
  ['a tuple of numbers', p.tuple(p.u8, p.f32), true],
  ['nothing', p.struct({}), true],
  ['one number', p.u32, false],
  ['a string among numbers', p.struct({ a: p.u8, b: p.str }), false],
  ['a bigint among numbers', p.struct({ a: p.u8, b: p.u64.bigint }), false],
  ['a signed wide number', p.struct({ a: p.i64 }), false],
  ['an option', p.struct({ a: p.option(p.u8) }), false],
  ['47 numbers', p.tuple(...Array.from({ length: 47 }, () => p.u8)), true],
  ['48 numbers', p.tuple(...Array.from({ length: 48 }, () => p.u8)), false],
  ['2^60 of nothing', shared(60), false],
] as const)
  t.test(`${what}: read ${isDirect ? 'directly' : 'by the decoder'}`, async (t) => {
    t.equal(directSource((schema as Schema<unknown>).node) !== undefined, isDirect);
  });

const outcome = (codec: Codec<unknown>, bytes: Uint8Array): unknown => {
  const result = codec.safeDecode(bytes);
  if (result.ok) return result.value;
  const { kind, path, offset, expected, got } = result.error;
  return { kind, path, offset, expected, got };
};

const schemas = fc
  .array(fc.constantFrom(...Object.entries(NUMBERS)), { maxLength: 9 })
  .map(
    (parts) => p.struct(Object.fromEntries(parts.map(([name, of], i) => [name + i, of]))) as Schema<unknown>,
  );
/** Bytes as varints have them, and any; each count of them as likely as another. */
const inputs = fc.array(
  fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 15, 16, 127, 128, 255), fc.nat(255)), { maxLength: 40 }),
  { minLength: 40, maxLength: 40 },
);

t.test('any bytes are read, or refused, as closures read and refuse them', async (t) => {
  const counted = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(schemas, inputs, async (schema, all) => {
      const [compiled, closures] = await Promise.all(
        (['compiled', 'no-eval'] as const).map(async (mode) => (await codecsOf(mode, [schema]))[0]),
      );
      for (const input of all) {
        // in the middle of others, which are none of it
        const memory = Buffer.from([255, 255, ...input, 1, 1, 1, 1]);
        const whole = memory.subarray(2, 2 + input.length);
        // as much as closures find a value in, if they do
        const found = closures?.decodePrefix.bind(closures);
        let end = input.length;
        try {
          end = found?.(whole).end ?? end;
          counted.read++;
        } catch {
          counted.refused++;
        }
        for (const bytes of [whole, whole.subarray(0, end), whole.subarray(0, Math.max(0, end - 1))]) {
          const [one, other] = [outcome(compiled as never, bytes), outcome(closures as never, bytes)];
          if (!isDeepStrictEqual(one, other))
            throw new Error(`${bytes.toString('hex')}: ${fc.stringify(one)} is not ${fc.stringify(other)}`);
        }
      }
    }),
    { seed: SEED, numRuns: 250, endOnFailure: false },
  );
  t.comment(`${counted.read} read, ${counted.refused} refused`);
  t.ok(counted.read > 1000 && counted.refused > 1000);
});

t.test('limits and what may follow hold for what is read directly', async (t) => {
  const Pair = p.tuple(p.u8, p.u8) as never;
  const three = Uint8Array.of(1, 2, 3);
  for (const mode of ['compiled', 'emitted'] as const) {
    const [narrow] = await codecsOf(mode, [Pair], { limits: { bytes: 1 } });
    t.match(outcome(narrow as never, three.subarray(0, 2)), { kind: 'LimitBytes' }, mode);
    const [lax] = await codecsOf(mode, [Pair], { trailing: 'ignore' });
    t.same(outcome(lax as never, three), [1, 2], mode);
    const [strict] = await codecsOf(mode, [Pair]);
    t.match(outcome(strict as never, three), { kind: 'DeserializeTrailingBytes', offset: 2 }, mode);
    t.match(outcome(strict as never, [1, 2] as never), { kind: 'BadSchema' }, mode);
    t.same(outcome(strict as never, new Uint8Array(new SharedArrayBuffer(2))), [0, 0], mode);
  }
});
