import type { Evidence, Step } from '../../verdict/verdict.ts';
import type { Check } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { capital, whole } from '../words.ts';
import { CLASS, copyable, esc, heads, table } from './markup.ts';

const EVIDENCE_MAX = 60;

/** Bytes in pairs, as they are read in a wire log. */
const pairs = (hex: string): string => hex.replace(/(..)(?!$)/g, '$1 ');

const evidenceRow = (piece: Evidence): string =>
  `<tr role="row" class="${piece.here ? 'here' : ''}"><td role="cell" class="mono num">${(piece.t / 1_000).toFixed(1)}</td><td role="cell" class="mono">${esc(piece.who)}</td><td role="cell" class="mono bytes${piece.hex === undefined ? ' none' : ''}">${piece.hex === undefined ? '<span class="dim3">–</span>' : esc(pairs(piece.hex))}</td><td role="cell" class="read">${piece.here ? '<b>here:</b> ' : ''}${esc(piece.text)}</td></tr>`;

const wire = (check: Check): string => {
  const { evidence } = check.judgement;
  if (evidence.length === 0) return '';
  const more = evidence.length - EVIDENCE_MAX;
  return `${table(
    `${check.pin}: what was seen, in the order of time`,
    heads('#ms', 'who', 'bytes', 'reading'),
    evidence.slice(0, EVIDENCE_MAX).map(evidenceRow).join(''),
    'wire',
  )}${more > 0 ? `<p class="small dim">and ${whole(more)} more in report.json</p>` : ''}`;
};

const ORDER = ['user', 'users', 'relay', 'client', 'service'];

/** Users stand left, the relay in the middle, clients right; others as they come. */
const actorsOf = (steps: readonly Step[]): readonly string[] => {
  const names = [...new Set(steps.flatMap(({ from, to }) => [from, to]))];
  const place = (name: string): number => {
    const known = ORDER.findIndex((word) => name === word || name.startsWith(`${word} `));
    return known < 0 ? 3.5 : known;
  };
  return names
    .map((name, index) => ({ name, index }))
    .sort((a, b) => place(a.name) - place(b.name) || a.index - b.index)
    .map(({ name }) => name);
};

const KINDS: Readonly<Record<Step['kind'], string>> = {
  seen: '',
  wrong: 'wrong: ',
  missing: 'should have come: ',
};

/** Who said what to whom: the shortest proof of a broken conversation. Wrong arrows are thick, missing ones dashed. */
export const ladder = (model: ReportModel): string => {
  if (model.ladder === undefined) return '';
  const { pin, title, steps } = model.ladder;
  const actors = actorsOf(steps);
  const x = (name: string): number =>
    actors.length < 2 ? 50 : 12 + (76 * actors.indexOf(name)) / (actors.length - 1);
  const lines = actors.map((name) => `<i class="life" style="left:${x(name)}%"></i>`).join('');
  const heading = actors.map((name) => `<b style="left:${x(name)}%">${esc(name)}</b>`).join('');
  const arrows = steps
    .map(({ from, to, text, kind }) => {
      const left = Math.min(x(from), x(to));
      const width = Math.abs(x(from) - x(to));
      const back = x(to) < x(from) ? ' back' : '';
      return `<li class="${kind}"><span class="arrow${back}" style="left:${left}%;width:${width}%"><span class="tiny"><span class="vh">${esc(from)} to ${esc(to)}: ${KINDS[kind]}</span>${esc(text)}</span></span></li>`;
    })
    .join('');
  return `<figure class="ladder" aria-label="${esc(`${pin}: ${title}`)}"><figcaption class="small"><b>${pin}: ${esc(title)}</b> <span class="tiny dim">thick: wrong, dashed: should have come</span></figcaption><div class="stage"><div class="lives" aria-hidden="true">${lines}</div><p class="actors" aria-hidden="true">${heading}</p><ol>${arrows}</ol></div></figure>`;
};

const BLAMED: Readonly<Record<string, string>> = {
  target: 'target: the program that was judged',
  harness: 'harness: the lab, not the target',
  environment: 'environment: the machine or its load',
};

const article = (check: Check, rerun: string): string => {
  const { judgement, pin, standing } = check;
  const facts = [
    ['expected', judgement.expected],
    ['got', judgement.got],
    ['blame', judgement.blame === undefined ? 'not decided' : (BLAMED[judgement.blame] ?? judgement.blame)],
    ['source', judgement.source],
  ].filter(([, text]) => text !== '');
  const often =
    judgement.exercised === 0
      ? 'never exercised'
      : `${whole(judgement.broken)} of ${whole(judgement.exercised)} did not hold`;
  return `<article class="failure" id="${pin.toLowerCase()}"><header><span class="pin ${CLASS[standing]}" aria-hidden="true">${pin}</span><div><h3><span class="vh">${pin}: </span>${esc(capital(judgement.summary || judgement.title))}</h3><p class="tiny dim"><b>${esc(judgement.clause)}</b> ${judgement.level}: ${esc(judgement.title)}; ${often}</p></div></header><dl class="kv">${facts.map(([name, text]) => `<dt>${name}</dt><dd>${esc(text ?? '')}</dd>`).join('')}</dl>${wire(check)}${standing === 'fail' && rerun !== '' ? `<div class="re"><p class="small dim">Run this again:</p>${copyable(rerun)}<p class="small"><code>relaylab explain ${esc(judgement.clause)}</code> <span class="dim">shows the clause and what usually breaks it.</span></p></div>` : ''}</article>`;
};

/** Broken MUSTs, then undecided ones: expected, got, bytes with a reading, blame and the command that shows it again. */
export const failuresSection = (model: ReportModel): string => {
  const failed = model.checks.filter((check) => check.standing === 'fail');
  const unsure = model.checks.filter((check) => check.standing === 'inconclusive');
  if (failed.length + unsure.length === 0) return '';
  const title = failed.length > 0 ? 'What failed' : 'What is undecided';
  const lede =
    failed.length > 0
      ? 'What broke most often first.'
      : 'Nothing failed, but these promises were not tested, so the run proves nothing about them.';
  return `<section id="failed"><div class="wrap"><h2>${title}</h2><p class="lede">${lede}</p>${[...failed, ...unsure].map((check) => article(check, model.run.rerun)).join('')}</div></section>`;
};
