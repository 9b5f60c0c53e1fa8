/** The files a run of the gate leaves: all printed from one value, so none can differ from report.json. */
import { join } from 'node:path';
import type { GateModel } from '../../conformance/gate.ts';
import { renderGateBadge } from './gate-badge.ts';
import { renderGateHtml } from './gate-html.ts';
import { renderGateJunit } from './gate-junit.ts';
import { renderGateMarkdown } from './gate-markdown.ts';
import { renderGateTap } from './gate-tap.ts';

/** Changes only when a field is renamed or removed; additions keep it. */
export const GATE_FORMAT = 'relaylab-gate/1';

/** @returns the path to name at the end */
export const writeGateReports = (
  folder: string,
  model: GateModel,
  write: (path: string, text: string) => void,
): string => {
  const html = join(folder, 'report.html');
  write(html, renderGateHtml(model));
  write(join(folder, 'report.json'), `${JSON.stringify({ format: GATE_FORMAT, ...model }, undefined, 1)}\n`);
  write(join(folder, 'report.md'), renderGateMarkdown(model));
  write(join(folder, 'report.tap'), renderGateTap(model));
  write(join(folder, 'junit.xml'), renderGateJunit(model));
  write(join(folder, 'badge.json'), renderGateBadge(model));
  return html;
};
