import t from 'tap';
import { type Reading, reading, type Standing, standingOf, worstOf } from './reading.ts';

const QUIET = { typicalMillis: 0.1, worstMillis: 1 };
const BUSY = { typicalMillis: 20, worstMillis: 150 };

const CASES: readonly (readonly [Reading, Standing, Standing])[] = [
  // what, on a quiet machine, on a busy one
  [reading.millis('within', 60, 62, 3), 'ok', 'ok'],
  [reading.millis('a little out', 60, 65, 3), 'off', 'ok'],
  [reading.millis('far out', 60, 95, 3), 'off', 'unclear'],
  [reading.millis('beyond what noise explains', 60, 160, 3), 'off', 'off'],
  [reading.millis('one of many is hit by the typical lateness', 60, 110, 3), 'off', 'off'],
  [reading.onceMillis('the only one by the worst', 60, 110, 3), 'off', 'unclear'],
  [reading.millis('nothing seen', 60, Number.NaN, 3), 'off', 'off'],
  [reading.rate(1_000_000, 960_000, 50_000, 400, 'rate'), 'ok', 'ok'],
  [reading.rate(1_000_000, 700_000, 50_000, 400, 'rate'), 'off', 'unclear'],
  [reading.count('no clock has a part in it', 5, 4), 'off', 'off'],
  [reading.words('the wrong end', 'rst', 'fin'), 'off', 'off'],
  [reading.words('the right end', 'rst', 'rst'), 'ok', 'ok'],
];

t.test('noise makes a reading unclear, never good and never bad by itself', async (t) => {
  for (const [value, quiet, busy] of CASES) {
    t.equal(standingOf(value, QUIET), quiet, `${value.quantity}, quiet`);
    t.equal(standingOf(value, BUSY), busy, `${value.quantity}, busy`);
  }
});

t.test('an effect is as good as its worst reading, and unclear without any', async (t) => {
  t.equal(worstOf(['ok', 'unclear', 'ok']), 'unclear');
  t.equal(worstOf(['ok', 'off', 'unclear']), 'off');
  t.equal(worstOf(['ok']), 'ok');
  t.equal(worstOf([]), 'unclear');
});
