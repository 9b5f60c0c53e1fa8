/** The wall (a column a case, a row a path) and the grid below it that says the same in words. */
import type { GateModel, GateRow, GateStanding } from '../../conformance/gate.ts';
import { CLASS, esc, mark } from '../html/markup.ts';
import { whole } from '../words.ts';
import { drawnAs, shownCounts, wireLine } from './gate-words.ts';

const WORST: readonly GateStanding[] = [
  'fail',
  'inconclusive',
  'known',
  'observation',
  'pass',
  'not-applicable',
];
/** Of the wire log of a case that holds: its beginning, enough to see what was asked. */
const PASSED_WIRE_MAX = 14;

/** One case on all its paths, in the run's order of paths; a path where it did not run is absent. */
type GridCase = { readonly id: string; readonly rows: readonly GateRow[]; readonly worst: GateStanding };
type Family = { readonly name: string; readonly cases: readonly GridCase[] };

const worstOf = (rows: readonly GateRow[]): GateStanding =>
  WORST.find((standing) => rows.some((row) => row.standing === standing)) ?? 'not-applicable';

const familyOf = (id: string): string => id.split('/')[1] ?? '';

/** Families as the profile has them, those that fail first; in each, what fails first. */
export const familiesOf = (model: GateModel): readonly Family[] => {
  const byId = new Map<string, GateRow[]>();
  for (const row of model.rows) byId.set(row.id, [...(byId.get(row.id) ?? []), row]);
  const families = new Map<string, GridCase[]>();
  for (const [id, rows] of byId) {
    const name = familyOf(id);
    families.set(name, [...(families.get(name) ?? []), { id, rows, worst: worstOf(rows) }]);
  }
  const rank = ({ worst }: GridCase): number => WORST.indexOf(worst);
  return [...families].map(([name, cases]) => ({
    name,
    cases: cases.sort((a, b) => rank(a) - rank(b)),
  }));
};

/** Where a case stands on the page. */
export const caseAnchor = (id: string): string => `case-${id.replace(/[^a-z0-9]+/gi, '-')}`;

const on = ({ rows }: GridCase, path: string): GateRow | undefined => rows.find((row) => row.path === path);

/** The whole run at a glance; the grid holds the same as a table. */
export const wall = (model: GateModel): string => {
  const shape = ({ name, cases }: Family): string => {
    const cells = model.paths.flatMap((path) =>
      cases.map((item) => {
        const standing = on(item, path)?.standing;
        const kind = standing === undefined ? 'na' : CLASS[drawnAs(standing)];
        return `<a class="${kind}" href="#${caseAnchor(item.id)}" tabindex="-1" aria-label="${esc(`${item.id} ${path}: ${standing ?? 'not run'}`)}"></a>`;
      }),
    );
    return `<li style="--n:${cases.length}"><p>${esc(name)}</p><div class="mosaic">${cells.join('')}</div></li>`;
  };
  const rows = model.paths.length > 1 ? `, each row a path: ${model.paths.map(esc).join(', ')}` : '';
  return `<figure class="wallfig"><figcaption class="tiny dim">Each column is a case${rows}. Notched: failed. Dotted: inconclusive. Framed: reported, not counted. Dash: not applicable.</figcaption><ol class="families" aria-label="Overview; the table of cases holds the same">${familiesOf(model).map(shape).join('')}</ol></figure>`;
};

const logOf = (row: GateRow): string => {
  const events = row.standing === 'pass' ? row.wire.slice(0, PASSED_WIRE_MAX) : row.wire;
  if (events.length + row.receipts.length === 0) return '';
  const more = row.wire.length - events.length;
  const rest = more > 0 ? `\n(and ${whole(more)} more in report.json)` : '';
  return `<details><summary>wire log</summary><pre tabindex="0">${esc([...row.receipts, ...events.map(wireLine)].join('\n'))}${rest}</pre></details>`;
};

