import t from 'tap';
import { backoffWait, DEFAULT_SCHEDULE } from '../../reference-impl/backoff/schedule.ts';
import { rngFor } from '../../reference-impl/machine/rng.ts';
import { fitWaits, type Wait } from './fit.ts';
import { medianInterval } from './speed.ts';

const waitsOf = (schedule: typeof DEFAULT_SCHEDULE, each: number, attempts: number): readonly Wait[] => {
  const rng = rngFor(3, 'fit');
  return Array.from({ length: each * attempts }, (_, i) => {
    const attempt = i % attempts;
    return { attempt, waitMicros: backoffWait(schedule, attempt, rng) * 1_000 };
  });
};

t.test('a schedule is found again in the waits it made', async (t) => {
  const table = [
    { baseMillis: 250, factor: 2, capMillis: 4_000, jitter: 0.5 },
    { baseMillis: 1_000, factor: 1.5, capMillis: 10_000, jitter: 0.2 },
    { baseMillis: 100, factor: 3, capMillis: 2_700, jitter: 1 },
  ];
  for (const row of table) {
    const fit = fitWaits(waitsOf({ ...DEFAULT_SCHEDULE, ...row }, 200, 9));
    const near = (got: number | undefined, wanted: number) =>
      Math.abs((got ?? 0) - wanted) <= wanted * 0.04 + 0.005;
    t.ok(near(fit.baseMillis?.value, row.baseMillis), `base ${fit.baseMillis?.value} of ${row.baseMillis}`);
    t.ok(near(fit.factor?.value, row.factor), `factor ${fit.factor?.value} of ${row.factor}`);
    t.ok(near(fit.capMillis?.value, row.capMillis), `cap ${fit.capMillis?.value} of ${row.capMillis}`);
    t.ok(near(fit.jitter?.value, row.jitter), `jitter ${fit.jitter?.value} of ${row.jitter}`);
  }
});

t.test('too few waits claim nothing', async (t) => {
  const nothing = { baseMillis: undefined, factor: undefined, capMillis: undefined, jitter: undefined };
  t.strictSame(fitWaits([]), nothing);
  t.strictSame(fitWaits(waitsOf(DEFAULT_SCHEDULE, 4, 3)), nothing);
});

t.test('without jitter every wait is the step', async (t) => {
  const fit = fitWaits(waitsOf({ ...DEFAULT_SCHEDULE, jitter: 0 }, 10, 4));
  t.equal(fit.jitter?.value, 0);
  t.equal(fit.baseMillis?.value, 250);
  t.equal(fit.capMillis, undefined, 'four doublings of 250 ms do not reach 30 s');
});

t.test('the interval of a median holds it, narrows with agreement and needs four rounds', async (t) => {
  t.strictSame(medianInterval([0.4, 0.5, 0.6]), { median: 0.5, interval: undefined });
  t.strictSame(medianInterval([0.5, 0.5, 0.5, 0.5]), { median: 0.5, interval: [0.5, 0.5] });
  const { median, interval } = medianInterval([0.3, 0.35, 0.4, 0.41, 0.42, 0.43, 0.5, 0.6]);
  t.equal(median.toFixed(3), '0.415');
  t.ok(interval !== undefined && interval[0] < median && interval[1] > median);
  t.ok(interval !== undefined && interval[0] >= 0.3 && interval[1] <= 0.6);
  t.strictSame(
    medianInterval([0.3, 0.35, 0.4, 0.5]),
    medianInterval([0.3, 0.35, 0.4, 0.5]),
    'the same again',
  );
});
