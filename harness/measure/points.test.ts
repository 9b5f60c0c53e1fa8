import t from 'tap';
import type { Happening } from '../trace/trace.ts';
import { Analysis } from './analysis.ts';
import type { PointsRow } from './points.ts';

const AGENT = { agent: 'home/agent-01', site: 'home', fleet: 'agents', name: 'a', exact: true, coded: true };
const range = (from: number, to: number, agent = 'a'): Happening => ({
  type: 'store.range',
  agent,
  from,
  to,
});
const books = (made: number, waiting = 0): Happening => ({
  type: 'agent.books',
  ...{ made, waiting, acknowledged: 0, unconfirmed: 0, dropped: 0 },
});
const READ: Happening = { type: 'store.read', points: 0 };

const tableOf = (happenings: readonly Happening[]) => {
  const analysis = new Analysis();
  const all: readonly Happening[] = [{ type: 'agent.declared', ...AGENT }, ...happenings];
  for (const [n, happening] of all.entries()) {
    const who = happening.type.startsWith('store') ? 'measurement/store' : AGENT.agent;
    analysis.event({ t: n * 1_000, who, n, ...happening });
  }
  return analysis.points.table();
};
const rowOf = (...happenings: readonly Happening[]): PointsRow | undefined =>
  tableOf([...happenings, READ]).rows[0];

t.test('points are told apart by what became of them', async (t) => {
  const cases: readonly (readonly [string, readonly Happening[], object])[] = [
    [
      'all there',
      [range(0, 9), books(10)],
      { made: 10, stored: 10, missingPoints: 0, firstWrong: undefined },
    ],
    ['in several ranges', [range(0, 3), range(4, 9), books(10)], { stored: 10, reordered: 0, missing: [] }],
    ['a hole', [range(0, 3), range(6, 9), books(10)], { stored: 8, missing: [{ from: 4, to: 5 }], gaps: 1 }],
    ['the first ones', [range(2, 9), books(10)], { missing: [{ from: 0, to: 1 }] }],
    ['the last ones', [range(0, 4), books(10)], { missing: [{ from: 5, to: 9 }], missingPoints: 5 }],
    ['here and there', [range(1, 3), range(5, 7), range(9, 9), books(10)], { missingPoints: 3, gaps: 3 }],
    ['none at all', [books(10)], { stored: 0, missing: [{ from: 0, to: 9 }] }],
    ['stored twice', [range(0, 9), range(4, 5), books(10)], { repeated: 2, reordered: 0, stored: 10 }],
    ['partly stored twice', [range(0, 5), range(4, 9), books(10)], { repeated: 2, reordered: 4, stored: 10 }],
    ['late', [range(0, 3), range(6, 9), range(4, 5), books(10)], { repeated: 0, reordered: 2, missing: [] }],
    ['never made', [range(0, 12), books(10)], { stored: 10, foreign: 3 }],
    ['waiting', [range(0, 7), books(10, 2)], { waiting: 2, missingPoints: 2 }],
  ];
  for (const [name, happenings, expected] of cases) t.match(rowOf(...happenings), expected, name);
});

t.test('the first thing wrong is kept, with its numbers', async (t) => {
  const row = rowOf(range(0, 9), range(3, 4), range(2, 2), books(10));
  t.match(row?.firstWrong, { state: 'repeated', text: /points 3 to 4: 2 of them/, who: 'measurement/store' });
});

t.test('an agent whose books change after the store was read is not settled', async (t) => {
  t.equal(tableOf([books(10), READ]).rows[0]?.settled, true);
  t.equal(tableOf([books(10), READ, books(12)]).rows[0]?.settled, false);
  t.equal(tableOf([books(10)]).read, false);
});

t.test('points under names that nobody has are strangers', async (t) => {
  const table = tableOf([range(0, 4, 'b'), { type: 'store.count', agent: 'c', points: 7 }]);
  t.equal(table.strangers, 12);
});