const rowOf = (item: GridCase, paths: readonly string[]): string => {
  const [first] = item.rows;
  if (first === undefined) return '';
  const cells = paths.map((path) => {
    const row = on(item, path);
    if (row === undefined) return '<td class="cell"><span class="dim3">not run</span></td>';
    const drawn = drawnAs(row.standing);
    const link =
      row.standing === 'fail' || row.standing === 'inconclusive' ? ` href="#${row.pin.toLowerCase()}"` : '';
    const shown = link === '' ? mark(drawn) : `<a${link}>${mark(drawn)}</a>`;
    return `<td class="cell ${CLASS[drawn]}">${shown}</td>`;
  });
  const closing = first.closing === 'not judged' ? '' : ` <span class="dim">closing: ${first.closing}</span>`;
  const seen = [...new Set(item.rows.flatMap(({ observations }) => observations))].slice(0, 3);
  const notes = seen.map((text) => `<span class="what">${esc(text)}</span>`).join('');
  const why =
    item.worst === 'pass'
      ? ''
      : `<span class="what">${esc(item.rows.find(({ standing }) => standing === item.worst)?.got.split('\n')[0] ?? '')}</span>`;
  // what failed has its log above, with the bytes
  const log = item.worst === 'fail' || item.worst === 'inconclusive' ? '' : logOf(first);
  return `<tr id="${caseAnchor(item.id)}" data-v="${item.worst}"><th scope="row"><span class="cid">${esc(item.id.slice(item.id.indexOf('/') + 1))}</span> <span class="tiny dim"><code>${esc(first.clause)}</code> ${first.level}</span>${closing}<span class="what">${esc(first.title)}</span>${why}${notes}${log}</th>${cells.join('')}<td class="num dim3 ms">${whole(first.millis)}</td></tr>`;
};

const filter = (families: readonly Family[]): string => {
  const cases = families.flatMap((family) => family.cases);
  const kinds = WORST.map((worst) => ({ worst, n: cases.filter((item) => item.worst === worst).length }));
  const there = kinds.filter(({ n }) => n > 0);
  if (there.length < 2) return '';
  const button = (value: string, words: string, pressed: boolean): string =>
    `<button type="button" data-v="${value}" aria-pressed="${pressed}">${words}</button>`;
  return `<div class="filter js noprint" role="group" aria-label="Show">${button('all', `All ${whole(cases.length)}`, true)}${there.map(({ worst, n }) => button(worst, `${mark(drawnAs(worst), false)} ${whole(n)} ${worst}`, false)).join('')}</div>`;
};

/** Every case on every path. */
export const gridSection = (model: GateModel): string => {
  const families = familiesOf(model);
  if (families.length === 0)
    return '<section id="cases"><div class="wrap"><h2>Cases</h2><p>Nothing was judged.</p></div></section>';
  const columns = model.paths
    .map((path) => `<th scope="col" class="pc"><span>${esc(path)}</span></th>`)
    .join('');
  const bodies = families.map(({ name, cases }) => {
    const failed = cases.filter(({ worst }) => worst === 'fail').length;
    const bad = failed === 0 ? '' : `, <b class="t-fail">${failed} failed</b>`;
    return `<tbody><tr class="fam"><th scope="rowgroup" colspan="${model.paths.length + 1}">${esc(name)}<span class="dim">${cases.length} case${cases.length === 1 ? '' : 's'}${bad}</span></th><td class="ms"></td></tr>${cases.map((item) => rowOf(item, model.paths)).join('')}</tbody>`;
  });
  return `<section id="cases"><div class="wrap"><h2>Cases${model.paths.length > 1 ? ' and paths' : ''}</h2><p class="lede">Only a MUST decides the verdict; how a connection was closed is latitude unless a clause asks for more.</p>${filter(families)}<div class="scroll"><table class="cases"><caption class="vh">Verdict of every case on every path</caption><thead><tr><th scope="col">case</th>${columns}<th scope="col" class="num ms">ms</th></tr></thead>${bodies.join('')}</table></div></div></section>`;
};

/** A row a path: where it breaks. Nothing to compare on one path. */
export const byPath = (model: GateModel): string => {
  if (model.paths.length < 2) return '';
  const counts = shownCounts(model);
  const rows = model.paths.map((path) => {
    const of = model.rows.filter((row) => row.path === path);
    const cells = counts.map(([standing]) => {
      const n = of.filter((row) => row.standing === standing).length;
      const kind = n === 0 ? 'dim3' : standing === 'fail' ? 't-fail' : '';
      return `<td class="num ${kind}">${n}</td>`;
    });
    return `<tr><th scope="row">${esc(path)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table class="bypath"><caption>Where it breaks</caption><thead><tr><th scope="col">path</th>${counts.map(([, word]) => `<th scope="col" class="num">${word}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
};
