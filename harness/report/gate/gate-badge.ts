import type { GateModel } from '../../conformance/gate.ts';

/** badge.json, as shields.io reads it by `endpoint`. Only a whole run may be green. */
export const renderGateBadge = (model: GateModel): string => {
  const { counts, exitCode, partial } = model;
  const judged = counts.pass + counts.fail + counts.known + counts.inconclusive;
  const message =
    exitCode === 0
      ? `${counts.pass} of ${judged} cases hold${partial === '' ? '' : ' (partial)'}`
      : exitCode === 1
        ? `${counts.fail} of ${judged} cases fail`
        : exitCode === 5
          ? 'stale baseline'
          : 'undecided';
  const color =
    exitCode === 1
      ? 'red'
      : exitCode !== 0 || partial !== ''
        ? 'lightgrey'
        : counts.known > 0
          ? 'yellow'
          : 'brightgreen';
  return `${JSON.stringify({ schemaVersion: 1, label: `${model.profile} conformance`, message, color })}\n`;
};
