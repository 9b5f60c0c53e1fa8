import t from 'tap';
import { type Judgement, type Level, type Verdict, verdictOf } from './verdict.ts';

const judgement = (level: Level, verdict: Verdict): Judgement => ({
  clause: 'X-1',
  verdict,
  level,
  blame: undefined,
  summary: '',
  expected: '',
  got: '',
  exercised: 1,
  broken: verdict === 'fail' ? 1 : 0,
  evidence: [],
  ladder: [],
  title: '',
  source: '',
});

const RUNS: readonly {
  readonly name: string;
  readonly has: readonly [Level, Verdict][];
  readonly verdict: string;
}[] = [
  {
    name: 'every MUST that was judged holds',
    has: [
      ['MUST', 'pass'],
      ['MUST', 'not-applicable'],
    ],
    verdict: 'pass',
  },
  {
    name: 'a MUST fails beside others that hold',
    has: [
      ['MUST', 'pass'],
      ['MUST', 'fail'],
      ['MUST', 'inconclusive'],
    ],
    verdict: 'fail',
  },
  {
    name: 'a MUST could not be told',
    has: [
      ['MUST', 'pass'],
      ['MUST', 'inconclusive'],
    ],
    verdict: 'inconclusive',
  },
  {
    name: 'a SHOULD that fails or cannot be told is only seen',
    has: [
      ['MUST', 'pass'],
      ['SHOULD', 'fail'],
      ['SHOULD', 'inconclusive'],
    ],
    verdict: 'pass',
  },
  {
    name: 'no MUST was judged at all',
    has: [
      ['SHOULD', 'pass'],
      ['MUST', 'not-applicable'],
    ],
    verdict: 'inconclusive',
  },
  { name: 'nothing was judged', has: [], verdict: 'inconclusive' },
];

t.test('only a MUST decides, and nothing judged is nothing passed', async (t) => {
  for (const { name, has, verdict } of RUNS)
    t.equal(verdictOf(has.map(([level, said]) => judgement(level, said))), verdict, name);
});
