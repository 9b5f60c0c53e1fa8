import fc from 'fast-check';
import t from 'tap';
import { refusalOf } from '../../testing/refusal-of.ts';
import { cobsMaxLength, decodeCobsInto, encodeCobsInto } from './cobs.ts';

const SEED = Number(process.env.RELAYLAB_SEED ?? 20_261_121);
t.comment(`fast-check seed ${SEED}: run again with RELAYLAB_SEED=${SEED}`);
const RUNS = { seed: SEED, endOnFailure: false, numRuns: 600 } as const;

/** The definition, byte by byte. */
const plainly = (body: Uint8Array): readonly number[] => {
  const frame: number[] = [];
  let block: number[] = [];
  const end = (): void => {
    frame.push(block.length + 1, ...block);
    block = [];
  };
  for (const byte of body) {
    if (byte === 0) end();
    else if (block.push(byte) === 254) end();
  }
  end();
  return [...frame, 0];
};

/** Bodies of up to several blocks, with no, few or many zeros. */
const body = fc
  .tuple(fc.integer({ min: 0, max: 1100 }), fc.constantFrom(0, 1, 30, 128, 255), fc.integer())
  .map(([length, zeros, seed]) => {
    let state = seed | 1;
    return Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      const byte = (state >>> 16) & 0xff;
      return byte < zeros ? 0 : byte || 1;
    });
  });

const SMALL_BYTES = 1 << 13;
const LARGE_BYTES = (1 << 20) + (1 << 13);
/** Memory of every kind, used again by every run: what is remembered of one must not be taken for another. */
const MEMORIES: readonly ArrayBufferLike[] = [
  new ArrayBuffer(SMALL_BYTES),
  new ArrayBuffer(SMALL_BYTES),
  new ArrayBuffer(LARGE_BYTES),
  new ArrayBuffer(LARGE_BYTES),
  new ArrayBuffer(SMALL_BYTES, { maxByteLength: LARGE_BYTES }),
  new SharedArrayBuffer(SMALL_BYTES),
];
const memory = fc.nat(MEMORIES.length - 1).map((i) => MEMORIES[i] as ArrayBufferLike);
const place = fc.nat(40);

t.test('a frame is that of the definition, wherever body and frame lie', async (t) => {
  fc.assert(
    fc.property(body, memory, memory, place, place, place, (of, from, to, at, begin, offset) => {
      if (from === to) return;
      const input = new Uint8Array(from, at, of.length);
      input.set(of);
      const room = offset + cobsMaxLength(of.length);
      const before = new Uint8Array(to, 0, begin + offset).fill(7);
      const after = new Uint8Array(to, begin + room).fill(7, 0, 64);
      const target = new Uint8Array(to, begin, room);
      const end = encodeCobsInto(input, target, offset);
      const frame = Array.from(target.subarray(offset, end));
      if (frame.join() !== plainly(of).join()) throw new Error(`${frame} of ${of}`);
      if (before.some((byte) => byte !== 7)) throw new Error('something before the frame was written');
      if (after.subarray(0, 64).some((byte) => byte !== 7))
        throw new Error('something beyond the target was written');
      const back = new Uint8Array(frame.length);
      if (back.subarray(0, decodeCobsInto(target.subarray(offset, end), back)).join() !== of.join())
        throw new Error(`${of} does not come back`);
    }),
    RUNS,
  );
  t.pass('as the definition');
});

t.test('body and frame may lie in one buffer', async (t) => {
  const memory = new Uint8Array(4096);
  const of = new Uint8Array(1000).map((_, i) => (i % 300) + 1);
  const input = memory.subarray(3000, 3000 + of.length);
  input.set(of);
  const end = encodeCobsInto(input, memory.subarray(0, 3000), 10);
  t.same(Array.from(memory.subarray(10, end)), plainly(of));
});

t.test('a buffer that was given away is not written to', async (t) => {
  const given = new Uint8Array(2048);
  const of = new Uint8Array(500).fill(3);
  encodeCobsInto(of, given);
  const taken = new Uint8Array(structuredClone(given.buffer, { transfer: [given.buffer] }));
  taken.fill(9);
  t.match(
    refusalOf(() => encodeCobsInto(of, given)),
    { kind: 'SerializeBufferFull' },
  );
  t.ok(taken.every((byte) => byte === 9));
});

t.test('a body beyond a GiB is refused before anything is written', async (t) => {
  const refusal = refusalOf(() => encodeCobsInto(new Uint8Array(2 ** 30 + 1), new Uint8Array(0)));
  t.match(refusal, { kind: 'FrameTooLong', expected: 'a body of at most 1073741824 bytes' });
});
