import t, { type Test } from 'tap';
import { codecsOf, MODES } from '../../testing/modes.ts';
import { refusalOf } from '../../testing/refusal-of.ts';
import { type Codec, compile, type Limits, p, type Schema } from '../index.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const Shape = p.struct({ points: p.seq(p.struct({ value: p.u8, label: p.option(p.str) })) });
type Tree = { name: string; children: Tree[] };
const Tree: Schema<Tree> = p.struct({ name: p.str, children: p.seq(p.lazy(() => Tree)) });

const inEveryMode = (
  claim: string,
  schema: Schema<never>,
  run: (codec: Codec<unknown>, t: Test) => void,
  limits: Partial<Limits> = {},
): void => {
  for (const mode of MODES)
    t.test(`${mode}: ${claim}`, async (t) => {
      const [codec] = await codecsOf(mode, [schema], { limits });
      run(codec as Codec<unknown>, t);
    });
};

inEveryMode('refusals of bytes name kind, path and offset', Shape as never, (codec, t) => {
  t.match(
    refusalOf(() => codec.decode(bytes('02 05 00 06 01 05 6869'))),
    {
      kind: 'DeserializeUnexpectedEnd',
      path: 'points[1].label',
      offset: 6,
    },
  );
  t.match(
    refusalOf(() => codec.decode(bytes('01 05 02'))),
    {
      kind: 'DeserializeBadOption',
      path: 'points[0].label',
      offset: 2,
      expected: '00 or 01',
      got: '02',
      message: /^DeserializeBadOption at points\[0\].label \(byte 2\): expected 00 or 01, got 02 - /,
    },
  );
  t.match(
    refusalOf(() => codec.decode(bytes('00 07'))),
    { kind: 'DeserializeTrailingBytes', offset: 1 },
  );
  const inside = Buffer.from('ffffff010502', 'hex').subarray(3);
  t.match(
    refusalOf(() => codec.decode(inside)),
    { offset: 2 },
    'offsets count from the input, not its buffer',
  );
  t.match(codec.safeDecode(bytes('01')), { ok: false, error: { kind: 'DeserializeUnexpectedEnd' } });
  t.same(codec.safeDecode(bytes('00')), { ok: true, value: { points: [] } });
});

inEveryMode('refusals of values name the path', Shape as never, (codec, t) => {
  const refused: readonly (readonly [unknown, string, RegExp])[] = [
    [
      {
        points: [
          { value: 1, label: null },
          { value: 256, label: null },
        ],
      },
      'points[1].value',
      /number 256/,
    ],
    [{ points: [{ value: '1', label: null }] }, 'points[0].value', /string "1"/],
    [{ points: [{ value: 1, label: 5 }] }, 'points[0].label', /number 5/],
    [{ points: [{ value: 1, label: '\ud800' }] }, 'points[0].label', /well-formed/],
    [{ points: {} }, 'points', /object/],
    [{ points: 'ab' }, 'points', /string/],
    [{}, 'points', /undefined/],
    [null, '', /null/],
    [undefined, '', /undefined/],
  ];
  for (const [value, path, message] of refused)
    t.match(
      refusalOf(() => codec.encode(value)),
      { kind: 'SerializeBadValue', path, message },
    );
  t.equal(hex(codec.encode({ points: [] })), '00', 'a refusal leaves nothing behind');
});

const Alike = p.struct({ length: p.u8, inner: p.option(p.struct({ note: p.option(p.u8) })) });

inEveryMode('what is no object is no struct, whatever properties it has', Alike as never, (codec, t) => {
  const refused: readonly (readonly [unknown, string])[] = [
    ['ab', ''],
    [7n, ''],
    [{ length: 1, inner: 5 }, 'inner'],
    [{ length: 1, inner: true }, 'inner'],
  ];
  for (const [value, path] of refused)
    t.match(
      refusalOf(() => codec.encode(value)),
      { kind: 'SerializeBadValue', path },
    );
  t.equal(hex(codec.encode({ length: 2, inner: { note: 3 } })), '02010103');
});

