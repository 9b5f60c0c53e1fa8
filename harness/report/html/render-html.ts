import { OUTCOMES } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { checksSection } from './checks-section.ts';
import { comingBackSection } from './coming-back.ts';
import { failuresSection } from './failures-section.ts';
import { ledgerSection } from './ledger-section.ts';
import { esc } from './markup.ts';
import { pointsSection } from './points-section.ts';
import { inScript, replayData } from './replay.ts';
import { rerunSection } from './rerun-section.ts';
import { shell } from './shell.ts';
import { speedSection } from './speed-section.ts';
import { timelineSection } from './timeline.ts';
import { standingOfRun, verdictSection } from './verdict-section.ts';

/** Order and names of the sections after the verdict; a section without anything to show is left out. */
const SECTIONS = [
  ['failed', 'What failed', failuresSection],
  ['timeline', 'What happened', timelineSection],
  ['comeback', 'Coming back', comingBackSection],
  ['speed', 'Speed', speedSection],
  ['ledger', 'Every byte', ledgerSection],
  ['points', 'Every point', pointsSection],
] as const;

/** report.html: one self-contained page; works off line, without script, in print, from 360 to 1600 px, light and dark. */
export const renderHtml = (model: ReportModel): string => {
  const parts = SECTIONS.map(([id, words, render]) => ({ id, words, html: render(model) })).filter(
    ({ html }) => html !== '',
  );
  const present = new Set<string>(parts.map(({ id }) => id));
  const { run } = model;
  const badge = OUTCOMES[model.exitCode].badge;
  const undecided = model.counts.fail === 0;
  const nav = [
    ...parts.map(({ id, words }) => [id, id === 'failed' && undecided ? 'Undecided' : words] as const),
    ['checks', 'All checks'] as const,
    ['rerun', 'Run it again'] as const,
  ];
  return shell({
    title: `${badge}: ${run.scenario}${run.seed === '' ? '' : `, seed ${run.seed}`}`,
    what: `<b>${esc(run.scenario)}</b> in the ${esc(run.lab)} lab${run.seed === '' ? '' : `, seed ${esc(run.seed)}`}`,
    standing: standingOfRun(model),
    nav,
    body:
      verdictSection(model) +
      parts.map(({ html }) => html).join('') +
      checksSection(model, present) +
      rerunSection(model),
    data: inScript(replayData(model)),
    foot: `Printed by relaylab ${esc(run.version)} from the same model as report.json. Self-contained: no script, style, font or picture is fetched.`,
  });
};
