import t from 'tap';
import { fromHex } from '../testing/hex.ts';
import { pack, packedBytesMax, unpack, unpackedBytes } from './packing.ts';
import { MessageReader } from './reader.ts';
import { Scratch } from './scratch.ts';

const LIMIT = 4_096;
/** Unpacked words as 16 hex digits each, packed without any run. */
const packedOf = (...words: readonly string[]): Uint8Array => {
  const source = new Scratch(LIMIT);
  source.bytes.set(fromHex(words.join('')));
  const out = new Scratch();
  return out.bytes.slice(0, pack(source, 0, words.length * 8, out, 0));
};
const word = (low: number, high: number): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(low | 0, 0);
  bytes.writeInt32LE(high | 0, 4);
  return bytes.toString('hex');
};
const DATA = 1;
const far = (pad: number, segment: number): string => word((pad << 3) | 2, segment);
const doubleFar = (pad: number, segment: number): string => word((pad << 3) | 6, segment);
const root = word(0, 0x10000);

const read = (packed: Uint8Array): Uint8Array => {
  const reader = new MessageReader({ unpackedBytesMax: LIMIT });
  return reader.data(reader.load(packed), 0);
};

t.test('what a peer packs can neither grow beyond its bound nor end half way', async (t) => {
  const bomb = new Uint8Array(2 ** 20).fill(255).map((_, i) => (i % 2 === 0 ? 0 : 255));
  const out = new Scratch(64);
  t.throws(() => unpack(bomb, out, LIMIT), { code: 'PACKED_TOO_LONG' });
  t.equal(out.bytes.length, 64, 'nothing was allocated for it');
  t.equal(unpackedBytes(fromHex('00ff'), 2_048), 2_048, 'just at the limit');
  t.throws(() => unpackedBytes(fromHex('00ff'), 2_047), { code: 'PACKED_TOO_LONG' }, 'just over it');
  for (const cut of ['00', '01', 'ff0102030405060708', 'ff010203', 'ff010203040506070801', '7f0102'])
    t.throws(() => unpackedBytes(fromHex(cut), LIMIT), { code: 'PACKED_TRUNCATED' }, cut);
});

t.test('every kind of word survives packing, next to every other', async (t) => {
  const kinds = [
    '0000000000000000',
    '0100000000000000',
    'ffffffffffffffff',
    '01020304050607ff',
    '0102030405060700',
    '0102030405060000',
    '8080808080808080',
    '0001010101010101',
  ];
  const words = kinds.flatMap((a) => kinds.flatMap((b) => [a, b, a, a]));
  const source = new Scratch(words.length * 8);
  source.bytes.set(fromHex(words.join('')));
  const packed = new Scratch(16);
  const end = pack(source, 0, words.length * 8, packed, 0);
  t.ok(end <= packedBytesMax(words.length * 8));
  const back = new Scratch(16);
  t.equal(unpack(packed.bytes.subarray(0, end), back, 2 ** 16), words.length * 8);
  t.same(back.bytes.subarray(0, words.length * 8), source.bytes.subarray(0, words.length * 8));
});

t.test('runs of 255 words and more are packed in pieces', async (t) => {
  for (const value of [0, 7]) {
    const source = new Scratch(8 * 1_000);
    source.bytes.fill(value);
    const packed = new Scratch(16);
    const end = pack(source, 0, 8_000, packed, 0);
    t.ok(value !== 0 || end === 8, `${end} packed bytes of 1,000 words of ${value}`);
    const back = new Scratch(16);
    unpack(packed.bytes.subarray(0, end), back, 8_000);
    t.same(back.bytes.subarray(0, 8_000), source.bytes.subarray(0, 8_000));
  }
});