inEveryMode('encodeInto writes in place and says when there is no room', Shape as never, (codec, t) => {
  const value = { points: [{ value: 7, label: 'x'.repeat(300) }] };
  const size = codec.size(value);
  t.equal(size, 305);
  for (const room of [size, size + 1, 2 * size, 5000]) {
    const target = new Uint8Array(room + 2).fill(9);
    t.equal(codec.encodeInto(value, target, 2), size + 2);
    t.same(codec.decode(target.subarray(2, size + 2)), value);
    t.ok(target.subarray(0, 2).every((byte) => byte === 9));
  }
  t.match(
    refusalOf(() => codec.encodeInto(value, new Uint8Array(size - 1))),
    { kind: 'SerializeBufferFull' },
  );
  t.match(
    refusalOf(() => codec.encodeInto(value, new Uint8Array(5), 6)),
    { kind: 'BadSchema' },
  );
  t.match(
    refusalOf(() => codec.decode('00' as never)),
    { kind: 'BadSchema' },
  );
});

inEveryMode('what was written never changes, however much follows', p.bytes.copy as never, (codec, t) => {
  const sizes = [0, 1, 100, 5_000, 65_000, 70_000, 300_000, 3];
  const written = sizes.map((size, i) => codec.encode(new Uint8Array(size).fill(i)));
  const frames = sizes.map((size, i) => codec.encodeFrame(new Uint8Array(size).fill(i), { bytes: 'varint' }));
  sizes.forEach((size, i) => {
    t.same(codec.decode(written[i] as Uint8Array), new Uint8Array(size).fill(i));
    const frame = frames[i] as Uint8Array;
    t.same(frame.subarray(frame.length - (written[i]?.length ?? 0)), written[i]);
  });
});

inEveryMode('a frame has the prefix that was asked for', p.str as never, (codec, t) => {
  const prefixes = [
    [{ bytes: 1 }, '03'],
    [{ bytes: 2, endian: 'le' }, '0300'],
    [{ bytes: 4, endian: 'be' }, '00000003'],
    [{ bytes: 8, endian: 'le' }, '0300000000000000'],
    [{ bytes: 'varint' }, '03'],
  ] as const;
  for (const [prefix, head] of prefixes) t.equal(hex(codec.encodeFrame('hi', prefix)), `${head}026869`);
  t.equal(hex(codec.encodeFrame('hi')), '00000003026869');
  t.match(
    refusalOf(() => codec.encodeFrame('x'.repeat(300), { bytes: 1 })),
    { kind: 'FrameTooLong' },
  );
});

const Blobs = p.seq(p.struct({ name: p.str, data: p.bytes, key: p.byteArray(64) }));

