import t from 'tap';
import { codecsOf, MODES } from '../../testing/modes.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import { type Codec, compile, p } from '../index.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

t.test('the same bytes are read as they are now, whatever they were the last time', async (t) => {
  const codec = compile(p.struct({ id: p.u8, data: p.bytes }));
  const chunk = Buffer.from('0102 aabb 0201 cc'.replaceAll(' ', ''), 'hex');
  for (const id of [1, 2, 3, 4]) {
    chunk[0] = id;
    t.same(codec.decodePrefix(chunk), { value: { id, data: bytes('aabb') }, end: 4 });
    t.same(codec.decodePrefix(chunk, 4), { value: { id: 2, data: bytes('cc') }, end: 7 });
  }
  const own = bytes('0102 aabb');
  for (const _ of 'four') t.same(codec.decode(own), { id: 1, data: bytes('aabb') });
  t.match(
    refusalOf(() => codec.decode(own.subarray(0, 3))),
    { kind: 'DeserializeUnexpectedEnd' },
    'a part of it is another input',
  );
  t.match(
    refusalOf(() => codec.decode(new Int8Array(own.buffer) as never)),
    { kind: 'BadSchema' },
    'another view of its memory is none of bytes',
  );
  for (const _ of 'four') codec.decode(own);
  structuredClone(own, { transfer: [own.buffer as ArrayBuffer] });
  t.match(
    refusalOf(() => codec.decode(own)),
    { kind: 'DeserializeUnexpectedEnd', offset: 0 },
    'what was given away holds nothing',
  );
});

for (const length of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
  t.test(`a length of ${length} bytes is read up to the end, and refused a byte before it`, async (t) => {
    const data = new Uint8Array(length).fill(7);
    for (const mode of MODES) {
      const [codec] = await codecsOf(mode, [p.bytes as never]);
      const written = (codec as Codec<unknown>).encode(data);
      t.equal(Buffer.compare((codec as Codec<Uint8Array>).decode(written), data), 0, mode);
      const head = written.length - length;
      for (const cut of [...Array(head).keys(), written.length - 1])
        t.match(
          refusalOf(() => codec?.decode(written.subarray(0, cut))),
          { kind: 'DeserializeUnexpectedEnd' },
          `${mode}: ${cut} bytes of it`,
        );
    }
  });

/** As the wire format says it, without any haste. */
const varint = (value: bigint): readonly number[] =>
  value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];

t.test(
  'numbers of every number of bits are written as varints, into memory of the codec or of the caller',
  async (t) => {
    for (const mode of MODES) {
      const codecs = await codecsOf(mode, [p.u64.bigint, p.u64, p.u32] as never[]);
      for (const [i, codec] of codecs.entries())
        for (let bits = 0n; bits < ([64n, 53n, 32n][i] ?? 0n); bits++)
          for (const big of [1n << bits, (1n << bits) + ((1n << bits) >> 1n), (2n << bits) - 1n]) {
            const value = i === 0 ? big : Number(big);
            t.same([...codec.encode(value)], varint(big), `${mode}: ${big}`);
            const target = new Uint8Array(30).fill(0xee);
            const end = codec.encodeInto(value, target, 3);
            t.same(
              [...target],
              [238, 238, 238, ...varint(big), ...Array(30 - end).fill(238)],
              `${mode}: ${big} into`,
            );
          }
    }
  },
);

t.test('a u64 of every number of bits is read, with and without bytes behind it', async (t) => {
  const powers = Array.from({ length: 64 }, (_, bits) => 1n << BigInt(bits));
  const values = powers.flatMap((power) => [power - 1n, power, power + (power >> 1n), 2n * power - 1n]);
  const Behind = p.struct({ value: p.u64.bigint, behind: p.byteArray(8) });
  for (const mode of MODES) {
    const [alone, before] = await codecsOf(mode, [p.u64.bigint as never, Behind as never]);
    for (const value of values)
      for (const byte of [0, 0x7f, 0x80, 0xff]) {
        const both = { value, behind: new Uint8Array(8).fill(byte) };
        t.same(before?.decode(before.encode(both)), both, `${mode}: ${value} before ${byte}`);
        t.equal(alone?.decode(alone.encode(value)), value, `${mode}: ${value}`);
      }
  }
});
