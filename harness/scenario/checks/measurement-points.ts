/** Every measurement point is accounted for. */

import type { Analysis } from '../../measure/analysis.ts';
import type { PointRange, PointsRow, PointsTable } from '../../measure/points.ts';
import type { Evidence, Finding, Verdict } from '../../verdict/verdict.ts';
import { type Check, count, type Judging } from './check.ts';

const SHOWN = 5;
const rangeText = ({ from, to }: PointRange): string => (from === to ? `${from}` : `${from} to ${to}`);

/** What is wrong with the points of one agent, worst first. */
type Fault = { readonly points: number; readonly text: string };

const evidenceOf = ({ agent, firstWrong }: PointsRow, endMicros: number, text: string): Evidence => ({
  t: firstWrong?.t ?? endMicros,
  who: firstWrong?.who ?? agent.agent,
  text: firstWrong === undefined ? text : `${agent.name}: ${firstWrong.text}`,
  hex: undefined,
  here: true,
});

const missingText = (row: PointsRow, points: number): string => {
  const dropped = Object.entries(row.dropped).map(([why, n]) => `${n} ${why}`);
  const where = row.missing.slice(0, SHOWN).map(rangeText).join(', ');
  const more = row.missing.length > SHOWN ? ', ...' : '';
  const said = dropped.length === 0 ? '' : ` (the agent says: ${dropped.join(', ')})`;
  return `${row.agent.name}: ${points} lost, numbers ${where}${more}${said}`;
};

class Points implements Judging {
  readonly #analysis: Analysis;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  event(): void {}