inEveryMode(
  'parts are the message, with long byte arrays left where they are',
  Blobs as never,
  (codec, t) => {
    const blob = (size: number, name = 'x'): object => ({
      name,
      data: new Uint8Array(size).fill(size % 251),
      key: new Uint8Array(64).fill(3),
    });
    const tables: readonly (readonly [values: readonly object[], pieces: number])[] = [
      [[], 1],
      [[blob(99)], 1],
      [[blob(100)], 3],
      [[blob(100_000), blob(5), blob(200)], 5],
      [[blob(300), blob(300, 'y'.repeat(70_000))], 5],
    ];
    for (const [values, pieces] of tables) {
      const whole = codec.encode(values);
      const parts = codec.encodeParts(values, { from: 100 });
      t.equal(parts.length, pieces);
      t.same(Buffer.concat(parts), Buffer.from(whole));
      for (const one of values as readonly { readonly data: Uint8Array }[])
        t.equal(parts.includes(one.data), one.data.length >= 100, 'a long one is a piece itself');
      const framed = codec.encodeParts(values, { from: 100, prefix: { bytes: 4 } });
      t.same(Buffer.concat(framed), Buffer.from(codec.encodeFrame(values)), 'behind its length');
    }
    t.same(codec.encodeParts([blob(4096)]).length, 3, '4096 bytes are long by default');
    t.same(
      Buffer.concat(codec.encodeParts([blob(200)], { from: 1 })),
      Buffer.from(codec.encode([blob(200)])),
    );
    t.match(
      refusalOf(() => codec.encodeParts([blob(300), { name: 1 }], { from: 100 })),
      { kind: 'SerializeBadValue', path: '[1].name' },
    );
    t.match(
      refusalOf(() => codec.encodeParts([], { from: 0 })),
      { kind: 'BadSchema' },
    );
    t.match(
      refusalOf(() => codec.encodeParts([blob(300)], { from: 100, prefix: { bytes: 1 } })),
      { kind: 'FrameTooLong' },
    );
    t.same(codec.decode(codec.encode([blob(300)])), [blob(300)], 'later messages are whole');
  },
);

inEveryMode(
  'what is left where it is counts for limits.bytes',
  Blobs as never,
  (codec, t) => {
    const of = (size: number): unknown => [{ name: '', data: new Uint8Array(size), key: new Uint8Array(64) }];
    t.equal(Buffer.concat(codec.encodeParts(of(200), { from: 10 })).length, 268);
    t.match(
      refusalOf(() => codec.encodeParts(of(300), { from: 10 })),
      { kind: 'LimitBytes' },
    );
  },
  { bytes: 300 },
);

inEveryMode('a getter may encode in the middle of an encode', Shape as never, (codec, t) => {
  const inner = { points: [{ value: 1, label: 'inner'.repeat(50) }] };
  let seen = '';
  const outer = {
    points: Array.from({ length: 40 }, (_, i) => ({
      value: i,
      get label() {
        seen = hex(codec.encode(inner));
        codec.encodeInto(inner, new Uint8Array(1000));
        return 'outer'.repeat(30);
      },
    })),
  };
  const written = codec.encode(outer);
  t.equal(seen, hex(codec.encode(inner)));
  t.same(codec.decode(written), {
    points: outer.points.map(({ value }) => ({ value, label: 'outer'.repeat(30) })),
  });
  const target = new Uint8Array(20_000);
  const end = codec.encodeInto(outer, target);
  t.same(target.subarray(0, end), written, 'in the middle of encodeInto, too');
  const kept = codec.encode(inner);
  codec.encode(outer);
  t.equal(hex(kept), seen);
  const cause = new Error('of the getter');
  t.throws(
    () =>
      codec.encode({
        get points() {
          throw cause;
        },
      }),
    cause,
    'what a getter throws stays what it is',
  );
  t.equal(hex(codec.encode({ points: [] })), '00');
});

inEveryMode('recursion ends at its limit in both directions', Tree as never, (codec, t) => {
  const nested = (depth: number): Tree => ({ name: '', children: depth === 0 ? [] : [nested(depth - 1)] });
  t.same(codec.decode(codec.encode(nested(128))), nested(128));
  t.match(
    refusalOf(() => codec.encode(nested(129))),
    { kind: 'LimitDepth' },
  );
  t.match(
    refusalOf(() => codec.decode(bytes(`${'0001'.repeat(129)}0000`))),
    { kind: 'LimitDepth' },
  );
  t.match(
    refusalOf(() => codec.decode(bytes('0001'.repeat(100_000)))),
    { kind: 'LimitDepth' },
  );
  const cycle: Tree = { name: '', children: [] };
  cycle.children.push(cycle);
  t.match(
    refusalOf(() => codec.encode(cycle)),
    { kind: 'LimitDepth' },
  );
});

