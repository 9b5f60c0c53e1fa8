import fc from 'fast-check';
import t from 'tap';
import { rngFor } from '../machine/rng.ts';
import { Backoff, backoffStep, backoffWait, DEFAULT_SCHEDULE, type Schedule } from './schedule.ts';

const PLAIN: Schedule = {
  baseMillis: 100,
  factor: 2,
  capMillis: 1_000,
  jitter: 0,
  healthyMillis: 5_000,
  triesMax: Number.POSITIVE_INFINITY,
};

for (const { name, schedule, steps } of [
  { name: 'doubles up to the cap', schedule: PLAIN, steps: [100, 200, 400, 800, 1_000, 1_000] },
  { name: 'a factor of 1 stays', schedule: { ...PLAIN, factor: 1 }, steps: [100, 100, 100] },
  { name: 'a factor between steps', schedule: { ...PLAIN, factor: 1.5 }, steps: [100, 150, 225, 337.5] },
  {
    name: 'a base above the cap is the cap',
    schedule: { ...PLAIN, baseMillis: 5_000 },
    steps: [1_000, 1_000],
  },
  { name: 'a base of 0 never waits', schedule: { ...PLAIN, baseMillis: 0 }, steps: [0, 0, 0] },
] as const) {
  t.test(name, (t) => {
    t.strictSame(
      steps.map((_, attempt) => backoffStep(schedule, attempt)),
      steps,
    );
    t.end();
  });
}

t.test('a step far out is the cap, at once', (t) => {
  t.equal(backoffStep(DEFAULT_SCHEDULE, 1_000_000), DEFAULT_SCHEDULE.capMillis);
  t.end();
});

t.test(
  'a wait lies in ((1 - jitter) * step, step], whole milliseconds, and the same seed draws the same',
  (t) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(12),
        fc.nat(),
        (baseMillis, jitter, attempt, seed) => {
          const schedule = { ...DEFAULT_SCHEDULE, baseMillis, jitter };
          const step = backoffStep(schedule, attempt);
          const wait = backoffWait(schedule, attempt, rngFor(seed, 'a'));
          return (
            Number.isInteger(wait) &&
            wait >= Math.floor(step * (1 - jitter)) &&
            wait <= Math.ceil(step) &&
            wait === backoffWait(schedule, attempt, rngFor(seed, 'a'))
          );
        },
      ),
      { seed: 20_261_121, numRuns: 2_000 },
    );
    t.pass('2,000 draws, seed 20261121');
    t.end();
  },
);

t.test('jitter spreads a fleet over its whole share', (t) => {
  const waits = Array.from({ length: 500 }, (_, i) =>
    backoffWait(DEFAULT_SCHEDULE, 4, rngFor(7, `client-${i}`)),
  );
  const step = backoffStep(DEFAULT_SCHEDULE, 4);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  t.ok(Math.min(...waits) < step * 0.52 && Math.max(...waits) > step * 0.98, 'both edges are reached');
  t.ok(Math.abs(mean - step * 0.75) < step * 0.02, `mean ${mean} of ${step}`);
  t.end();
});

t.test('failures in a row count up, and give up after triesMax', (t) => {
  const backoff = new Backoff({ ...PLAIN, triesMax: 3 }, rngFor(1, 'a'));
  t.equal(backoff.attempt, 0);
  t.strictSame([backoff.failed(0), backoff.failed(1), backoff.failed(2)], [100, 200, 400]);
  t.equal(backoff.attempt, 3);
  t.equal(backoff.failed(3), undefined);
  t.equal(backoff.attempt, 3, 'giving up is no further wait');
  t.end();
});

t.test('the count starts again after a connection that stayed healthy long enough, not before', (t) => {
  for (const [livedMillis, wait] of [
    [4_999, 200],
    [5_000, 100],
  ] as const) {
    const backoff = new Backoff(PLAIN, rngFor(1, 'a'));
    backoff.failed(0);
    backoff.succeeded(1_000);
    t.equal(backoff.failed(1_000 + livedMillis), wait, `${livedMillis} ms`);
  }
  t.end();
});

t.test('a healthy time counts once: the attempt after it may fail without a new start', (t) => {
  const backoff = new Backoff(PLAIN, rngFor(1, 'a'));
  backoff.succeeded(0);
  t.strictSame([backoff.failed(10_000), backoff.failed(20_000), backoff.failed(90_000)], [100, 200, 400]);
  t.end();
});

t.test('healthyMillis 0: any success starts again', (t) => {
  const backoff = new Backoff({ ...PLAIN, healthyMillis: 0 }, rngFor(1, 'a'));
  backoff.failed(0);
  backoff.failed(0);
  backoff.succeeded(5);
  t.equal(backoff.failed(5), 100);
  t.end();
});

t.test('a schedule without a limit of tries is still one after a trip through JSON', (t) => {
  const read: Schedule = JSON.parse(JSON.stringify(DEFAULT_SCHEDULE));
  t.same(read, DEFAULT_SCHEDULE);
  const backoff = new Backoff(read, rngFor(1, 'a'));
  for (let i = 0; i < 50; i++) t.type(backoff.failed(i), 'number', 'it tries again');
  t.end();
});
