import t from 'tap';
import { backoffWait } from '../../../reference-impl/backoff/schedule.ts';
import { rngFor } from '../../../reference-impl/machine/rng.ts';
import {
  dialing,
  fault,
  judged,
  type Line,
  lost,
  over,
  place,
  registered,
  SCHEDULE,
} from '../testing/small-run.ts';

const HOME = place({ 'home/a': 'pool' });
const says = (clause: string, ...lines: readonly Line[]) =>
  judged(['comeback', 'backoff'], [...HOME, ...lines]).get(clause);

t.test('whoever is back within the time allowed passes, whoever is not does not', async (t) => {
  t.match(says('BACK-1', lost(10, 'home/a'), registered(12, 'home/a', 4001), over(40)), {
    verdict: 'pass',
    exercised: 1,
  });
  t.match(says('BACK-1', lost(10, 'home/a'), registered(18, 'home/a', 4001), over(40)), {
    verdict: 'fail',
    got: 'home/a after 8000 ms',
    blame: 'target',
  });
  t.match(says('BACK-1', lost(10, 'home/a'), over(40)), { verdict: 'fail', got: 'home/a is still away' });
});

t.test('time counts from when the path was there again', async (t) => {
  const back = registered(18, 'home/a', 4001);
  const away = [...fault(1, 'outage', '', 10, 14), lost(10, 'home/a')];
  t.equal(says('BACK-1', ...away, back, over(40))?.verdict, 'pass', 'the relay was away');
  const reboot = [...fault(1, 'nat reboot', 'home', 10, 14), lost(10, 'home/a')];
  t.equal(says('BACK-1', ...reboot, back, over(40))?.verdict, 'pass', 'its NAT was away');
  const other = [...fault(1, 'nat reboot', 'train', 10, 14), lost(10, 'home/a')];
  t.equal(says('BACK-1', ...other, back, over(40))?.verdict, 'fail', 'the NAT of another site was');
});

t.test('nothing is said of those who were never there, left, or have no time left', async (t) => {
  t.equal(says('BACK-1', over(40))?.verdict, 'not-applicable', 'nobody lost');
  t.equal(says('BACK-1', lost(36, 'home/a'), over(40))?.verdict, 'not-applicable', 'its time is not over');
  t.equal(
    says('BACK-1', lost(10, 'home/a'), [11, 'home/a', { type: 'client.stopped' }], over(40))?.verdict,
    'not-applicable',
  );
  t.equal(
    says('BACK-1', lost(10, 'home/stranger'), over(40))?.verdict,
    'not-applicable',
    'it declares no schedule',
  );
  const never = HOME.filter(([, , { type }]) => type !== 'client.registered');
  const findings = judged(['comeback'], [...never, lost(2, 'home/a'), lost(9, 'home/a', 1), over(40)]);
  t.equal(findings.get('BACK-1')?.verdict, 'not-applicable', 'it was never registered');
  t.equal(judged(['comeback'], []).get('BACK-1')?.verdict, 'not-applicable', 'an empty trace');
});

t.test("waits outside the declared envelope are the harness's own doing", async (t) => {
  const wait = (seconds: number, attempt = 0) => [
    lost(10, 'home/a', attempt),
    dialing(10 + seconds, 'home/a', attempt),
  ];
  t.equal(says('BACKOFF-1', ...wait(0.2), over(40))?.verdict, 'pass');
  t.match(says('BACKOFF-1', ...wait(0.05), over(40)), {
    verdict: 'fail',
    blame: 'harness',
    got: /50 ms at attempt 0/,
  });
  t.equal(says('BACKOFF-1', ...wait(4, 9), over(40))?.verdict, 'pass', 'the cap');
  t.equal(says('BACKOFF-1', lost(10, 'home/a'), over(40))?.verdict, 'not-applicable', 'cut before the dial');
  t.match(
    says('BACKOFF-1', ...wait(2), over(40)),
    { verdict: 'inconclusive', blame: 'environment' },
    "late is the machine's doing",
  );
});

/** From 9 s to 20 s the machine has no time to spare. */
const BUSY: readonly Line[] = Array.from({ length: 44 }, (_, n) => [
  9 + (n + 1) / 4,
  'runner',
  { type: 'machine.busy', millis: 250 },
]);

