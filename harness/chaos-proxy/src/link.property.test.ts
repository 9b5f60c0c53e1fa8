import fc from 'fast-check';
import t from 'tap';
import { PlayedLink } from '../testing/played-link.ts';
import type { Fault } from './faults/registry.ts';
import { PROFILES } from './profiles.ts';

const SEED = 20_261_121;
t.comment(`fast-check seed ${SEED}`);
const RUNS = { seed: SEED, numRuns: 60 };

/** Faults of every family that acts on bytes, with attributes that bite within a few kilobytes. */
const FAULT: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    kind: fc.constant('latency' as const),
    ms: fc.nat(80),
    jitter: fc.nat(40),
    dist: fc.constantFrom('uniform' as const, 'normal' as const, 'pareto' as const),
    correlation: fc.constantFrom(0, 0.5, 0.9),
  }),
  fc.record({
    kind: fc.constant('bandwidth' as const),
    rate: fc.integer({ min: 5_000, max: 3_000_000 }),
    burst: fc.nat(3000),
    scope: fc.constantFrom('conn' as const, 'link' as const),
  }),
  fc.record({
    kind: fc.constant('slice' as const),
    size: fc.integer({ min: 21, max: 900 }),
    variation: fc.nat(20),
    delayUs: fc.nat(3000),
  }),
  fc.record({ kind: fc.constant('coalesce' as const), windowMs: fc.nat(50) }),
  fc.record({
    kind: fc.constant('cutAfter' as const),
    bytes: fc.nat(9000),
    how: fc.constantFrom('fin' as const, 'rst' as const, 'silent' as const),
  }),
  fc.record({
    kind: fc.constant('cutAfter' as const),
    marker: fc.constantFrom('hex:0102', 'hex:0303', 'hex:000000'),
    occurrence: fc.integer({ min: 1, max: 3 }),
    how: fc.constantFrom('fin' as const, 'rst' as const),
  }),
  fc.record({ kind: fc.constant('slowClose' as const), ms: fc.nat(300) }),
  fc.record({
    kind: fc.constant('stall' as const),
    onMs: fc.nat(60),
    offMs: fc.integer({ min: 1, max: 90 }),
  }),
  fc.record({
    kind: fc.constant('lossLike' as const),
    ratio: fc.constantFrom(0.05, 0.3, 0.7),
    burst: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant('corrupt' as const), ratio: fc.constantFrom(0.2, 1) }),
  fc.record({
    kind: fc.constant('reset' as const),
    when: fc.record({ byte: fc.nat(9000) }),
    afterMs: fc.nat(50),
  }),
);
const WHEN = fc.option(
  fc.oneof(
    fc.record({ afterMillis: fc.nat(100) }),
    fc.record({ byte: fc.nat(5000) }),
    fc.record({ marker: fc.constantFrom('hex:0001', 'hex:03'), occurrence: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ event: fc.constantFrom('accept' as const, 'firstByte' as const, 'fin' as const) }),
  ),
  { nil: undefined },
);
const FAULTS = fc.array(
  fc.tuple(FAULT, WHEN, fc.constantFrom(undefined, 40, 400)).map(
    ([fault, when, forMillis]): Fault => ({
      ...fault,
      ...(when === undefined || 'when' in fault ? {} : { when }),
      ...(forMillis === undefined ? {} : { forMillis }),
    }),
  ),
  { minLength: 1, maxLength: 4 },
);
/** What is written when: (wait in ms, bytes of an alphabet of four so that markers occur). */
const WRITES = fc.array(fc.tuple(fc.nat(40), fc.uint8Array({ minLength: 1, maxLength: 4000, max: 3 })), {
  minLength: 1,
  maxLength: 6,
});

type Story = { readonly fate: string; readonly receipts: string };

/** Plays the writes, each cut at some of its offsets, and tells when each byte and each end came out. */
const play = (
  faults: readonly Fault[],
  writes: readonly (readonly [number, Uint8Array])[],
  cuts: readonly number[],
  seed: number,
): Story => {
  const link = new PlayedLink({ faults, seed, keepaliveMillis: 5000 });
  const { client } = link.open(0);
  let now = 1;
  let cut = 0;
  let struck = false;
  const gone = (): boolean => {
    struck ||= link.rows.some((row) => row.endsWith('client1 reset'));
    return struck;
  };
  for (const [wait, bytes] of writes) {
    now += wait;
    link.until(now);
    for (let at = 0; at < bytes.length; ) {
      const size =
        cuts.length === 0 ? bytes.length : 1 + ((cuts[cut++ % cuts.length] as number) % bytes.length);
      const piece = bytes.subarray(at, Math.min(at + size, bytes.length));
      at += piece.length;
      // A peer that was reset writes no more.
      if (!gone()) link.bytes(now, client, piece);
    }
  }
  if (!gone()) link.end(now + 1, client);
  link.until(1e6);
  const sent = link.sent.map(({ t: at, bytes }) => [...bytes].map((byte) => `${at}:${byte}`).join(' '));
  const ends = link.rows.filter((row) => !/ (send|pause|resume|flush)/.test(row));
  const receipts = link.machine
    .handle(2e6, { type: 'command', command: { do: 'receipts' } })
    .map((output) => (output.type === 'report' ? JSON.stringify(output.event) : ''));
  return { fate: [...sent, ...ends].join(' '), receipts: receipts.join('\n') };
};

t.test(
  'however a stream is cut into segments, every byte and end comes out at the same time, with the same receipts',
  (t) => {
    fc.assert(
      fc.property(
        FAULTS,
        WRITES,
        fc.array(fc.nat(3000), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        (faults, writes, cuts, seed) => {
          const whole = play(faults, writes, [], seed);
          const pieces = play(faults, writes, cuts, seed);
          if (whole.fate !== pieces.fate) return false;
          // What a peer still wrote in the instant of an RST is seen or not, as the segments fall.
          return whole.fate.includes(' reset') || whole.receipts === pieces.receipts;
        },
      ),
      RUNS,
    );
    t.pass('60 links');
    t.end();
  },
);

t.test('the same seed gives the same run, another seed another', (t) => {
  const writes: [number, Uint8Array][] = Array.from({ length: 5 }, (_, i) => [i, new Uint8Array(3000)]);
  for (const name of ['mobile', 'lossy', 'satellite'] as const) {
    const { faults } = PROFILES[name];
    t.same(play(faults, writes, [], 7), play(faults, writes, [], 7), name);
    t.not(play(faults, writes, [], 7).fate, play(faults, writes, [], 8).fate, name);
  }
  t.end();
});

t.test('no fault but corrupt and cuts ever loses, repeats or reorders a byte', (t) => {
  const keeping = FAULTS.map((faults) =>
    faults.filter(({ kind }) => kind !== 'corrupt' && kind !== 'cutAfter' && kind !== 'reset'),
  );
  fc.assert(
    fc.property(keeping, WRITES, fc.nat(), (faults, writes, seed) => {
      const { fate } = play(faults, writes, [], seed);
      const came = [...fate.matchAll(/\d+:(\d)/g)].map((match) => match[1]).join('');
      return came === writes.map(([, bytes]) => [...bytes].join('')).join('') && /upstream1 end$/.test(fate);
    }),
    RUNS,
  );
  t.pass('60 links');
  t.end();
});
