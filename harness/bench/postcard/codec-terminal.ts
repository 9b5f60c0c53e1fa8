/** The postcard bench on the terminal: a table a race (a line where there are many), then the goals, then one sentence. */
import type { Paint } from '../../report/paint.ts';
import { figure, goalLines, measureLines, verdictSentence } from '../bench-terminal.ts';
import { ratio } from '../statistics.ts';
import type { CodecReport } from './codec-bench.ts';
import { headline } from './headline.ts';
import type { Raced } from './race.ts';

/** Workloads whose races are many and alike. */
const SHORT = ['C', 'D', 'E'];
const TITLE_CHARS = 52;

/** A race as it is told when it is done. */
export const raceLines = (race: Raced): readonly string[] => {
  if (!SHORT.includes(race.workload)) return [...measureLines(race), ''];
  const ours = race.rows.find(({ own }) => own);
  const told = race.rows
    .filter((row) => row !== ours && row.estimate.rounds > 0)
    .map((row) => {
      const values = (of: typeof row): readonly number[] => of.values.map((value) => value ?? Number.NaN);
      const times = ours === undefined ? Number.NaN : ratio(values(row), values(ours)).value;
      return `${figure(times)} x ${row.name}`;
    });
  const own = ours === undefined ? '-' : `${figure(ours.estimate.value)} ${race.unit}`;
  return [`${race.title.padEnd(TITLE_CHARS)} ${own}${told.length > 0 ? `; ${told.join(', ')}` : ''}`];
};

/** What follows: goals, the sentence, where the page is. */
export const renderCodecEnd = (report: CodecReport, paint: Paint, page: string): string => {
  const claim = headline(report);
  return [
    '',
    ...goalLines(report.goals, paint),
    '',
    ...(claim === undefined ? [] : [`${claim}.`]),
    `bench postcard${report.quick ? ' --quick' : ''}: ${verdictSentence(report.goals)}, in ${Math.round(report.seconds)} s, seed ${report.seed.toString(16)}`,
    page,
  ].join('\n');
};
