import type { Check } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { shownCounts } from '../terminal.ts';
import { capital, whole } from '../words.ts';
import { CLASS, esc, heads, hrefOf, mark, pin, table } from './markup.ts';

const SECTIONS: Readonly<Record<Check['section'], string>> = {
  timeline: 'what happened',
  comeback: 'coming back',
  speed: 'speed',
  ledger: 'every byte',
  points: 'every point',
  checks: '',
};

const row = (check: Check, index: number, present: ReadonlySet<string>): string => {
  const { judgement, standing, section } = check;
  const link = present.has(section) ? ` <a class="tiny nw" href="#${section}">${SECTIONS[section]}</a>` : '';
  const often =
    judgement.exercised > 0
      ? `<span class="tiny dim nw">${whole(judgement.exercised)} times exercised</span>`
      : '';
  const summary =
    standing === 'pass' || standing === 'not-applicable'
      ? `<span class="dim">${esc(capital(judgement.summary))}</span>`
      : `<b>${esc(capital(judgement.summary))}</b>`;
  return `<tr role="row" id="check-${index + 1}" data-v="${standing}"><td role="cell">${mark(standing)}</td><td role="cell" class="nw"><code>${esc(judgement.clause)}</code>${check.pin === '' ? '' : ` ${pin(check, index)}`}<br><span class="tiny dim">${judgement.level}</span></td><td role="cell">${esc(capital(judgement.title))}<br><span class="tiny dim">${esc(judgement.source)}</span></td><td role="cell">${summary} ${often}${link}</td></tr>`;
};

/** Buttons that show one kind of check; without script all are shown and the buttons are not. */
const filter = (model: ReportModel): string => {
  const kinds = shownCounts(model).filter(([, , n]) => n > 0);
  if (kinds.length < 2) return '';
  const button = (value: string, words: string, pressed: boolean): string =>
    `<button type="button" data-v="${value}" aria-pressed="${pressed}">${words}</button>`;
  return `<div class="filter js noprint" role="group" aria-label="Show">${button('all', `All ${whole(model.checks.length)}`, true)}${kinds.map(([standing, word, n]) => button(standing, `${mark(standing, false)} ${whole(n)} ${word}`, false)).join('')}</div>`;
};

/** Every judgement with its evidence in one line, worst first. */
export const checksSection = (model: ReportModel, present: ReadonlySet<string>): string => {
  const observed =
    model.counts.observation > 0 ? ' A SHOULD that does not hold is observed, not counted.' : '';
  const body =
    model.checks.length === 0
      ? '<p>Nothing was judged.</p>'
      : `${filter(model)}${table('All checks with verdicts!', heads('verdict', 'clause', 'requirement', 'what was seen'), model.checks.map((check, index) => row(check, index, present)).join(''), 'checks')}`;
  return `<section id="checks"><div class="wrap"><h2>All checks</h2><p class="lede">Only a MUST decides the verdict.${observed}</p>${body}</div></section>`;
};

/** A mark a check, each a link to its row: the whole run at a glance. */
export const wall = (model: ReportModel): string =>
  model.checks.length === 0
    ? ''
    : `<ul class="wall" aria-label="All checks">${model.checks
        .map(
          ({ standing, judgement }, index) =>
            `<li><a class="${CLASS[standing]}" href="#check-${index + 1}" title="${esc(`${judgement.clause}: ${judgement.title}`)}" tabindex="-1">${mark(standing)}</a></li>`,
        )
        .join('')}</ul>`;

/** What failed or is undecided, as links to the evidence. */
export const failList = (model: ReportModel): string => {
  const pinned = model.checks
    .map((check, index) => ({ check, index }))
    .filter(({ check }) => check.pin !== '');
  if (pinned.length === 0) return '';
  const shown = pinned.slice(0, 8);
  const more = pinned.length - shown.length;
  return `<ol class="fails">${shown
    .map(
      ({ check, index }) =>
        `<li><span class="pin ${CLASS[check.standing]}" aria-hidden="true">${check.pin}</span><a href="${hrefOf(check, index)}"><span class="vh">${check.pin}: </span>${esc(capital(check.judgement.summary || check.judgement.title))}</a></li>`,
    )
    .join('')}${more > 0 ? `<li><span></span><a href="#checks">and ${whole(more)} more</a></li>` : ''}</ol>`;
};
