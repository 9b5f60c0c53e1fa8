import { type Check, OUTCOMES, type Standing } from './checks.ts';
import type { ReportModel } from './model.ts';
import { markOf, type Paint, painted, terminalText, wrapped } from './paint.ts';
import { summaryLines } from './summary-lines.ts';
import { moment, whole } from './words.ts';

export type TerminalOptions = Paint & {
  /** Width of the terminal; text is never wider than 96 columns. */
  readonly columns: number;
  /** Path of report.html as to be printed; '' when none was written. */
  readonly report: string;
};

/** Words of the counts, in their order, everywhere in a report. */
export const STANDING_WORDS: readonly (readonly [Standing, string])[] = [
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['inconclusive', 'inconclusive'],
  ['not-applicable', 'not applicable'],
  ['observation', 'observed'],
];

/** Observations are named only when there are any: the other four always, zeros too. */
export const shownCounts = (model: ReportModel): readonly (readonly [Standing, string, number])[] =>
  STANDING_WORDS.map(([standing, word]) => [standing, word, model.counts[standing]] as const).filter(
    ([standing, , n]) => standing !== 'observation' || n > 0,
  );

const EVIDENCE_MAX = 8;

/** What is left on the screen when a run on a terminal is over. Ends with the verdict, the exit code and the page's path. */
export const renderTerminal = (model: ReportModel, options: TerminalOptions): string => {
  const columns = Math.max(40, Math.min(options.columns, 96));
  const text = (value: string): string => terminalText(value, options);
  const { run } = model;
  const lines: string[] = [
    text(`${run.scenario}  ${run.lab} lab  seed ${run.seed}  ${moment(run.endMicros)}`),
    '',
    painted(wrapped(text(model.headline), columns, '  '), 'bold', options),
    '',
  ];
  if (model.partial) lines.push(`  partial: ${text(model.partialWhy)}`, '');
  lines.push(`  ${countsLine(model, options)}`);
  const pinned = model.checks.filter((check) => check.pin !== '');
  if (pinned.length > 0) lines.push('');
  for (const check of pinned) lines.push(...checkLines(check, columns, options));
  const summary = summaryLines(model);
  if (summary.length > 0 && pinned.length > 0) lines.push('');
  for (const { topic, text: words } of summary) {
    const [first = '', ...rest] = wrapped(text(words), columns - 11, '').split('\n');
    lines.push(`  ${topic.padEnd(9)}${first}`, ...rest.map((line) => `${' '.repeat(11)}${line}`));
  }
  lines.push('');
  if (model.exitCode !== 0 && run.rerun !== '') lines.push(`again: ${text(run.rerun)}`);
  lines.push(lastLine(model, options));
  return `${lines.join('\n')}\n`;
};

const countsLine = (model: ReportModel, paint: Paint): string =>
  shownCounts(model)
    .map(([standing, word, n]) => `${markOf(standing, paint)} ${terminalText(whole(n), paint)} ${word}`)
    .join('   ');

const colourOf = (model: ReportModel): 'green' | 'red' | 'yellow' => {
  if (model.outcome === 'passed') return 'green';
  return model.outcome === 'failed' || model.outcome === 'harness error' ? 'red' : 'yellow';
};

const lastLine = (model: ReportModel, options: TerminalOptions): string => {
  const verdict = `${OUTCOMES[model.exitCode].word} (exit ${model.exitCode})`;
  const report = options.report === '' ? '' : `  ${terminalText(options.report, options)}`;
  return `${painted(verdict, colourOf(model), options)}${report}`;
};

const checkLines = (check: Check, columns: number, options: TerminalOptions): readonly string[] => {
  const text = (value: string): string => terminalText(value, options);
  const { judgement, pin, standing } = check;
  const blame = judgement.blame ?? '';
  const head = `${judgement.clause} ${judgement.level}`;
  const indent = ' '.repeat(8);
  const often =
    judgement.exercised > 0 ? `${judgement.broken} of ${judgement.exercised} broken` : 'not exercised';
  const lines = [
    `  ${markOf(standing, options)} ${pin.padEnd(3)} ${text(head)}  ${often}  ${blame}`.trimEnd(),
  ];
  lines.push(wrapped(text(judgement.summary), columns, indent));
  if (standing !== 'fail') return lines;
  const row = (label: string, value: string): void => {
    const body = wrapped(text(value), columns - 18, '').split('\n');
    body.forEach((line, index) => {
      lines.push(`${indent}${(index === 0 ? label : '').padEnd(10)}${line}`);
    });
  };
  if (judgement.expected !== '') row('expected', judgement.expected);
  if (judgement.got !== '') row('got', judgement.got);
  judgement.evidence.slice(0, EVIDENCE_MAX).forEach((piece, index) => {
    const millis = (piece.t / 1_000).toFixed(1).padStart(9);
    const here = piece.here ? '  <- here' : '';
    const bytes = piece.hex === undefined ? '' : `  [${piece.hex}]`;
    const label = (index === 0 ? 'ms' : '').padEnd(10);
    lines.push(`${indent}${label}${millis}  ${text(`${piece.who}  ${piece.text}${bytes}`)}${here}`);
  });
  const more = judgement.evidence.length - EVIDENCE_MAX;
  if (more > 0) lines.push(`${indent}${' '.repeat(10)}and ${more} more in the report`);
  return lines;
};

/** The paragraphs of the checks that did not pass, worst first, each with its evidence; '' when all passed. Ends with an empty line. */
export const renderFailures = (model: ReportModel, options: Paint & { readonly columns: number }): string => {
  const columns = Math.max(40, Math.min(options.columns, 96));
  const told = model.checks
    .filter((check) => check.pin !== '')
    .flatMap((check) => checkLines(check, columns, { ...options, report: '' }));
  return told.length === 0 ? '' : `\n${told.join('\n')}\n\n`;
};

/** The end of a run where nobody watches (CI): one greppable line a check that did not pass, then the verdict. */
export const renderCiEnd = (model: ReportModel, report: string): string => {
  const said = (text: string): string =>
    terminalText(text, { colour: false, utf8: false }).replace(/\s+/g, ' ');
  const quoted = (text: string): string => `"${said(text).replaceAll('"', "'")}"`;
  const at = (model.run.endMicros / 1_000_000).toFixed(1).padStart(6);
  const lines = model.checks
    .filter((check) => check.pin !== '')
    .map(({ judgement, pin }) => {
      const word = judgement.verdict === 'fail' ? 'FAIL' : 'INCONCLUSIVE';
      const blame = judgement.blame ?? 'none';
      return `${at} check ${judgement.clause} ${word} pin=${pin} level=${judgement.level} broken=${judgement.broken}/${judgement.exercised} blame=${blame} ${quoted(judgement.summary)}`;
    });
  const { counts } = model;
  lines.push(`${at} headline ${quoted(model.headline)}`);
  if (model.exitCode !== 0 && model.run.rerun !== '') lines.push(`${at} again ${said(model.run.rerun)}`);
  lines.push(
    `${at} ${OUTCOMES[model.exitCode].word.replace(' ', '-')} passed=${counts.pass} failed=${counts.fail} inconclusive=${counts.inconclusive} na=${counts['not-applicable']} observed=${counts.observation}${model.partial ? ' partial=yes' : ''} exit=${model.exitCode} report=${report === '' ? 'none' : report}`,
  );
  return `${lines.join('\n')}\n`;
};
