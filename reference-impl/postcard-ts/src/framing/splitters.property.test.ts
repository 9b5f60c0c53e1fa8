import fc from 'fast-check';
import t from 'tap';
import { refusalOf } from '../../testing/refusal-of.ts';
import {
  CobsAccumulator,
  CobsSplitter,
  encodeCobs,
  LengthPrefixed,
  lengthPrefixed,
  type Prefix,
  type Splitter,
} from '../index.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);
const RUNS = { seed: SEED, endOnFailure: false, numRuns: 400 } as const;
const PREFIXES: readonly Prefix[] = ([1, 2, 4, 8] as const)
  .flatMap((bytes): Prefix[] => [
    { bytes, endian: 'le' },
    { bytes, endian: 'be' },
  ])
  .concat({ bytes: 'varint' });

const body = fc.oneof(
  fc.uint8Array({ maxLength: 250 }),
  fc
    .tuple(fc.constantFrom(0, 1, 255), fc.integer({ min: 0, max: 255 }))
    .map(([byte, n]) => new Uint8Array(n).fill(byte)),
);
const bodies = fc.array(body, { maxLength: 8 });
const cuts = fc.array(fc.nat(40), { minLength: 1, maxLength: 20 });

/** A stream cut into chunks of the given sizes, over and over; some may be empty. */
const chunked = (stream: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] => {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = Math.max(sizes[i % sizes.length] ?? 1, i > 500 ? 64 : 0);
    chunks.push(stream.slice(at, at + size));
    at += size;
  }
  return chunks;
};
const splitBy = (splitter: Splitter, chunks: readonly Uint8Array[]): readonly string[] => {
  const frames = chunks
    .flatMap((chunk) => splitter.push(chunk))
    .map((frame) => Buffer.from(frame).toString('hex'));
  splitter.end();
  return frames;
};
const hexes = (list: readonly Uint8Array[]): readonly string[] =>
  list.map((one) => Buffer.from(one).toString('hex'));

t.test('length-prefixed frames come out as they went in, however chunks fall', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...PREFIXES), bodies, cuts, (prefix, list, sizes) => {
      const stream = Buffer.concat(list.map((one) => lengthPrefixed(one, prefix)));
      const got = splitBy(new LengthPrefixed(prefix), chunked(stream, sizes));
      if (got.join() !== hexes(list).join()) throw new Error(`${got} is not ${hexes(list)}`);
    }),
    RUNS,
  );
  t.same(splitBy(new LengthPrefixed(), [Uint8Array.of(0, 0, 0, 0, 0, 0), Uint8Array.of(0, 0)]), ['', '']);
});

t.test('COBS frames come out as they went in, however chunks fall', async (t) => {
  let frames = 0;
  fc.assert(
    fc.property(bodies, cuts, (list, sizes) => {
      const stream = Buffer.concat(list.map(encodeCobs));
      const got = splitBy(new CobsSplitter(), chunked(stream, sizes));
      if (got.join() !== hexes(list).join()) throw new Error(`${got} is not ${hexes(list)}`);
      frames += got.length;
    }),
    RUNS,
  );
  t.ok(frames > 500, `${frames} frames`);
});

t.test('a frame that grows too long is reported once, and the next one read', async (t) => {
  let overflows = 0;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 600 }), body, cuts, (long, next, sizes) => {
      fc.pre(next.length < 30);
      const stream = Buffer.concat([encodeCobs(long.map((byte) => byte || 1)), encodeCobs(next)]);
      const accumulator = new CobsAccumulator({ max: 40 });
      const events = chunked(stream, sizes).flatMap((chunk) => accumulator.push(chunk));
      const told = events.map((one) => (one.type === 'frame' ? hexes([one.body])[0] : one.error.kind));
      if (told.join() !== ['FrameTooLong', ...hexes([next])].join()) throw new Error(String(told));
      overflows++;
    }),
    RUNS,
  );
  t.ok(overflows > 100, `${overflows} overflows`);
});

t.test('a stream cannot go on after a length beyond its limit', async (t) => {
  t.match(
    refusalOf(() => new LengthPrefixed({ max: 10 }).push(Uint8Array.of(0, 0, 0, 11))),
    { kind: 'FrameTooLong' },
  );
  t.match(
    refusalOf(() => new LengthPrefixed({ bytes: 8 }).push(new Uint8Array(8).fill(255))),
    { kind: 'FrameTooLong' },
  );
  const varint = new LengthPrefixed({ bytes: 'varint' });
  t.match(
    refusalOf(() => varint.push(new Uint8Array(10).fill(255))),
    { kind: 'DeserializeBadVarint' },
  );
  t.same(new LengthPrefixed({ max: 10 }).push(Uint8Array.of(0, 0, 0, 10)), []);
  t.match(
    refusalOf(() => new LengthPrefixed({ bytes: 3 as 4 })),
    { kind: 'BadSchema' },
  );
  t.match(
    refusalOf(() => new LengthPrefixed({ max: -1 })),
    { kind: 'BadSchema' },
  );
});

t.test('the end inside a frame is told', async (t) => {
  for (const part of [[0], [0, 0, 0, 2], [0, 0, 0, 2, 7]]) {
    const splitter = new LengthPrefixed();
    splitter.push(Uint8Array.from(part));
    t.match(
      refusalOf(() => splitter.end()),
      { kind: 'FrameTruncated' },
    );
    t.equal(splitter.pendingBytes > 0, true);
  }
  const cobs = new CobsAccumulator();
  cobs.push(Uint8Array.of(3, 1));
  t.equal(cobs.pendingBytes, 2);
  t.match(
    refusalOf(() => cobs.end()),
    { kind: 'FrameTruncated' },
  );
});

t.test('a bad COBS frame goes to its callback, or ends the stream', async (t) => {
  const kinds: string[] = [];
  const splitter = new CobsSplitter({ onBadFrame: (error) => kinds.push(error.kind) });
  t.same(hexes(splitter.push(Uint8Array.of(9, 1, 0, 2, 7, 0))), ['07']);
  t.same(kinds, ['DeserializeBadEncoding']);
  t.match(
    refusalOf(() => new CobsSplitter().push(Uint8Array.of(9, 1, 0))),
    { kind: 'DeserializeBadEncoding' },
  );
});
