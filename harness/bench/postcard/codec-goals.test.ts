import t from 'tap';
import { estimate } from '../statistics.ts';
import { codecGoals, growth, judgeCodec, racesOf } from './codec-goals.ts';
import { codecPlan, FULL, QUICK } from './codec-plan.ts';
import { OURS, RIVALS } from './names.ts';
import type { Raced } from './race.ts';

const NATIVE = { program: undefined, folder: '' };

const raced = (
  id: string,
  rows: Readonly<Record<string, readonly number[]>>,
  starts = 1,
  bytes = 10,
): Raced => ({
  ...{ id, title: id, words: '', unit: 'ns', better: 'less', workload: 'A', starts },
  rows: Object.entries(rows).map(([name, values], i) => ({
    ...{ name, own: i === 0, values, estimate: estimate(values), costs: [], failed: 0, why: undefined },
    beside: { bytes: bytes * (i + 1) },
  })),
});

t.test('every goal names a race of the plan and two that run in it', async (t) => {
  const races = codecPlan(NATIVE, QUICK).flatMap((workload) => workload.races);
  for (const goal of codecGoals()) {
    const { race, ours, against, id } = goal;
    for (const of of racesOf(goal))
      t.ok(
        races.some((one) => one.id === of),
        `${id}: ${of}`,
      );
    const found = races.find((one) => one.id === race);
    const names = [...(found?.runners ?? []).map(({ name }) => name), ...Object.keys(found?.absent ?? {})];
    t.ok(names.includes(ours), `${id}: ours`);
    if (against !== undefined) t.ok(names.includes(against), `${id}: theirs, even in the quick run`);
  }
  t.equal(new Set(codecGoals().map(({ id }) => id)).size, codecGoals().length, 'no goal is told twice');
});

t.test('a quick run starts and races nobody that no goal is about', async (t) => {
  const compared = new Set(codecGoals().flatMap(racesOf));
  const [quick, full] = [QUICK, FULL].map((sizes) => codecPlan(NATIVE, sizes));
  for (const { id, races, processes } of quick ?? []) {
    const used = races.flatMap(({ runners }) => runners.map((runner) => runner.process));
    t.strictSame([...new Set(used)].sort(), Object.keys(processes).sort(), `${id}: all that start take part`);
    for (const race of races) {
      t.ok(compared.has(race.id), race.title);
      const whole = full?.flatMap((workload) => workload.races).find((one) => one.id === race.id);
      for (const runner of race.runners) t.ok(whole?.runners.some(({ name }) => name === runner.name));
    }
  }
});

t.test('a goal of speed is theirs over ours, one of cost and of bytes ours over theirs', async (t) => {
  const rounds = (nanos: number): readonly number[] => new Array(9).fill(nanos);
  const goals = judgeCodec([
    raced('A-encode', {
      [OURS.objects]: rounds(100),
      [RIVALS.records]: rounds(600),
      [RIVALS.protobufjs]: rounds(290),
      [RIVALS.native]: rounds(50),
    }),
  ]);
  const of = (against: string, what: string) =>
    goals.find((goal) => goal.against === against && goal.what === what);
  t.match(of(RIVALS.records, 'Write points'), { verdict: 'met', figure: { value: 6 } });
  t.match(of(RIVALS.protobufjs, 'Write points'), { verdict: 'missed', figure: { value: 2.9 } });
  t.match(of(RIVALS.native, 'Write points, CPU'), { verdict: 'met', figure: { value: 2 } });
  t.match(of(RIVALS.records, 'Bytes of a point'), { verdict: 'met', figure: { value: 0.5 } });
  t.match(of(RIVALS.serde, 'Write points'), { verdict: 'not measured' });
  t.notOk(
    goals.some(({ race }) => race !== 'A-encode'),
    'races that were not run have no verdict',
  );
});

t.test('rounds that disagree leave a goal undecided', async (t) => {
  const ours = [100, 100, 100, 100, 100, 100, 100];
  const [found] = judgeCodec([
    raced('A-encode', { [OURS.objects]: ours, [RIVALS.records]: [400, 600, 450, 520, 700, 530, 540] }),
  ]);
  t.match(found, { verdict: 'undecided', figure: { low: 4, high: 7 } });
});

t.test('starts that disagree leave a goal undecided, however well the rounds of each agree', async (t) => {
  const ours = new Array(24).fill(100);
  const verdict = (middles: readonly number[]) => {
    const theirs = middles.flatMap((nanos) => Array.from({ length: 8 }, (_, i) => nanos + i));
    return judgeCodec([raced('A-encode', { [OURS.objects]: ours, [RIVALS.records]: theirs }, 3)])[0]?.verdict;
  };
  t.equal(verdict([460, 540, 550]), 'undecided');
  t.equal(verdict([530, 540, 550]), 'met');
  t.equal(verdict([430, 440, 450]), 'missed');
});

t.test('growth is 1 for linear time and 2 for quadratic', async (t) => {
  const lengths = [1000, 4000, 16_000];
  const linear = growth(
    lengths,
    lengths.map(() => [2, 3, 4]),
    3,
  );
  const quadratic = growth(
    lengths,
    lengths.map((length) => [length, 2 * length]),
    2,
  );
  t.match([linear.value.toFixed(6), linear.rounds], ['1.000000', 3]);
  t.match([quadratic.value.toFixed(6), quadratic.rounds], ['2.000000', 2]);
  t.equal(growth(lengths, [[1], [], [1]], 1).rounds, 0, 'a length that was not measured leaves no figure');
});
