/** A bench on the terminal: a table for each measure, then the goals, then one sentence. */
import { type Paint, painted } from '../report/paint.ts';
import type { BenchReport } from './bench-run.ts';
import { countVerdicts, type GoalVerdict, type JudgedGoal } from './goals.ts';
import type { Measured, Row } from './measure.ts';

/** Three digits that matter, thousands apart. */
export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
};

const padded = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
};

const cells = (row: Row, keys: readonly string[]): readonly string[] => {
  const { value, low, high, rounds } = row.estimate;
  if (rounds === 0) return [row.name, '-', row.why ?? ''];
  const beside = keys.map((key) => (row.beside[key] === undefined ? '' : figure(row.beside[key])));
  return [row.name, figure(value), `${figure(low)} to ${figure(high)}`, ...beside];
};

/** One measure as lines of a table; the best first. */
export const measureLines = (measure: Measured): readonly string[] => {
  const worst = measure.better === 'more' ? -Infinity : Infinity;
  const sign = measure.better === 'more' ? -1 : 1;
  const of = (row: Row): number => (row.estimate.rounds === 0 ? worst : row.estimate.value);
  const rows = [...measure.rows].sort((a, b) => sign * (of(a) - of(b)) || 0);
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row.beside)))];
  const measuredRows = rows.filter((row) => row.estimate.rounds > 0);
  const table = padded([['', measure.unit, '95 %', ...keys], ...measuredRows.map((row) => cells(row, keys))]);
  const missing = rows.filter((row) => row.estimate.rounds === 0);
  return [
    `${measure.title} (${measure.words})`,
    ...table.map((text) => `  ${text}`),
    ...missing.map((row) => `  ${row.name}: not measured, ${row.why ?? 'no round gave a figure'}`),
  ];
};

const COLOURS = {
  met: 'green',
  missed: 'red',
  undecided: 'yellow',
  'not measured': 'dim',
} as const satisfies Readonly<Record<GoalVerdict, string>>;

/** `>= 1.3 x`, with its unit. */
export const limitWords = ({ sense, limit, unit }: JudgedGoal): string =>
  `${sense === 'at least' ? '>=' : '<='} ${limit}${unit === '' ? '' : ` ${unit}`}`;

const goalCells = (goal: JudgedGoal): readonly string[] => {
  const { what, against, figure: found, why, verdict, unit } = goal;
  const said = against === undefined ? what : `${what}, against ${against}`;
  if (found === undefined) return [said, limitWords(goal), '', '', '', `${verdict}: ${why}`];
  const tail = unit === '' ? '' : ` ${unit}`;
  return [
    said,
    limitWords(goal),
    `${figure(found.value)}${tail}`,
    `${figure(found.low)} to ${figure(found.high)}`,
    goal.thrift === undefined ? '' : `${figure(goal.thrift.value)} x`,
    verdict,
  ];
};

/** The goals as lines of a table, each with its verdict; CPU is their CPU time over ours for the same work. */
export const goalLines = (goals: readonly JudgedGoal[], paint: Paint): readonly string[] => {
  const rows = goals.map(goalCells);
  const lines = padded([['goal', 'limit', 'found', '95 %', 'CPU'], ...rows.map((row) => row.slice(0, 5))]);
  return lines.map((text, index) => {
    if (index === 0) return text;
    const goal = goals[index - 1] as JudgedGoal;
    const verdict = (rows[index - 1] as readonly string[])[5] as string;
    return `${text.padEnd((lines[0] as string).length)}  ${painted(verdict, COLOURS[goal.verdict], paint)}`;
  });
};

/** `12 of 25 goals met, 3 missed, 8 undecided, 2 not measured`. */
export const verdictSentence = (goals: readonly JudgedGoal[]): string => {
  const counts = countVerdicts(goals);
  const rest = (['missed', 'undecided', 'not measured'] as const)
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `, ${counts[verdict]} ${verdict}`);
  return `${counts.met} of ${goals.length} goals met${rest.join('')}`;
};

/** What follows the tables: goals, the sentence, where the page is. */
export const renderBenchEnd = (report: BenchReport, paint: Paint, page: string): string =>
  [
    ...goalLines(report.goals, paint),
    '',
    `bench ${report.bench}${report.quick ? ' --quick' : ''}: ${verdictSentence(report.goals)}, in ${Math.round(report.seconds)} s, seed ${report.seed.toString(16)}`,
    page,
  ].join('\n');
