import { type Check, OUTCOMES, type Standing } from './checks.ts';
import type { ReportModel } from './model.ts';
import { summaryLines } from './summary-lines.ts';
import { shownCounts } from './terminal.ts';
import { bytes, duration, moment, plain, whole } from './words.ts';

/** Text that means only itself in GitHub's Markdown, tables included. */
export const md = (text: string): string =>
  plain(text)
    .replace(/\s+/g, ' ')
    .replace(/[&<>]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[letter] ?? letter)
    .replace(/[\\`*_[\]|~#@]/g, (letter) => `\\${letter}`);

/** A fence longer than any run of backticks inside. */
export const fenced = (text: string, language: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${plain(text)}\n${fence}`;
};

const MARK: Readonly<Record<Standing, string>> = {
  pass: '✔',
  fail: '✖',
  inconclusive: '?',
  'not-applicable': '-',
  observation: '!',
};

const failure = ({ judgement, pin }: Check): string => {
  const log = judgement.evidence
    .map(
      ({ t, who, text, hex, here }) =>
        `${(t / 1_000).toFixed(1).padStart(10)} ms  ${who}  ${text}${hex === undefined ? '' : `  [${hex}]`}${here ? '  <- here' : ''}`,
    )
    .join('\n');
  return [
    `### ${pin} ${md(judgement.title)}`,
    `${md(judgement.summary)} (\`${judgement.clause}\` ${judgement.level}, ${judgement.broken} of ${judgement.exercised}, blame: ${judgement.blame ?? 'nobody'})`,
    `- expected: ${md(judgement.expected)}\n- got: ${md(judgement.got)}`,
    ...(log === '' ? [] : [fenced(log, 'text')]),
  ].join('\n\n');
};

/** report.md, also the job summary of a CI run: the sentence, the counts, what failed, the main numbers, how to run it again. */
export const renderMarkdown = (model: ReportModel): string => {
  const { run } = model;
  const verdict = `${OUTCOMES[model.exitCode].badge}${model.partial ? ' (partial)' : ''}`;
  const parts = [
    `## ${verdict}: ${md(run.scenario)} in the ${md(run.lab)} lab`,
    `**${md(model.headline)}**`,
    ...(model.detail === '' ? [] : [md(model.detail)]),
    ...(model.partial ? [`Partial: ${md(model.partialWhy)}.`] : []),
    shownCounts(model)
      .map(([standing, word, n]) => `${MARK[standing]} ${plain(whole(n))} ${word}`)
      .join(' · '),
    ...model.checks.filter((check) => check.standing === 'fail').map(failure),
  ];
  const unsure = model.checks.filter((check) => check.pin !== '' && check.standing !== 'fail');
  if (unsure.length > 0)
    parts.push(
      unsure
        .map(
          ({ pin, judgement }) =>
            `- **${pin}** \`${judgement.clause}\` ${judgement.level}: ${md(judgement.summary)}`,
        )
        .join('\n'),
    );
  const summary = summaryLines(model);
  if (summary.length > 0)
    parts.push(
      `| | |\n|---|---|\n${summary.map(({ topic, text }) => `| ${topic} | ${md(text)} |`).join('\n')}`,
    );
  if (model.faults.length > 0) parts.push(faultTable(model));
  if (model.ledger.rows.length > 0) parts.push(ledgerTable(model));
  if (run.rerun !== '') parts.push(`Run it again (seed ${md(run.seed)}):`, fenced(run.rerun, 'sh'));
  return `${parts.join('\n\n')}\n`;
};

const faultTable = (model: ReportModel): string =>
  [
    '| fault | at | where | what | receipt | lost, back | all back after |',
    '|---:|---:|---|---|---|---|---:|',
    ...model.faults.map((fault) => {
      const receipt = fault.receipt === undefined ? 'none' : fault.receipt.text;
      const back = fault.backAfterMicros === undefined ? '' : duration(fault.backAfterMicros);
      const where = fault.site === '' ? 'relay' : fault.site;
      return `| ${fault.fault} | ${plain(moment(fault.beganMicros))} | ${md(where)} | ${md(fault.text)} | ${md(receipt)}${fault.proved ? '' : ' **(no proof)**'} | ${fault.clientsLost}, ${fault.clientsBack} | ${plain(back)} |`;
    }),
  ].join('\n');

const ledgerTable = (model: ReportModel): string =>
  [
    '| mode | direction | tunnels | sent | lost | repeated | reordered | foreign |',
    '|---|---|---:|---:|---:|---:|---:|---:|',
    ...model.ledger.rows.map(
      (row) =>
        `| ${row.mode} | ${row.direction} | ${row.tunnels} | ${plain(bytes(row.sent))} | ${plain(bytes(row.lost))} | ${plain(bytes(row.repeated))} | ${plain(bytes(row.reordered))} | ${plain(bytes(row.foreign))} |`,
    ),
  ].join('\n');
