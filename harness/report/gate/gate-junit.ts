import type { GateModel, GateRow } from '../../conformance/gate.ts';
import { xml } from '../junit.ts';
import { remedyOf, wireLine } from './gate-words.ts';

const WIRE_MAX = 40;

const content = (lines: readonly string[]): string => xml(lines.join('\n')).replaceAll('&#10;', '\n');

const body = (row: GateRow): string =>
  content([
    `clause: ${row.clause} ${row.level}`,
    `expected: ${row.expected}`,
    `got: ${row.got}`,
    `blame: ${row.blame ?? 'nobody'}`,
    ...row.wire.slice(-WIRE_MAX).map(wireLine),
    `again: ${row.rerun}`,
    `more: relaylab explain ${row.clause}`,
  ]);

const firstLine = (text: string): string => text.split('\n')[0] ?? '';

/** failure: the target broke a MUST. error: a MUST could not be judged. skipped: not applicable, known, or an observation. */
const outcome = (row: GateRow): string => {
  switch (row.standing) {
    case 'pass':
      return '';
    case 'fail':
      return `<failure message="${xml(`${row.clause}: expected ${row.expected}; got ${firstLine(row.got)}`)}" type="${xml(row.clause)}">${body(row)}</failure>`;
    case 'inconclusive':
      return `<error message="${xml(firstLine(row.got))}" type="inconclusive">${body(row)}</error>`;
    case 'known':
      return `<skipped message="${xml(`known failure: ${row.baseline?.reason ?? ''}`)}"/>`;
    case 'observation':
      return `<skipped message="${xml(`observation, not counted: ${firstLine(row.got)}`)}"/>`;
    case 'not-applicable':
      return `<skipped message="${xml(firstLine(row.got))}"/>`;
  }
};

const seconds = (millis: number): string => (millis / 1_000).toFixed(3);

const testcase = (row: GateRow): string => {
  const [profile = '', family = ''] = row.id.split('/');
  const open = `    <testcase name="${xml(row.id)}" classname="${xml(`relaylab.${profile}.${family}`)}" time="${seconds(row.millis)}"`;
  const inside = outcome(row);
  return inside === '' ? `${open}/>` : `${open}>${inside}</testcase>`;
};

type Totals = {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
};

const attributes = ({ tests, failures, errors }: Totals, millis: number): string =>
  `tests="${tests}" failures="${failures}" errors="${errors}" time="${seconds(millis)}"`;

const totalsOf = (rows: readonly GateRow[], stale: number): Totals => {
  const count = (...standings: readonly GateRow['standing'][]): number =>
    rows.filter(({ standing }) => standings.includes(standing)).length;
  return {
    tests: rows.length + stale,
    failures: count('fail') + stale,
    errors: count('inconclusive'),
    skipped: count('known', 'observation', 'not-applicable'),
  };
};

/** junit.xml: a suite a path; entries of the baseline that are out of date are a suite of failures. */
export const renderGateJunit = (model: GateModel): string => {
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.exec(model.startedAt)?.[0] ?? '1970-01-01T00:00:00';
  const properties = (
    [
      ['headline', model.headline],
      ['target', model.target],
      ['seed', model.seed],
      ['rerun', model.rerun],
      ['partial', model.partial === '' ? 'no' : model.partial],
      ['exitCode', String(model.exitCode)],
    ] as const
  ).map(([name, value]) => `      <property name="${name}" value="${xml(value)}"/>`);
  const suite = (
    name: string,
    totals: Totals,
    millis: number,
    cases: readonly string[],
  ): readonly string[] => [
    `  <testsuite name="${xml(name)}" ${attributes(totals, millis)} skipped="${totals.skipped}" timestamp="${stamp}">`,
    '    <properties>',
    ...properties,
    '    </properties>',
    ...cases,
    '  </testsuite>',
  ];
  const suites = model.paths.flatMap((path) => {
    const rows = model.rows.filter((row) => row.path === path);
    const millis = rows.reduce((sum, row) => sum + row.millis, 0);
    return suite(`relaylab ${model.profile} ${path}`, totalsOf(rows, 0), millis, rows.map(testcase));
  });
  const stale = model.stale.map(
    ({ entry, why }) =>
      `    <testcase name="${xml(entry.case)}" classname="relaylab.baseline" time="0"><failure message="${xml(why)}" type="stale">${content([`reason: ${entry.reason}`, `owner: ${entry.owner}`, remedyOf({ entry, why })])}</failure></testcase>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="relaylab" ${attributes(totalsOf(model.rows, model.stale.length), model.millis)}>`,
    ...suites,
    ...(stale.length === 0 ? [] : suite('relaylab baseline', totalsOf([], stale.length), 0, stale)),
    '</testsuites>',
    '',
  ].join('\n');
};
