import type { PointsRow } from '../../measure/points.ts';
import type { ReportModel } from '../model.ts';
import { count, whole } from '../words.ts';
import { esc, heads, pin, table, wrongIfAny } from './markup.ts';

/** More sites than this become one row. */
const SITES_MAX = 40;

type Sums = {
  readonly agents: number;
  readonly made: number;
  readonly stored: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly foreign: number;
  readonly waiting: number;
  readonly losses: number;
};

const sumOf = (rows: readonly PointsRow[]): Sums => {
  const sum = (of: (row: PointsRow) => number): number => rows.reduce((all, row) => all + of(row), 0);
  return {
    agents: rows.length,
    made: sum(({ made }) => made),
    stored: sum(({ stored, counted }) => stored + counted),
    lost: sum(({ missingPoints, waiting }) => Math.max(0, missingPoints - waiting)),
    repeated: sum(({ repeated }) => repeated),
    reordered: sum(({ reordered }) => reordered),
    foreign: sum(({ foreign }) => foreign),
    waiting: sum(({ waiting, missingPoints }) => Math.min(waiting, missingPoints)),
    losses: sum(({ losses }) => losses),
  };
};

const cells = (sums: Sums): string => {
  const wrong = (n: number): string => `<td class="num">${wrongIfAny(n, whole(n))}</td>`;
  const plain = (n: number): string => `<td class="num">${whole(n)}</td>`;
  const { agents, made, stored, lost, repeated, reordered, foreign, waiting, losses } = sums;
  return [
    ...[plain(agents), plain(made), plain(stored), wrong(lost), wrong(repeated), wrong(reordered)],
    ...[wrong(foreign), wrong(waiting), plain(losses)],
  ].join('');
};

const HEADS = heads(
  'site',
  '#agents',
  '#made',
  '#stored',
  '#lost',
  '#repeated',
  '#reordered',
  '#foreign',
  '#still waiting',
  '#attempts that failed',
);

/** What became of measurement points, by site. */
export const pointsSection = (model: ReportModel): string => {
  const { rows, strangers, read } = model.points;
  if (rows.length === 0) return '';
  const sites = [...new Set(rows.map(({ agent }) => agent.site))];
  const shown = sites.length > SITES_MAX ? [] : sites;
  const body = shown
    .map((site) => {
      const mine = rows.filter(({ agent }) => agent.site === site);
      return `<tr><th scope="row">${esc(site)}</th>${cells(sumOf(mine))}</tr>`;
    })
    .join('');
  const total = `<tr class="sum"><th scope="row">all ${whole(sites.length)}</th>${cells(sumOf(rows))}</tr>`;
  const pins = model.checks
    .flatMap((check, index) => (check.section === 'points' && check.pin !== '' ? [pin(check, index)] : []))
    .join(' ');
  const notes = [
    ...(read ? [] : ['The store was not read to its end: what is missing is not known.']),
    ...(strangers > 0
      ? [`${count(strangers, 'point')} came under names that no agent of this run has.`]
      : []),
  ];
  const caption =
    'Every point carries its agent and its number, so a lost, doubled or changed one can be named. Read from the store itself.';
  return `<section id="points"><div class="wrap"><h2>Every point${pins === '' ? '' : ` ${pins}`}</h2>${table(caption, HEADS, body + total, 'ledger')}${notes.length > 0 ? `<p class="small dim notes">${notes.join(' ')}</p>` : ''}</div></section>`;
};
