import fc from 'fast-check';
import t from 'tap';
import { YamuxError } from './errors.ts';
import { encodeFrame } from './frame.ts';
import { YamuxSession } from './session.ts';
import { joined, spoken, transmitted } from './spoken.ts';
import { type Plan, run } from './virtual-link.ts';
import type { SessionInput, SessionOutput } from './vocabulary.ts';

const SEED = 0x59_4d_58;
const RUNS = { seed: SEED, endOnFailure: false } as const;
t.comment(`fast-check seed ${SEED}`);

/** Mostly plausible frames on few streams, some absurd: what a buggy or hostile peer may send. */
const frameBytes = fc
  .record({
    type: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(0, 1, 2, 3) },
      { weight: 1, arbitrary: fc.nat(255) },
    ),
    flags: fc.oneof({ weight: 8, arbitrary: fc.nat(15) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
    stream: fc.constantFrom(0, 1, 1, 2, 3, 3, 5, 0xffff_ffff),
    length: fc.oneof(
      { weight: 12, arbitrary: fc.nat(300) },
      { weight: 1, arbitrary: fc.constantFrom(262_144, 0xffff_ffff) },
    ),
  })
  .map(({ type, flags, stream, length }) => {
    const header = encodeFrame({ type: type as 0, flags, stream, length });
    return type === 0 && length <= 300 ? joined([header, new Uint8Array(length).fill(stream)]) : header;
  });
const peerBytes = fc.oneof(
  { weight: 6, arbitrary: fc.array(frameBytes, { maxLength: 40 }).map(joined) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);
const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });

/** Everything a session says to these chunks, adjacent data of one stream joined, and all it transmits. */
const told = (chunks: readonly Uint8Array[]): { events: string[]; wire: string } => {
  const session = new YamuxSession({ role: 'server' });
  const outputs: SessionOutput[] = [];
  const act = (input: SessionInput): void => {
    const answers = session.handle(0, input);
    outputs.push(...answers);
  };
  act({ type: 'open', stream: session.nextStream() });
  for (const bytes of chunks) act({ type: 'bytes', bytes });
  act({ type: 'ended' });
  for (const output of outputs)
    if (output.type === 'failed' && !(output.error instanceof YamuxError)) throw output.error;
  const events: string[] = [];
  let last: { stream: number; bytes: number } | undefined;
  for (const output of outputs) {
    if (output.type === 'transmit') continue;
    if (output.type === 'data' && last?.stream === output.stream) {
      last.bytes += output.bytes.length;
      events[events.length - 1] = `data ${last.stream}: ${last.bytes}`;
    } else if (output.type === 'data') {
      last = { stream: output.stream, bytes: output.bytes.length };
      events.push(`data ${last.stream}: ${last.bytes}`);
    } else {
      last = undefined;
      events.push(...spoken([output]));
    }
  }
  return { events, wire: transmitted(outputs).toHex() };
};

const cutBy = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
};

t.test('any chunking of any bytes gives the same events and the same answer', async (t) => {
  let failures = 0;
  fc.assert(
    fc.property(peerBytes, cuts, (bytes, sizes) => {
      const whole = told([bytes]);
      const cut = told(cutBy(bytes, sizes));
      if (whole.events.some((event) => event.startsWith('failed'))) failures++;
      return JSON.stringify(whole) === JSON.stringify(cut);
    }),
    { ...RUNS, numRuns: 3_000 },
  );
  t.ok(failures > 100, `refusals are among them (${failures})`);
});

t.test('any bytes give events or a typed failure, never a throw', async (t) => {
  let failed = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
      const { events } = told([noise]);
      if (events.some((event) => event.startsWith('failed'))) failed++;
    }),
    { ...RUNS, numRuns: 3_000 },
  );
  t.ok(failed > 1_000, `most noise is refused (${failed})`);
});

const plan: fc.Arbitrary<Plan> = fc.record({
  seed: fc.nat(),
  streams: fc.integer({ min: 1, max: 6 }),
  bytesMax: fc.constantFrom(0, 1, 5_000, 300_000, 700_000),
  latency: fc.nat(60),
  stallPercent: fc.nat(30),
  roomMax: fc.constantFrom(20, 4_000, 70_000, 1_000_000),
  segmentMax: fc.constantFrom(7, 1_500, 65_536),
  windowBytes: fc.constantFrom(262_144, 300_000, 1_048_576),
  readMax: fc.constantFrom(1_000, 100_000, 1_000_000),
});

t.test('over any slow, stalling link every byte arrives, credit is kept, and both ends finish', async (t) => {
  let bytes = 0;
  fc.assert(
    fc.property(plan, (chosen) => {
      // A byte at a time over 700 kB is the same case, only slower.
      const tiny = chosen.roomMax < 1_000 || chosen.segmentMax < 100;
      const result = run(tiny ? { ...chosen, bytesMax: Math.min(chosen.bytesMax, 5_000) } : chosen);
      bytes += result.bytes;
      return result.problems.length === 0 || t.comment(result.problems.join('\n'));
    }),
    { ...RUNS, numRuns: 60 },
  );
  t.ok(bytes > 1_000_000, `${bytes} bytes carried`);
});
