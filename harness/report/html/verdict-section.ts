import { OUTCOMES, type Standing } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { shownCounts } from '../terminal.ts';
import { whole } from '../words.ts';
import { failList, wall } from './checks-section.ts';
import { ladder } from './failures-section.ts';
import { CLASS, esc, mark } from './markup.ts';
import { topology } from './topology.ts';

/** The mark that goes with an outcome. */
export const standingOfRun = (model: ReportModel): Standing => {
  if (model.outcome === 'passed') return 'pass';
  return model.outcome === 'failed' || model.outcome === 'harness error' ? 'fail' : 'inconclusive';
};

/** The verdict as a sentence with its counts, beside the topology. */
export const verdictSection = (model: ReportModel): string => {
  const standing = standingOfRun(model);
  const badge = OUTCOMES[model.exitCode].badge;
  const partial = model.partial ? `<span class="tag">partial: ${esc(model.partialWhy)}</span>` : '';
  const counts = shownCounts(model)
    .map(([kind, word, n]) => `<li>${mark(kind, false)}<span><b>${whole(n)}</b> ${word}</span></li>`)
    .join('');
  const { run } = model;
  const fails = failList(model);
  const map = topology(model);
  const proof = ladder(model);
  const right = map === '' && proof === '' ? '' : `<div class="right">${map}${proof}</div>`;
  return `<section class="v"><div class="wrap first${right === '' ? ' alone' : ''}"><div class="left"><p class="badges"><span class="badge ${CLASS[standing]}">${mark(standing, false)}${badge}</span>${partial}</p><h1>${esc(model.headline)}</h1>${model.detail === '' ? '' : `<p class="asked">${esc(model.detail)}</p>`}<ul class="counts">${counts}</ul>${fails === '' ? wall(model) : fails}<p class="asked small"><b>Asked:</b> does <code>${esc(run.target)}</code> keep its promises in the scenario <span${run.scenario.length > 24 ? '' : ' class="nw"'}>${esc(run.scenario)}</span>? Run in the ${esc(run.lab)} lab${run.labReason === '' ? '' : ` (${esc(run.labReason)})`}.</p></div>${right}</div></section>`;
};