t.test('what a machine without time to spare made late tells nothing', async (t) => {
  const late = [lost(10, 'home/a'), registered(18, 'home/a', 4001), over(40)];
  t.match(says('BACK-1', ...BUSY, ...late), { verdict: 'inconclusive', blame: 'environment' });
  t.match(says('BACK-1', ...BUSY, lost(10, 'home/a'), over(40)), { verdict: 'fail' }, 'never is never');
  const slow = [lost(10, 'home/a'), dialing(12, 'home/a'), over(40)];
  t.match(says('BACKOFF-1', ...BUSY, ...slow), { verdict: 'inconclusive' });
});

t.test('many late waits are a busy machine, unless even the most punctual ones are late', async (t) => {
  const names = Array.from({ length: 40 }, (_, i) => `home/c${i}`);
  const run = (wait: (index: number) => number, besides: readonly Line[] = []) =>
    judged(
      ['backoff'],
      [
        ...besides,
        ...place(Object.fromEntries(names.map((who) => [who, 'event' as const]))),
        ...names.flatMap((who, i) => [lost(10, who), dialing(10 + wait(i), who)]),
        over(40),
      ],
    ).get('BACKOFF-1');
  // each says 200 ms
  t.match(
    run((i) => (i % 4 === 0 ? 0.45 + i / 1000 : 0.2)),
    { verdict: 'inconclusive', blame: 'environment' },
    'a quarter of them, the others as they said',
  );
  t.match(
    run((i) => 0.4 + i / 1000),
    { verdict: 'fail', blame: 'harness' },
    'all of them',
  );
  t.match(
    run((i) => 0.4 + i / 1000, BUSY),
    { verdict: 'inconclusive', blame: 'environment' },
    'all of them, on a busy machine',
  );
  t.match(
    run((i) => (i === 7 ? 0.05 : 0.2)),
    { verdict: 'fail', blame: 'harness' },
    'early is always wrong',
  );
});

t.test('the count starts again after a healthy registration only', async (t) => {
  const twice = (lived: number, attempt: number) => [
    lost(10, 'home/a', 0),
    registered(11, 'home/a', 4001),
    lost(11 + lived, 'home/a', attempt),
    over(60),
  ];
  t.equal(says('BACKOFF-2', ...twice(5, 0))?.verdict, 'pass');
  t.equal(says('BACKOFF-2', ...twice(1, 1))?.verdict, 'pass');
  t.match(says('BACKOFF-2', ...twice(1, 0)), { verdict: 'fail', blame: 'harness' });
  t.match(says('BACKOFF-2', ...twice(5, 1)), {
    verdict: 'fail',
    got: 'attempt 1 after a registration of 5000 ms',
  });
  t.equal(
    says('BACKOFF-2', ...twice(3.01, 1))?.verdict,
    'not-applicable',
    'near the healthy time either is right',
  );
});

/** A fleet that is lost together at 10 s, an outage of 4 s, and everybody's next dials. */
const fleet = (size: number, dial: (index: number) => number): readonly Line[] => {
  const names = Array.from({ length: size }, (_, i) => `home/c${i}`);
  return [
    ...place(Object.fromEntries(names.map((who) => [who, 'event' as const]))),
    ...fault(1, 'outage', '', 10, 14),
    ...names.flatMap((who, i) => [lost(10, who), dialing(dial(i), who)]),
    over(40),
  ];
};

t.test('a herd is found, a spread fleet is not', async (t) => {
  const herd = (lines: readonly Line[]) => judged(['comeback'], lines);
  const verdicts = (lines: readonly Line[]) =>
    [...herd(lines).values()].filter(({ clause }) => clause === 'HERD-1').map(({ verdict }) => verdict);
  t.same(verdicts(fleet(60, () => 14.05)), ['fail'], 'all at once');
  t.same(verdicts([...BUSY, ...fleet(60, () => 14.05)]), ['inconclusive'], 'all at once, on a busy machine');
  const rng = rngFor(1, 'fleet');
  const schedule = { ...SCHEDULE, triesMax: Number.POSITIVE_INFINITY };
  const spread = fleet(60, () => {
    let at = 10;
    for (let attempt = 0; at < 14; attempt++) at += backoffWait(schedule, attempt, rng) / 1000;
    return at;
  });
  t.same(verdicts(spread), ['pass'], 'by the schedule');
  t.same(verdicts(fleet(49, () => 14.05)), ['not-applicable'], 'too few to be a herd');
  const calm = fleet(60, () => 14.05).map(
    ([at, who, event]): Line =>
      event.type === 'schedule.declared' ? [at, who, { ...event, jitter: 0 }] : [at, who, event],
  );
  t.same(verdicts(calm), ['not-applicable'], 'a fleet that declares no jitter');
});
