import type { Check } from './checks.ts';
import type { ReportModel } from './model.ts';
import { plain } from './words.ts';

/** A description is one line; `#` would begin a directive and a backslash escapes. */
export const described = (text: string): string =>
  plain(text).replace(/\s+/g, ' ').replace(/[\\#]/g, '\\$&').trim();

/** JSON strings are YAML double-quoted scalars: nothing in them can break out. */
export const scalar = (value: string | number): string => JSON.stringify(value);

const diagnostics = ({ judgement, pin }: Check): readonly string[] => {
  const rows: (readonly [string, string | number])[] = [
    ['verdict', judgement.verdict],
    ['level', judgement.level],
    ['source', judgement.source],
    ['summary', plain(judgement.summary)],
    ['expected', plain(judgement.expected)],
    ['got', plain(judgement.got)],
    ['exercised', judgement.exercised],
    ['broken', judgement.broken],
  ];
  if (pin !== '') rows.push(['pin', pin]);
  if (judgement.blame !== undefined) rows.push(['blame', judgement.blame]);
  const lines = ['  ---', ...rows.map(([key, value]) => `  ${key}: ${scalar(value)}`)];
  if (judgement.evidence.length > 0) {
    lines.push('  evidence:');
    for (const { t, who, text, hex, here } of judgement.evidence) {
      lines.push(`    - t: ${t}`, `      who: ${scalar(who)}`, `      text: ${scalar(plain(text))}`);
      if (hex !== undefined) lines.push(`      hex: ${scalar(hex)}`);
      if (here) lines.push('      here: true');
    }
  }
  return [...lines, '  ...'];
};

/** `not ok` with `# TODO` never counts as a failure: so are shown what is reported but not counted, and what was not tested. */
const directive = (check: Check): string => {
  if (check.standing === 'not-applicable') return ' # SKIP not applicable';
  return check.standing === 'observation' ? ' # TODO observation, not counted' : '';
};

/** report.tap: TAP 14. An inconclusive MUST is `not ok`: it was not shown to hold. */
export const renderTap = (model: ReportModel): string => {
  const lines = [
    'TAP version 14',
    `1..${model.checks.length}${model.checks.length === 0 ? ' # SKIP nothing was judged' : ''}`,
  ];
  lines.push(`# ${described(model.headline)}`, `# ${described(model.run.rerun)}`);
  if (model.partial) lines.push(`# partial: ${described(model.partialWhy)}`);
  model.checks.forEach((check, index) => {
    const ok = check.standing === 'pass' || check.standing === 'not-applicable' ? 'ok' : 'not ok';
    const { clause, title, level } = check.judgement;
    lines.push(
      `${ok} ${index + 1} - ${described(`${clause} ${level}: ${title}`)}${directive(check)}`,
      ...diagnostics(check),
    );
  });
  return `${lines.join('\n')}\n`;
};
