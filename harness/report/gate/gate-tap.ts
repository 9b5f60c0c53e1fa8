import type { GateModel, GateRow } from '../../conformance/gate.ts';
import { described, scalar } from '../tap.ts';
import { plain } from '../words.ts';
import { onPath } from './gate-words.ts';

const WIRE_MAX = 40;

const diagnostics = (row: GateRow): readonly string[] => {
  const facts: (readonly [string, string])[] = [
    ['clause', row.clause],
    ['level', row.level],
    ['verdict', row.verdict],
    ['expected', row.expected],
    ['got', row.got],
    ['rerun', row.rerun],
  ];
  if (row.blame !== undefined) facts.push(['blame', row.blame]);
  if (row.pin !== '') facts.push(['pin', row.pin]);
  if (row.baseline !== undefined) facts.push(['reason', row.baseline.reason], ['owner', row.baseline.owner]);
  const lines = facts.map(([key, value]) => `  ${key}: ${scalar(plain(value))}`);
  if (row.wire.length > 0) lines.push('  wire:');
  for (const { millis, conn, from, text, hex, bytes, here } of row.wire.slice(-WIRE_MAX)) {
    lines.push(`    - ms: ${millis}`, `      from: ${from}`, `      text: ${scalar(plain(text))}`);
    if (conn !== '') lines.push(`      conn: ${scalar(plain(conn))}`);
    if (bytes > 0) lines.push(`      bytes: ${bytes}`, `      hex: ${scalar(hex)}`);
    if (here) lines.push('      here: true');
  }
  return ['  ---', ...lines, '  ...'];
};

/** `# TODO` where it is reported and not counted, `# SKIP` where it was not tested. */
const directive = ({ standing, baseline, got }: GateRow): string => {
  if (standing === 'not-applicable') return ` # SKIP ${described(got)}`;
  if (standing === 'known') return ` # TODO known failure: ${described(baseline?.reason ?? '')}`;
  return standing === 'observation' ? ' # TODO observation, not counted' : '';
};

/** report.tap: TAP 14. An undecided MUST and an entry of the baseline that is out of date are `not ok`. */
export const renderGateTap = (model: GateModel): string => {
  const count = model.rows.length + model.stale.length;
  const lines = [
    'TAP version 14',
    `1..${count}${count === 0 ? ' # SKIP nothing was judged' : ''}`,
    `# ${described(model.headline)}`,
    `# ${described(model.rerun)}`,
  ];
  if (model.partial !== '') lines.push(`# partial: ${described(model.partial)}`);
  model.rows.forEach((row, index) => {
    const ok = row.standing === 'pass' || row.standing === 'not-applicable';
    const name = `${row.id}${onPath(row.path)} ${row.clause}: ${row.title}`;
    lines.push(`${ok ? 'ok' : 'not ok'} ${index + 1} - ${described(name)}${directive(row)}`);
    if (row.standing !== 'pass') lines.push(...diagnostics(row));
  });
  model.stale.forEach(({ entry, why }, index) => {
    lines.push(
      `not ok ${model.rows.length + index + 1} - ${described(`baseline ${entry.case}: ${why}`)}`,
      '  ---',
      `  reason: ${scalar(plain(entry.reason))}`,
      `  owner: ${scalar(plain(entry.owner))}`,
      '  ...',
    );
  });
  return `${lines.join('\n')}\n`;
};
