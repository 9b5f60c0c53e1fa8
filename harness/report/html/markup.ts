import type { Check, Standing } from '../checks.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is safe in content and in quoted attributes. Everything that comes from a run goes through here. */
export const esc = (text: string | number): string =>
  String(text)
    .toWellFormed()
    .replace(/[^\P{Cc}\n\t]/gu, '\ufffd')
    .replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);

/** At most one or two digits after the point: coordinates. */
export const r1 = (n: number): string => String(Math.round(n * 10) / 10);
/** See `r1`. */
export const r2 = (n: number): string => String(Math.round(n * 100) / 100);

/** Horizontal place in per cent of a run of `end` microseconds. */
export const across = (t: number, end: number): string =>
  `${r2(end > 0 ? Math.min(100, Math.max(0, (t / end) * 100)) : 0)}%`;

/** Outlines differ, so marks read without colour: disc with tick, diamond with cross, dashed ring with ?, dash, ring with dot. */
const SHAPES: Readonly<Record<Standing, string>> = {
  pass: '<circle cx="8" cy="8" r="7" fill="currentColor"/><path d="M4.6 8.3l2.3 2.3 4.5-4.9" fill="none" stroke="var(--surface)" stroke-width="1.8"/>',
  fail: '<path d="M8 .2 15.8 8 8 15.8.2 8z" fill="currentColor"/><path d="M5.6 5.6l4.8 4.8m0-4.8l-4.8 4.8" stroke="var(--surface)" stroke-width="1.8"/>',
  inconclusive:
    '<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2.1"/><path d="M6.1 6.3c0-2.6 3.9-2.5 3.9 0 0 1.5-1.9 1.5-1.9 3M8.1 11v1.4" fill="none" stroke="currentColor" stroke-width="1.6"/>',
  'not-applicable': '<path d="M4 8h8" stroke="currentColor" stroke-width="1.8"/>',
  observation:
    '<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 4v5.2M8 10.8v1.5" stroke="currentColor" stroke-width="1.7"/>',
};

/** Words a screen reader says for a mark. */
const SPOKEN: Readonly<Record<Standing, string>> = {
  pass: 'pass',
  fail: 'fail',
  inconclusive: 'inconclusive',
  'not-applicable': 'not applicable',
  observation: 'observed, not counted',
};

/** CSS class of a standing. */
export const CLASS: Readonly<Record<Standing, string>> = {
  pass: 'pass',
  fail: 'fail',
  inconclusive: 'unsure',
  'not-applicable': 'na',
  observation: 'seen',
};

/** Defined once, used by the hundred. */
export const SYMBOLS = `<svg width="0" height="0" class="defs" aria-hidden="true">${Object.entries(SHAPES)
  .map(([standing, shape]) => `<symbol id="m-${standing}" viewBox="0 0 16 16">${shape}</symbol>`)
  .join(
    '',
  )}<defs><pattern id="hatch" width="3.2" height="3.2" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V3.2" stroke="var(--violet)" stroke-width="1.7"/></pattern></defs></svg>`;

/** A verdict mark; `spoken` false where the word stands beside it. */
export const mark = (standing: Standing, spoken = true): string =>
  `<svg class="mk ${CLASS[standing]}" ${spoken ? `role="img" aria-label="${SPOKEN[standing]}"` : 'aria-hidden="true"'}><use href="#m-${standing}"/></svg>`;

/** The mark as a picture of its own (no CSS variables inside). */
export const iconShape = (standing: Standing): string =>
  SHAPES[standing].replaceAll('var(--surface)', '#fff');

/** Where the evidence of a pinned check is on the page. */
export const hrefOf = (check: Check, index: number): string =>
  check.standing === 'fail' || check.standing === 'inconclusive'
    ? `#${check.pin.toLowerCase()}`
    : `#check-${index + 1}`;

/** A small box with the check's number, linked to its evidence. */
export const pin = (check: Check, index: number, extra = ''): string =>
  `<a class="pin ${CLASS[check.standing]}${extra === '' ? '' : ` ${extra}`}" href="${hrefOf(check, index)}" aria-label="${check.pin}: ${esc(check.judgement.title)}">${check.pin}</a>`;

/** Zeros are shown, quietly; anything else is boxed. */
export const wrongIfAny = (n: number, text: string): string =>
  n === 0 ? '<span class="dim3">0</span>' : `<span class="bad">${text}</span>`;

/** A table that scrolls sideways on narrow screens; `caption` is visible unless it ends with `!`. */
export const table = (caption: string, head: string, rows: string, kind = ''): string => {
  const hidden = caption.endsWith('!');
  const words = hidden ? caption.slice(0, -1) : caption;
  // Tables that become stacks on phones lose their roles in some browsers unless these are written down.
  const roles = kind === 'checks' || kind === 'wire';
  const role = (name: string): string => (roles ? ` role="${name}"` : '');
  const columns = roles ? head.replaceAll('<th ', '<th role="columnheader" ') : head;
  return `<div class="scroll"><table${role('table')}${kind === '' ? '' : ` class="${kind}"`}><caption${hidden ? ' class="vh"' : ''}>${words}</caption><thead${role('rowgroup')}><tr${role('row')}>${columns}</tr></thead><tbody${role('rowgroup')}>${rows}</tbody></table></div>`;
};

/** Column heads; a leading `#` makes a numeric column. */
export const heads = (...names: readonly string[]): string =>
  names
    .map((name) => {
      const number = name.startsWith('#');
      const text = number ? name.slice(1) : name;
      const kind = number ? ' class="num"' : '';
      return text === '' ? `<td${kind}></td>` : `<th scope="col"${kind}>${text}</th>`;
    })
    .join('');

/** A command with a button that copies it. */
export const copyable = (command: string): string =>
  `<div class="cmd"><code tabindex="0">${esc(command)}</code><button type="button" class="js" data-copy aria-label="Copy the command">Copy</button></div>`;