inEveryMode(
  'a depth that the stack cannot hold is refused, too',
  Tree as never,
  (codec, t) => {
    t.match(
      refusalOf(() => codec.decode(bytes('0001'.repeat(1_000_000)))),
      { kind: /LimitDepth|UnexpectedEnd/ },
    );
    t.same(codec.decode(bytes('0000')), { name: '', children: [] });
  },
  { depth: 1e9 },
);

inEveryMode(
  'messages beyond limits.bytes are neither read nor written',
  p.seq(p.str) as never,
  (codec, t) => {
    t.equal(codec.encode(['x'.repeat(98)]).length, 100);
    t.match(
      refusalOf(() => codec.encode(['x'.repeat(99)])),
      { kind: 'LimitBytes' },
    );
    t.match(
      refusalOf(() => codec.encode(['x'.repeat(1_000_000)])),
      { kind: 'LimitBytes' },
    );
    t.match(
      refusalOf(() => codec.encodeInto(['x'.repeat(99)], new Uint8Array(1000))),
      { kind: 'LimitBytes' },
    );
    t.match(
      refusalOf(() => codec.decode(new Uint8Array(101))),
      { kind: 'LimitBytes' },
    );
  },
  { bytes: 100 },
);

inEveryMode(
  'collections beyond their limits are refused',
  p.tuple(p.seq(p.u8), p.seq(p.seq(p.unit))) as never,
  (codec, t) => {
    t.same(codec.decode(bytes('03 010203 01 03')), [[1, 2, 3], [[undefined, undefined, undefined]]]);
    t.match(
      refusalOf(() => codec.decode(bytes('04 01020304 00'))),
      { kind: 'LimitItems', path: '[0]' },
    );
    t.match(
      refusalOf(() => codec.decode(bytes('00 03 03 03 03'))),
      { kind: 'LimitItems', path: '[1][2]' },
    );
    t.match(
      refusalOf(() => codec.decode(bytes('00 01 ffffffffffffffffff01'))),
      { kind: 'LimitItems' },
    );
  },
  { items: 3, emptyItems: 8 },
);

t.test('nested lengths that claim more than the input allocate nothing in advance', async (t) => {
  // each of 100 levels claims as many children as there are bytes: together 100 times the input
  const input = Buffer.concat([...Array(100).fill(Buffer.from('00ffff3f', 'hex')), Buffer.alloc(1 << 20, 1)]);
  for (const mode of MODES) {
    const [codec] = await codecsOf(mode, [Tree as Schema<never>]);
    const before = process.memoryUsage();
    t.equal(codec?.safeDecode(input).ok, false, mode);
    const after = process.memoryUsage();
    const grown = after.heapTotal + after.arrayBuffers - before.heapTotal - before.arrayBuffers;
    t.ok(grown < 64 << 20, `${grown >> 20} MiB more`);
  }
});

t.test('bytes are views of the input, or copies where asked for', async (t) => {
  const input = bytes('0102');
  const view = compile(p.bytes).decode(input);
  const copy = compile(p.bytes.copy).decode(input);
  input[1] = 9;
  t.same([view[0], copy[0]], [9, 2]);
});

t.test('endless types and impossible limits are refused when compiled', async (t) => {
  type Endless = { next: Endless };
  const Endless: Schema<Endless> = p.struct({ next: p.lazy(() => Endless) });
  t.match(
    refusalOf(() => compile(Endless)),
    { kind: 'BadSchema' },
  );
  t.match(
    refusalOf(() => compile(p.u8, { limits: { depth: -1 } })),
    { kind: 'BadSchema', path: 'limits.depth' },
  );
  t.match(
    refusalOf(() => p.struct({ 1: p.u8 })),
    { kind: 'BadSchema', message: /"1"/ },
  );
  t.match(
    refusalOf(() => p.array(p.u8, 1.5)),
    { kind: 'BadSchema' },
  );
  t.match(
    refusalOf(() => p.names('a', 'a')),
    { kind: 'BadSchema' },
  );
});
