import type { GateModel, GateRow } from '../../conformance/gate.ts';
import { fenced, md } from '../markdown.ts';
import { plain, whole } from '../words.ts';
import { badgeOf, onPath, shownCounts, wireLine } from './gate-words.ts';

/** The first so many in full: the summary of a job has a bound, and nobody reads the fortieth. */
const FULL_MAX = 12;
const WIRE_MAX = 16;

const MARK = {
  pass: '✔',
  fail: '✖',
  known: '!',
  inconclusive: '?',
  observation: '!',
  'not-applicable': '-',
} as const;

const failure = (row: GateRow): string =>
  [
    `### ${row.pin} ${md(row.title)}`,
    `\`${row.id}\`${md(onPath(row.path))} · \`${row.clause}\` ${row.level} · blame: ${row.blame ?? 'nobody'}`,
    `- expected: ${md(row.expected)}\n- got: ${md(row.got)}`,
    ...(row.wire.length === 0 ? [] : [fenced(row.wire.slice(-WIRE_MAX).map(wireLine).join('\n'), 'text')]),
    fenced(row.rerun, 'sh'),
  ].join('\n\n');

/** A row a path, a column a standing: where it breaks. */
const byPath = (model: GateModel): string => {
  const counts = shownCounts(model);
  return [
    `| path | ${counts.map(([, word]) => word).join(' | ')} |`,
    `|---|${counts.map(() => '---:|').join('')}`,
    ...model.paths.map((path) => {
      const of = model.rows.filter((row) => row.path === path);
      const cells = counts.map(([standing]) => of.filter((row) => row.standing === standing).length);
      return `| ${md(path)} | ${cells.join(' | ')} |`;
    }),
  ].join('\n');
};

const short = (row: GateRow): string =>
  `- **${row.pin}** \`${row.id}\`${md(onPath(row.path))} \`${row.clause}\` ${row.level}: ${md(row.baseline?.reason ?? row.got.split('\n')[0] ?? '')}`;

/** report.md, also the summary of a CI job: the sentence, the counts, what failed with its bytes, how to run it again. */
export const renderGateMarkdown = (model: GateModel): string => {
  const failed = model.rows.filter(({ standing }) => standing === 'fail');
  const rest = model.rows.filter(({ pin, standing }) => pin !== '' && standing !== 'fail');
  const parts = [
    `## ${badgeOf(model)}: ${md(model.profile)} conformance`,
    `**${md(model.headline)}**`,
    `Judged: ${md(model.target)}`,
    ...(model.partial === '' ? [] : [`Partial: ${md(model.partial)}.`]),
    shownCounts(model)
      .map(([standing, word, n]) => `${MARK[standing]} ${plain(whole(n))} ${word}`)
      .join(' · '),
    ...(model.paths.length > 1 ? [byPath(model)] : []),
    ...failed.slice(0, FULL_MAX).map(failure),
  ];
  if (failed.length > FULL_MAX) parts.push('More that fail:', failed.slice(FULL_MAX).map(short).join('\n'));
  if (rest.length > 0) parts.push(rest.map(short).join('\n'));
  if (model.stale.length > 0)
    parts.push(
      'Entries of the baseline that are out of date:',
      model.stale.map(({ entry, why }) => `- \`${entry.case}\`: ${md(why)}`).join('\n'),
    );
  parts.push(`Run it again (seed ${md(model.seed)}):`, fenced(model.rerun, 'sh'));
  return `${parts.join('\n\n')}\n`;
};
