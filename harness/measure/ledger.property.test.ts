import fc from 'fast-check';
import t from 'tap';
import { Ledger, type Span } from './ledger.ts';
import { payload } from './payload.ts';

const SEED = 20_261_121;
const TUNNEL = 77;
const START = 32;

/** Feeds the bytes in pieces as long as `cuts` says, again and again. */
const read = (bytes: Uint8Array, cuts: readonly number[]) => {
  const ledger = new Ledger(TUNNEL, 'down', START);
  const spans: Span[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = cuts[i % cuts.length] ?? bytes.length;
    spans.push(...ledger.push(bytes.subarray(at, at + size)));
    at += size;
  }
  spans.push(...ledger.finish());
  return { ledger, spans };
};
const total = (spans: readonly Span[], state: Span['state']): number =>
  spans.reduce((sum, span) => sum + (span.state === state ? span.length : 0), 0);
const mine = (from: number, to: number): Uint8Array => payload(TUNNEL, 'down', START + from, to - from);
const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });
/** Where the wrong thing happens, how long it is, and how much follows. */
const places = fc.record({
  before: fc.integer({ min: 0, max: 2_000 }),
  length: fc.integer({ min: 1, max: 2_000 }),
  after: fc.integer({ min: 64, max: 2_000 }),
});
const always = (
  holds: (place: { before: number; length: number; after: number }, cuts: readonly number[]) => void,
) => fc.assert(fc.property(places, cuts, holds), { seed: SEED, numRuns: 300 });
const equal = (found: unknown, wanted: unknown): void => {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
};

t.test('bytes as they were sent are intact, however they are cut', async () => {
  always(({ before, length }, cuts) => {
    const { ledger, spans } = read(mine(0, before + length), cuts);
    equal(
      [ledger.received, ledger.intact, ledger.offset, spans],
      [before + length, before + length, START + before + length, []],
    );
  });
});

t.test('a hole is one lost span of its length at its place, however the rest is cut', async () => {
  always(({ before, length, after }, cuts) => {
    const bytes = join(mine(0, before), mine(before + length, before + length + after));
    const { ledger, spans } = read(bytes, cuts);
    equal([spans.length, total(spans, 'lost')], [1, length]);
    // Bytes behind the hole may happen to be the ones that were expected: then it is seen a little later.
    const late = (spans[0]?.offset ?? 0) - (START + before);
    if (late < 0 || late > 8) throw new Error(`hole seen ${late} bytes late`);
    equal([ledger.intact, ledger.offset], [before + after, START + before + length + after]);
  });
});

t.test('a repetition is counted byte for byte', async () => {
  always(({ before, length, after }, cuts) => {
    const [twice, end] = [before + length, before + length + after];
    const { ledger, spans } = read(join(mine(0, twice), mine(before, end)), cuts);
    // A piece shorter than two words may be taken for a change in place: it is wrong in any case.
    equal(total(spans, 'lost'), 0);
    if (length >= 32) equal(total(spans, 'repeated'), length);
    equal(ledger.intact + total(spans, 'repeated') + total(spans, 'foreign'), ledger.received);
  });
});

t.test('two pieces in the wrong order are a hole, and what fills it later', async () => {
  always(({ before, length, after }, cuts) => {
    if (length < 64 || after < 64) return;
    const [second, end] = [before + length, before + length + after];
    const bytes = join(mine(0, before), mine(second, end), mine(before, second), mine(end, end + 64));
    const { spans } = read(bytes, cuts);
    // Bytes at a seam may happen to be the ones that were expected, and the last few of a piece may be too few to be read.
    const moved = total(spans, 'reordered') + total(spans, 'repeated') + total(spans, 'foreign');
    for (const found of [total(spans, 'lost'), moved])
      if (Math.abs(found - length) > 8) throw new Error(`${found} lost or moved, wanted ${length}`);
    if (total(spans, 'foreign') > 32) throw new Error(`${total(spans, 'foreign')} foreign`);
  });
});

t.test('bytes of another tunnel are foreign, and it is said whose they are', async () => {
  always(({ before, length, after }, cuts) => {
    if (length < 64) return;
    const strange = payload(TUNNEL + 1, 'up', 4_096, length);
    const { spans } = read(join(mine(0, before), strange, mine(before, before + after)), cuts);
    const foreign = total(spans, 'foreign');
    if (foreign > length || foreign < length - 16) throw new Error(`${foreign} foreign, wanted ${length}`);
    if (spans[0]?.from.startsWith(`${TUNNEL + 1}/up/4`) !== true) throw new Error(`from ${spans[0]?.from}`);
  });
});

t.test('a flipped bit costs a byte, and the rest is intact', async () => {
  always(({ before, after }, cuts) => {
    const bytes = mine(0, before + after).slice();
    bytes[before] = (bytes[before] ?? 0) ^ 0x10;
    const { ledger, spans } = read(bytes, cuts);
    equal(
      spans.map(({ offset, length, state }) => ({ offset, length, state })),
      [{ offset: START + before, length: 1, state: 'foreign' }],
    );
    equal(ledger.intact, before + after - 1);
  });
});

t.test('any bytes at all end in finite time, and every one is intact or named', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }), cuts, (parts, cuts) => {
      const bytes = join(...parts.flatMap((part, i) => [part, mine(i * 100, i * 100 + 50)]));
      const { ledger, spans } = read(bytes, cuts);
      const named = total(spans, 'foreign') + total(spans, 'repeated') + total(spans, 'reordered');
      equal(ledger.received, bytes.length);
      if (ledger.intact + named !== bytes.length)
        throw new Error(`${ledger.intact} + ${named} of ${bytes.length}`);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