t.test('tables and pointers that lead nowhere are refused', async (t) => {
  for (const { name, code, words } of [
    { name: 'nothing', code: 'SEGMENTS', words: [] },
    { name: '512 segments', code: 'SEGMENTS', words: [word(511, 1)] },
    { name: '4 billion segments', code: 'SEGMENTS', words: [word(-1, 1)] },
    { name: 'a table cut short', code: 'SEGMENTS', words: [word(3, 1), word(1, 1)] },
    { name: 'a segment that is not there', code: 'SEGMENTS', words: [word(0, 3), root] },
    { name: 'segments whose sizes wrap', code: 'SEGMENTS', words: [word(1, -1), word(-1, 0), root] },
    { name: 'an empty first segment', code: 'SEGMENTS', words: [word(0, 0)] },
    {
      name: 'a struct before its segment',
      code: 'POINTER',
      words: [word(0, 2), word(-3 << 2, 0x10000), word(0, 0)],
    },
    {
      name: 'a struct behind its segment',
      code: 'POINTER',
      words: [word(0, 2), word(1 << 2, 0x10000), word(0, 0)],
    },
    {
      name: 'a struct of 65,535 pointers',
      code: 'POINTER',
      words: [word(0, 2), word(0, -65_536), word(0, 0)],
    },
    { name: 'a list as root', code: 'POINTER', words: [word(0, 1), word(DATA, 2)] },
    { name: 'a capability as root', code: 'POINTER', words: [word(0, 1), word(3, 0)] },
    { name: 'data of 512 MiB', code: 'POINTER', words: [word(0, 2), root, word(DATA, -6)] },
    {
      name: 'data one byte too long',
      code: 'POINTER',
      words: [word(0, 3), root, word(DATA, (9 << 3) | 2), word(1, 1)],
    },
    {
      name: 'words as data',
      code: 'POINTER',
      words: [word(0, 3), root, word(DATA, (1 << 3) | 5), word(1, 1)],
    },
    { name: 'a struct as data', code: 'POINTER', words: [word(0, 3), root, word(0, 1), word(1, 1)] },
    { name: 'a far pointer to no segment', code: 'POINTER', words: [word(0, 2), root, far(0, 7)] },
    { name: 'a far pointer behind its segment', code: 'POINTER', words: [word(0, 2), root, far(2, 0)] },
    { name: 'a far pointer to itself', code: 'POINTER', words: [word(0, 2), root, far(1, 0)] },
    { name: 'a far pointer as root to itself', code: 'POINTER', words: [word(0, 1), far(0, 0)] },
    { name: 'a double-far pad cut short', code: 'POINTER', words: [word(0, 2), root, doubleFar(1, 0)] },
    {
      name: 'a double-far pad without far pointer',
      code: 'POINTER',
      words: [word(0, 4), root, doubleFar(2, 0), root, root],
    },
    {
      name: 'a double-far pad to a double-far pad',
      code: 'POINTER',
      words: [word(0, 4), root, doubleFar(2, 0), doubleFar(2, 0), root],
    },
    {
      name: 'a double-far object behind its segment',
      code: 'POINTER',
      words: [word(0, 4), root, doubleFar(2, 0), far(4, 0), word(DATA, (1 << 3) | 2)],
    },
  ])
    t.throws(() => read(packedOf(...words)), { code }, name);
});

t.test('511 segments, null pointers and landing pads are read', async (t) => {
  const sizes = [511 - 1, 2, ...new Array<number>(510).fill(0), 0];
  const many = [];
  for (let i = 0; i < sizes.length - 1; i += 2) many.push(word(sizes[i] as number, sizes[i + 1] as number));
  t.same([...read(packedOf(...many.slice(0, 256), root, word(0, 0)))], [], '511 segments');
  t.same([...read(packedOf(word(0, 1), word(0, 0)))], [], 'a null root');
  t.same([...read(packedOf(word(0, 3), root, far(2, 0), word(0, 0)))], [], 'a null landing pad');
  const hi = `6869${'00'.repeat(6)}`;
  const pads = [far(4, 0), word(DATA, (2 << 3) | 2), hi];
  t.same(
    [...read(packedOf(word(0, 5), root, doubleFar(2, 0), ...pads))],
    [0x68, 0x69],
    'a double-far pointer',
  );
});
