import fc from 'fast-check';
import t from 'tap';
import { millisOf, readDuration } from './duration.ts';

const S = 1_000_000_000n;

/** What humantime reads. */
const READ: readonly (readonly [text: string, nanos: bigint])[] = [
  ['0', 0n],
  ['0s', 0n],
  ['1ns', 1n],
  ['2nanos 3nsec', 5n],
  ['500ms', 500_000_000n],
  ['1s500ms', 1_500_000_000n],
  ['1s 500ms', 1_500_000_000n],
  ['1 s', S],
  ['  1s  ', S],
  ['2h 30min', 9_000n * S],
  ['2hours37min', 9_420n * S],
  ['1.5s', 1_500_000_000n],
  ['0.5us', 500n],
  ['1.5µs', 1_500n],
  ['1.5m', 90n * S],
  ['0.25h', 900n * S],
  ['1.5days', 129_600n * S],
  ['1m', 60n * S],
  ['1M', 2_630_016n * S],
  ['1y', 31_557_600n * S],
  ['1w 1d', 691_200n * S],
  ['3wks', 1_814_400n * S],
  ['18446744073709551615s', 18_446_744_073_709_551_615n * S],
];

/** What it does not, and why. */
const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /empty/],
  ['   ', /empty/],
  ['abc', /^expected number at 0$/],
  ['-1s', /^expected number at 0$/],
  ['1', /^time unit needed, for example 1sec or 1ms$/],
  ['1s 2', /^time unit needed, for example 2sec or 2ms$/],
  ['00', /time unit needed/],
  ['1S', /unknown time unit "S"/],
  ['1 fortnight', /unknown time unit/],
  ['1.5ns', /not exact/],
  ['0.0001us', /not exact/],
  ['0.0001h', /not exact/],
  ['1.s', /invalid character/],
  ['1,5s', /invalid character/],
  ['1s;', /expected number at 2/],
  ['18446744073709551616s', /too large/],
  ['18446744073709551615s 1s', /too large/],
  ['584542046091y', /too large/],
];

t.test('durations read as humantime reads them', async (t) => {
  for (const [text, nanos] of READ) t.same(readDuration(text), { type: 'duration', nanos }, text);
});

t.test('what is no duration is refused with the reason', async (t) => {
  for (const [text, why] of REFUSED) {
    const read = readDuration(text);
    t.match(read.type === 'invalid' ? read.why : read, why, text);
  }
});

t.test('any text is read or refused, and never throws', async (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('0', '1', '9', '.', ' ', 's', 'm', 'n', 'h', 'µ', '-') }),
      (text) => {
        const read = readDuration(text);
        return read.type === 'duration' ? read.nanos >= 0n : read.why.length > 0;
      },
    ),
    { seed: 3, numRuns: 2_000 },
  );
  t.pass('2,000 texts of seed 3');
});

t.test('milliseconds keep their fractions', async (t) => {
  t.equal(millisOf(1_500_000n), 1.5);
  t.equal(millisOf(1n), 1e-6);
  t.equal(millisOf(30n * S), 30_000);
});
