import t, { type Test } from 'tap';
import { codecsOf, MODES } from '../../testing/modes.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import { type Codec, compile, p, type Schema } from '../index.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const Shape = p.struct({ points: p.seq(p.struct({ value: p.u8, label: p.option(p.str) })) });

const inEveryMode = (
  claim: string,
  schema: Schema<never>,
  run: (codec: Codec<unknown>, t: Test) => void,
): void => {
  for (const mode of MODES)
    t.test(`${mode}: ${claim}`, async (t) => {
      const [codec] = await codecsOf(mode, [schema]);
      run(codec as Codec<unknown>, t);
    });
};

inEveryMode('a run of messages into one buffer lies there back to back', Shape as never, (codec, t) => {
  const value = { points: [{ value: 1, label: 'one' }] };
  const alone = hex(codec.encode(value));
  const target = new Uint8Array(400);
  let end = 0;
  let count = 0;
  for (; end + alone.length / 2 <= target.length; count++) end = codec.encodeInto(value, target, end);
  t.equal(hex(target.subarray(0, end)), alone.repeat(count));
  const refused = (given: unknown, offset: number) =>
    refusalOf(() => codec.encodeInto(given, target, offset));
  t.match(refused(value, end), { kind: 'SerializeBufferFull' }, 'and a full one says so');
  t.match(refused(value, -1), { kind: 'BadSchema' });
  t.match(refused({ points: [{ value: 999, label: null }] }, 0), { path: 'points[0].value' });
  codec.encodeInto(value, target, 0);
  const long = { points: [{ value: 1, label: 'x'.repeat(500) }] };
  t.match(refused(long, 0), { kind: 'SerializeBufferFull' }, 'nor does one fit that grows too long');
  codec.encodeInto(value, target, 0);
  structuredClone(target, { transfer: [target.buffer] });
  t.match(refused(value, 0), { kind: 'SerializeBufferFull' }, 'nor any into memory given away');
});

inEveryMode('a message that outgrew a target leaves the pool as it was', Shape as never, (codec, t) => {
  const value = { points: [{ value: 7, label: 'seven' }] };
  const before = codec.encode(value);
  const long = { points: [{ value: 1, label: 'x'.repeat(70_000) }] };
  const target = new Uint8Array(1000);
  codec.encodeInto(value, target, 0);
  t.match(
    refusalOf(() => codec.encodeInto(long, target, 0)),
    { kind: 'SerializeBufferFull' },
  );
  const after = codec.encode(value);
  t.equal(hex(after), hex(before));
  t.equal(after.buffer.byteLength, before.buffer.byteLength, 'in memory of the same kind');
  t.same(codec.decode(codec.encodeFrame(long).subarray(4)), long);
});

inEveryMode('a message lies behind 2 GiB of a target as anywhere', Shape as never, (codec, t) => {
  const value = { points: [{ value: 1, label: 'one' }] };
  const alone = hex(codec.encode(value));
  const offset = 2 ** 31 - 3;
  const target = new Uint8Array(2 ** 31 + 1000);
  const end = codec.encodeInto(value, target, codec.encodeInto(value, target, offset));
  t.equal(hex(target.subarray(offset, end)), alone.repeat(2));
});

t.test('a codec whose limit lies beyond 32 bits writes the same', async (t) => {
  const value = { points: [{ value: 1, label: 'state' }] };
  const alone = hex(compile(Shape).encode(value));
  t.equal(hex(compile(Shape, { limits: { bytes: 2 ** 40 } }).encode(value)), alone);
  const long = { points: Array.from({ length: 30_000 }, () => ({ value: 1, label: 'x'.repeat(9) })) };
  const codec = compile(Shape, { limits: { bytes: 2 ** 40 } });
  t.same(codec.decode(codec.encode(long)), long);
});

inEveryMode(
  'a message cut anywhere ends unexpectedly, whatever lies behind it',
  p.struct({
    ...{ a: p.u8, b: p.bool, c: p.option(p.u64), d: p.names('X', 'Y'), e: p.enum({ U: p.unit, V: p.i32 }) },
    ...{ f: p.u16, g: p.char, h: p.seq(p.unit), i: p.map(p.u8, p.i64), j: p.bytes },
  }) as never,
  (codec, t) => {
    const value = {
      ...{ a: 1, b: true, c: 2 ** 40, d: 'Y', e: { tag: 'V', value: -70_000 }, f: 300, g: '€' },
      ...{ h: [undefined, undefined], i: new Map([[1, -(2 ** 33)]]), j: new Uint8Array([1, 2]) },
    };
    const whole = codec.encode(value).slice();
    const before = hex(whole);
    for (let length = 0; length < whole.length; length++) {
      const cut = new Uint8Array(whole.length).fill(length % 2);
      cut.set(whole.subarray(0, length));
      for (const input of [cut.subarray(0, length), whole.subarray(0, length), whole.slice(0, length)])
        t.match(
          refusalOf(() => codec.decode(input)),
          { kind: 'DeserializeUnexpectedEnd' },
          `at ${length}`,
        );
    }
    t.same(codec.decode(whole), value);
    t.equal(hex(whole), before);
  },
);