  findings(): readonly Finding[] {
    const table = this.#analysis.points.table();
    const exact = table.rows.filter(({ agent }) => agent.exact);
    const others = table.rows.filter(({ agent }) => !agent.exact && agent.coded);
    return [this.#exactly(table, exact), this.#counted(table, others), this.#acknowledged(table, exact)];
  }

  #exactly(table: PointsTable, rows: readonly PointsRow[]): Finding {
    return this.#judged('MEAS-POINT-1', table, rows, 'each stored once, as it was made', (row) => {
      const lost = Math.max(0, row.missingPoints - row.waiting);
      const wrong: Fault[] = [];
      if (lost > 0) wrong.push({ points: lost, text: missingText(row, lost) });
      if (row.repeated > 0)
        wrong.push({ points: row.repeated, text: `${row.agent.name}: ${row.repeated} stored again` });
      if (row.foreign > 0)
        wrong.push({ points: row.foreign, text: `${row.agent.name}: ${row.foreign} that it never made` });
      return wrong;
    });
  }

  /**
   * Losses and repeats are excused where the agent lost a connection and a fault with a receipt can have done it. Points are sent in
   * order, so a connection takes those it carried last with it: a run of numbers each time it is lost, never numbers here and there.
   */
  #counted(table: PointsTable, rows: readonly PointsRow[]): Finding {
    const expected = 'lost or repeated only where a fault with a receipt cut a connection';
    return this.#judged('MEAS-POINT-2', table, rows, expected, (row) => {
      const excused = row.losses > 0 && this.#wasCut(row);
      const lost = Math.max(0, row.missingPoints - row.waiting);
      const runsMax = row.losses + (row.waiting > 0 ? 1 : 0);
      const wrong: Fault[] = [];
      if (lost > 0 && !(excused && row.gaps <= runsMax))
        wrong.push({ points: lost, text: missingText(row, lost) });
      if (row.repeated > 0 && !excused)
        wrong.push({ points: row.repeated, text: `${row.agent.name}: ${row.repeated} stored again` });
      if (row.foreign > 0)
        wrong.push({ points: row.foreign, text: `${row.agent.name}: ${row.foreign} that it never made` });
      return wrong;
    });
  }

  #wasCut({ agent }: PointsRow): boolean {
    const { facts, faults } = this.#analysis;
    const server = facts.schedules.get(agent.fleet)?.server ?? '';
    return faults.rows().some(({ site, proved }) => proved && (site === agent.site || site === server));
  }

  #judged(
    clause: string,
    table: PointsTable,
    rows: readonly PointsRow[],
    expected: string,
    wrongOf: (row: PointsRow) => readonly Fault[],
  ): Finding {
    const { endMicros, complete } = this.#analysis;
    const made = rows.reduce((sum, row) => sum + row.made, 0);
    const waiting = rows.reduce((sum, row) => sum + Math.min(row.waiting, row.missingPoints), 0);
    const found = rows.map((row) => ({ row, wrong: wrongOf(row) })).filter(({ wrong }) => wrong.length > 0);
    const broken = found.flatMap(({ wrong }) => wrong).reduce((sum, { points }) => sum + points, 0);
    // Of a store that was not read to its end nothing is known to be missing.
    const known = table.read && complete && rows.every(({ settled, waiting }) => settled || waiting > 0);
    const lossOnly = found.every(({ row }) => row.repeated === 0 && row.foreign === 0);
    const verdict: Verdict =
      made === 0
        ? 'not-applicable'
        : found.length > 0
          ? lossOnly && !known
            ? 'inconclusive'
            : 'fail'
          : known && waiting === 0
            ? 'pass'
            : 'inconclusive';
    const first = found[0]?.wrong[0]?.text;
    return {
      clause,
      verdict,
      blame: verdict === 'fail' ? 'target' : verdict === 'inconclusive' ? 'environment' : undefined,
      summary: summaryOf(verdict, { made, waiting, broken, known, agents: rows, first }),
      expected,
      got: first ?? (verdict === 'inconclusive' ? 'the end was not seen' : 'as expected'),
      exercised: made,
      broken: verdict === 'fail' ? broken : 0,
      evidence: found
        .slice(0, SHOWN)
        .map(({ row, wrong }) => evidenceOf(row, endMicros, wrong[0]?.text ?? '')),
      ladder: [],
    };
  }

  #acknowledged({ read }: PointsTable, rows: readonly PointsRow[]): Finding {
    const { endMicros, complete } = this.#analysis;
    const acknowledged = rows.reduce((sum, row) => sum + row.acknowledged, 0);
    const broken = rows.filter((row) => row.acknowledged > row.stored);
    const known = read && complete && rows.every(({ settled }) => settled);
    const verdict: Verdict =
      acknowledged === 0 ? 'not-applicable' : !known ? 'inconclusive' : broken.length > 0 ? 'fail' : 'pass';
    const [worst] = broken;
    const text =
      worst === undefined
        ? ''
        : `${worst.agent.name}: ${worst.acknowledged} acknowledged, ${worst.stored} in the store`;
    return {
      clause: 'MEAS-ACK-1',
      verdict,
      blame: verdict === 'fail' ? 'target' : verdict === 'inconclusive' ? 'environment' : undefined,
      summary:
        verdict === 'fail'
          ? text
          : verdict === 'pass'
            ? `all of ${count(acknowledged, 'acknowledged point')} lie in the store`
            : verdict === 'inconclusive'
              ? 'the store was not read to its end'
              : 'nobody acknowledged anything',
      expected: 'no point acknowledged that is not stored',
      got: verdict === 'fail' ? text : 'as expected',
      exercised: acknowledged,
      broken: verdict === 'fail' ? broken.length : 0,
      evidence:
        verdict === 'fail' ? broken.slice(0, SHOWN).map((row) => evidenceOf(row, endMicros, text)) : [],
      ladder: [],
    };
  }
}

type Summed = {
  readonly made: number;
  readonly waiting: number;
  readonly broken: number;
  readonly known: boolean;
  readonly agents: readonly PointsRow[];
  readonly first: string | undefined;
};

const summaryOf = (verdict: Verdict, { made, waiting, broken, known, agents, first }: Summed): string => {
  const of = `${count(made, 'point')} of ${count(agents.length, 'agent')}`;
  switch (verdict) {
    case 'not-applicable':
      return 'no such agent made a point';
    case 'inconclusive':
      return known
        ? `${waiting} of ${of} still waited to be sent when the run ended`
        : `${of}: the store was not read to its end after they had come to rest`;
    case 'fail':
      return `${broken} of ${of} are not as they should be: ${first}`;
    case 'pass': {
      const lost = agents.reduce((sum, row) => sum + row.missingPoints, 0);
      const again = agents.reduce((sum, row) => sum + row.repeated, 0);
      return lost + again === 0
        ? `${of} stored, each once`
        : `${of}: ${lost} lost and ${again} stored again where connections were cut`;
    }
  }
};

export const measurementPoints: Check = {
  name: 'measurement-points',
  clauses: ['MEAS-POINT-1', 'MEAS-POINT-2', 'MEAS-ACK-1'],
  start: (analysis) => new Points(analysis),
};
