/** The self-test as a table for a terminal, one line a reading. */

import type { Noise } from './noise.ts';
import { type EffectResult, type JudgedReading, type SelfTest, shown } from './selftest.ts';

const HEADS = ['effect', 'quantity', 'declared', 'measured', 'tolerance', ''] as const;

const millis = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));
export const noiseText = ({ typicalMillis, worstMillis }: Noise): string =>
  `timers nine times of ten at most ${millis(typicalMillis)} ms late, at worst ${millis(worstMillis)} ms`;

const cells = ({
  quantity,
  declared,
  measured,
  tolerance,
  unit,
  standing,
}: JudgedReading): readonly string[] => [
  quantity,
  shown(declared, unit),
  shown(measured, unit),
  tolerance === 0 ? 'exact' : `± ${shown(tolerance, unit)}`,
  standing,
];

const rowsOf = (result: EffectResult): readonly (readonly string[])[] =>
  result.readings.length === 0
    ? [[result.effect, result.why, '', '', '', result.standing]]
    : result.readings.map((reading, n) => [n === 0 ? result.effect : '', ...cells(reading)]);

/** @param paint colours the last word of a line */
export const selfTestTable = (
  { idle, results, millis: took }: SelfTest,
  paint: (word: string) => string = (word) => word,
): string => {
  const rows = results.flatMap(rowsOf);
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .slice(0, -1)
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ');
  const body = rows.map((row) => `${line(row)}  ${paint(row.at(-1) ?? '')}`);
  const why = results
    .filter(({ standing }) => standing !== 'ok')
    .map(({ effect, standing, why: reason, attempts }) => {
      const tries = attempts > 1 ? ` (best of ${attempts} attempts)` : '';
      return `${paint(standing)}  ${effect}: ${reason}${tries}`;
    });
  const count = (standing: string): number => results.filter((result) => result.standing === standing).length;
  const summary = [
    `${count('ok')} of ${results.length} effects within tolerance`,
    ...(count('off') > 0 ? [`${count('off')} off`] : []),
    ...(count('unclear') > 0 ? [`${count('unclear')} unclear`] : []),
  ].join(', ');
  return [
    line(HEADS).trimEnd(),
    ...body,
    '',
    ...why,
    `${summary}; ${(took / 1000).toFixed(1)} s. With nothing to do: ${noiseText(idle)}.`,
  ].join('\n');
};
