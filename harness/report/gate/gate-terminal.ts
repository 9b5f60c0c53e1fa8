/** A run of the gate on a terminal: a line a case while it goes on, then what failed, in words to act on. */

import type { GateModel, GateRow, GateStanding } from '../../conformance/gate.ts';
import type { CaseResult } from '../../conformance/outcome.ts';
import { markOf, type Paint, painted, terminalText, wrapped } from '../paint.ts';
import { drawnAs, onPath, remedyOf, shownCounts, wireLine } from './gate-words.ts';

const COLUMNS_MAX = 96;
/** The last of a wire log say most: what led there is on the page. */
const WIRE_LINES = 8;

const mark = (standing: GateStanding, paint: Paint): string => markOf(drawnAs(standing), paint);

const verdictMark = (result: CaseResult, paint: Paint): string =>
  markOf(result.level === 'SHOULD' && result.verdict === 'fail' ? 'observation' : result.verdict, paint);

/** While it runs: `✔ port-relay/reg/silent-probe  12 ms`. */
export const caseLine = (result: CaseResult, paint: Paint): string => {
  const why = result.verdict === 'pass' ? '' : `  ${(result.got.split('\n')[0] ?? '').slice(0, 100)}`;
  return `${verdictMark(result, paint)} ${terminalText(`${result.id}${onPath(result.path)}  ${result.millis} ms${why}`, paint)}`;
};

const paragraph = (row: GateRow, columns: number, paint: Paint): readonly string[] => {
  const indent = ' '.repeat(8);
  const field = (name: string, value: string): readonly string[] =>
    value === ''
      ? []
      : [
          `${indent}${name.padEnd(9)} ${value
            .split('\n')
            .map((line) => wrapped(terminalText(line, paint), columns, `${indent}          `))
            .join('\n')
            .trimStart()}`,
        ];
  return [
    '',
    `  ${mark(row.standing, paint)} ${painted(row.pin, 'bold', paint)}  ${row.id}${onPath(row.path)}  ${row.clause} ${row.level}${row.blame === undefined ? '' : `  blame: ${row.blame}`}`,
    wrapped(terminalText(row.title, paint), columns, indent),
    ...field('expected', row.expected),
    ...field('got', row.got),
    ...row.wire.slice(-WIRE_LINES).map((event) => `${indent}${terminalText(wireLine(event), paint)}`),
    `${indent}again     ${terminalText(row.rerun, paint)}`,
    `${indent}more      relaylab explain ${row.clause}`,
  ];
};

export type GateTerminal = Paint & { readonly columns: number; readonly report: string };

const EXIT_WORDS: Readonly<Record<number, string>> = {
  0: 'PASS',
  1: 'FAIL',
  3: 'HARNESS ERROR',
  4: 'UNDECIDED',
  5: 'STALE BASELINE',
  130: 'INTERRUPTED',
};

/** The end of a run: failures, undecided and observed cases, counts, verdict, exit code and page. */
export const renderGateEnd = (model: GateModel, options: GateTerminal): string => {
  const columns = Math.max(60, Math.min(options.columns, COLUMNS_MAX));
  const lines: string[] = [];
  for (const row of model.rows)
    if (row.standing === 'fail' || row.standing === 'inconclusive')
      lines.push(...paragraph(row, columns, options));
  const observed = model.rows.filter(({ standing }) => standing === 'observation' || standing === 'known');
  if (observed.length > 0) lines.push('', '  reported, not counted:');
  for (const row of observed)
    lines.push(
      `  ${mark(row.standing, options)} ${row.pin.padEnd(4)} ${row.id}  ${terminalText((row.baseline?.reason ?? row.got).split('\n')[0] ?? '', options)}`,
    );
  for (const stale of model.stale)
    lines.push(`  baseline: ${stale.entry.case}: ${stale.why}; ${remedyOf(stale)}`);
  lines.push('', painted(wrapped(terminalText(model.headline, options), columns, '  '), 'bold', options));
  if (model.partial !== '') lines.push(`  partial: ${model.partial}`);
  lines.push(
    `  ${shownCounts(model)
      .map(([standing, word, n]) => `${mark(standing, options)} ${n} ${word}`)
      .join('   ')}   in ${(model.millis / 1_000).toFixed(1)} s`,
  );
  if (model.exitCode !== 0) lines.push('', `again: ${terminalText(model.rerun, options)}`);
  const colour =
    model.exitCode === 0 ? 'green' : model.exitCode === 1 || model.exitCode === 3 ? 'red' : 'yellow';
  lines.push(
    `${painted(`${EXIT_WORDS[model.exitCode] ?? ''} (exit ${model.exitCode})`, colour, options)}  ${options.report}`,
  );
  return `${lines.join('\n')}\n`;
};
