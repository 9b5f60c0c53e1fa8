import t from 'tap';
import { YamuxError } from './errors.ts';
import {
  decodeHeader,
  encodeFrame,
  type FrameHeader,
  FrameReader,
  goAwayCode,
  HEADER_BYTES,
  TYPE,
  U32_MAX,
} from './frame.ts';
import { bytesOf, joined, textOf } from './spoken.ts';

type Row = {
  readonly name: string;
  readonly header: FrameHeader;
  readonly payload: string;
  readonly hex: string;
};
const FRAMES: readonly Row[] = [
  {
    name: 'Data',
    header: { type: 0, flags: 0, stream: 1, length: 3 },
    payload: 'abc',
    hex: '000000000000000100000003616263',
  },
  {
    name: 'Data with SYN and FIN',
    header: { type: 0, flags: 5, stream: 1, length: 9 },
    payload: 'one frame',
    hex: '0000000500000001000000096f6e65206672616d65',
  },
  {
    name: 'empty Data',
    header: { type: 0, flags: 4, stream: 7, length: 0 },
    payload: '',
    hex: '000000040000000700000000',
  },
  {
    name: 'WindowUpdate',
    header: { type: 1, flags: 0, stream: 2, length: 131_085 },
    payload: '',
    hex: '00010000000000020002000d',
  },
  {
    name: 'Ping',
    header: { type: 2, flags: 1, stream: 0, length: 0xdeadbeef },
    payload: '',
    hex: '0002000100000000deadbeef',
  },
  {
    name: 'GoAway',
    header: { type: 3, flags: 0, stream: 0, length: 1 },
    payload: '',
    hex: '000300000000000000000001',
  },
  {
    name: 'largest values and unknown flags',
    header: { type: 1, flags: 0xffff, stream: U32_MAX, length: U32_MAX },
    payload: '',
    hex: '0001ffffffffffffffffffff',
  },
];

/** Reads whole frames out of chunks and says what it saw, pieces of payload joined. */
const read = (chunks: readonly Uint8Array[]): { seen: unknown[]; midFrame: boolean } => {
  const reader = new FrameReader();
  const seen: unknown[] = [];
  let payload: Uint8Array[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let piece = reader.next(); piece !== undefined; piece = reader.next()) {
      if (piece.type === 'header') seen.push(piece.header);
      else payload.push(piece.bytes);
      if (piece.type === 'payload' && piece.last) {
        seen.push(textOf(joined(payload)));
        payload = [];
      }
    }
  }
  return { seen, midFrame: reader.midFrame };
};

const whole = (row: Row): unknown[] => (row.payload === '' ? [row.header] : [row.header, row.payload]);

t.test('every frame is written and read the same', async (t) => {
  for (const row of FRAMES) {
    const bytes = encodeFrame(row.header, bytesOf(row.payload));
    t.equal(bytes.toHex(), row.hex, `${row.name}: bytes`);
    t.same(decodeHeader(bytes, 0, 0), row.header, `${row.name}: header`);
  }
});

t.test('a frame cut at any byte, or at all of them, with others around it, is the same frame', async (t) => {
  for (const row of FRAMES) {
    const bytes = Uint8Array.fromHex(row.hex);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const got = read([bytes.subarray(0, cut), bytes.subarray(cut)]);
      t.same(got, { seen: whole(row), midFrame: false }, `${row.name} cut at ${cut}`);
    }
    const single = [...bytes].map((byte) => Uint8Array.of(byte));
    t.same(read(single).seen, whole(row), `${row.name} byte by byte`);
  }
  const all = joined(FRAMES.map((row) => Uint8Array.fromHex(row.hex)));
  t.same(read([all]).seen, FRAMES.flatMap(whole), 'all in one chunk');
});

t.test('every truncation is known as the middle of a frame', async (t) => {
  for (const row of FRAMES) {
    const bytes = Uint8Array.fromHex(row.hex);
    for (let cut = 1; cut < bytes.length; cut++)
      t.ok(read([bytes.subarray(0, cut)]).midFrame, `${row.name} without its last ${bytes.length - cut}`);
  }
});

t.test('a wrong version or type is refused with its place in the stream', async (t) => {
  const good = Uint8Array.fromHex('000200010000000000000001');
  for (const { hex, code, at } of [
    { hex: '010100010000000100000000', code: 'YAMUX_VERSION', at: 12 },
    { hex: '000400000000000000000000', code: 'YAMUX_TYPE', at: 13 },
    { hex: '00ff00000000000000000000', code: 'YAMUX_TYPE', at: 13 },
  ])
    for (const cut of [0, 5, 12]) {
      const bad = Uint8Array.fromHex(hex);
      try {
        read([good, bad.subarray(0, cut), bad.subarray(cut)]);
        t.fail('was accepted');
      } catch (error) {
        t.ok(error instanceof YamuxError);
        t.match(error, { code, at, fault: 'remote' }, `${hex} cut at ${cut}`);
      }
    }
});

t.test('payload comes as views of the chunk, so a frame of 4 GiB holds nothing', async (t) => {
  const reader = new FrameReader();
  reader.push(encodeFrame({ type: TYPE.data, flags: 0, stream: 1, length: U32_MAX }));
  t.match(reader.next(), { type: 'header', header: { length: U32_MAX }, at: 0 });
  const chunk = new Uint8Array(1_000);
  reader.push(chunk);
  const piece = reader.next();
  t.equal(piece?.type === 'payload' && piece.bytes, chunk, 'the very chunk');
  t.equal(reader.next(), undefined);
  t.equal(reader.offset, HEADER_BYTES + 1_000);
});

t.test('a chunk pushed before the last one is read is our own mistake', async (t) => {
  const reader = new FrameReader();
  reader.push(new Uint8Array(30));
  t.throws(() => reader.push(new Uint8Array(1)), { code: 'YAMUX_CHUNK_UNREAD', fault: 'local' });
});

t.test('GoAway codes beyond the specification are unknown', async (t) => {
  t.same([0, 1, 2, 3, U32_MAX].map(goAwayCode), [
    'normal',
    'protocol error',
    'internal error',
    'unknown',
    'unknown',
  ]);
});
