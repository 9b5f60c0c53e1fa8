import type { Check } from './checks.ts';
import type { ReportModel } from './model.ts';
import { plain } from './words.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
};

/** What XML 1.0 cannot say, even escaped: control characters, lone surrogates, two non-characters. */
const UNSAYABLE = /[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu;

/** Text that is safe in attributes and in content. */
export const xml = (text: string): string =>
  plain(text)
    .toWellFormed()
    .replace(UNSAYABLE, '\ufffd')
    .replace(/[&<>"'\n\t\r]/g, (letter) => ENTITIES[letter] ?? letter);

const body = ({ judgement }: Check): string => {
  const lines = [`expected: ${judgement.expected}`, `got: ${judgement.got}`];
  if (judgement.blame !== undefined) lines.push(`blame: ${judgement.blame}`);
  for (const { t, who, text, hex, here } of judgement.evidence)
    lines.push(
      `${(t / 1_000).toFixed(1)} ms  ${who}  ${text}${hex === undefined ? '' : `  [${hex}]`}${here ? '  <- here' : ''}`,
    );
  return xml(lines.join('\n')).replaceAll('&#10;', '\n');
};

/** failure: the target broke a MUST. error: a MUST could not be judged. skipped: not applicable, or an observation. */
const outcome = (check: Check): string => {
  const { judgement, standing } = check;
  const message = `message="${xml(judgement.summary)}"`;
  switch (standing) {
    case 'pass':
      return '';
    case 'fail':
      return `<failure ${message} type="${xml(judgement.clause)}">${body(check)}</failure>`;
    case 'inconclusive':
      return `<error ${message} type="inconclusive">${body(check)}</error>`;
    case 'not-applicable':
      return `<skipped ${message}/>`;
    case 'observation':
      return `<skipped message="${xml(`observation, not counted: ${judgement.summary}`)}"/>`;
  }
};

const testcase = (check: Check, scenario: string): string => {
  const { judgement } = check;
  const name = xml(`${judgement.clause} ${judgement.title}`);
  const open = `    <testcase name="${name}" classname="${xml(`relaylab.${scenario}`)}" time="0"`;
  const inside = outcome(check);
  return inside === '' ? `${open}/>` : `${open}>${inside}</testcase>`;
};

/** junit.xml: one suite, one case a clause; its time is the run's. */
export const renderJunit = (model: ReportModel): string => {
  const { counts, run } = model;
  const skipped = counts['not-applicable'] + counts.observation;
  const totals = `tests="${model.checks.length}" failures="${counts.fail}" errors="${counts.inconclusive}" time="${(run.endMicros / 1_000_000).toFixed(3)}"`;
  const properties = (
    [
      ['headline', model.headline],
      ['seed', run.seed],
      ['lab', run.lab],
      ['target', run.target],
      ['rerun', run.rerun],
      ['partial', model.partial ? model.partialWhy : 'no'],
      ['exitCode', String(model.exitCode)],
    ] as const
  ).map(([name, value]) => `      <property name="${name}" value="${xml(value)}"/>`);
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.exec(run.startedAt)?.[0];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="relaylab" ${totals}>`,
    `  <testsuite name="${xml(`relaylab ${run.scenario}`)}" ${totals} skipped="${skipped}"${stamp === undefined ? '' : ` timestamp="${stamp}"`}>`,
    '    <properties>',
    ...properties,
    '    </properties>',
    ...model.checks.map((check) => testcase(check, run.scenario)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
};
