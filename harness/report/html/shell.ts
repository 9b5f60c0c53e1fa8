import { createHash } from 'node:crypto';
import type { Standing } from '../checks.ts';
import { esc, iconShape, SYMBOLS } from './markup.ts';
import { PLOT_STYLE } from './plot-style.ts';
import { SCRIPT } from './replay.ts';
import { STYLE } from './style.ts';
import { TOKENS } from './tokens.ts';

const LOGO =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 10 3 3.5M10 10H2M10 10l-7 6.5M10 10h8" stroke="currentColor" stroke-width="1.3" fill="none"/><circle cx="10" cy="10" r="3.6" fill="currentColor"/><circle cx="3" cy="3.5" r="1.7" fill="var(--blue)"/><circle cx="2" cy="10" r="1.7" fill="var(--blue)"/><circle cx="3" cy="16.5" r="1.7" fill="var(--blue)"/><path d="M16.4 8.4h3.2v3.2h-3.2z" fill="currentColor"/></svg>';

const ICON_COLOUR: Readonly<Record<Standing, string>> = {
  pass: TOKENS.pass[0],
  fail: TOKENS.fail[0],
  inconclusive: TOKENS.unsure[0],
  'not-applicable': TOKENS.ink3[0],
  observation: TOKENS.unsure[0],
};

/** An inline icon, so that a browser does not ask a server for one. */
const icon = (standing: Standing): string => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" color="${ICON_COLOUR[standing]}">${iconShape(standing)}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
};

/** A number never parts from its unit at a line's end. */
const tight = (html: string): string =>
  html.replace(/>[^<]+/g, (text) => text.replace(/(\d) (s|ms|min|B|kB|MB|GB|%|×)(?![\w])/g, '$1\u00a0$2'));

export type Shell = {
  readonly title: string;
  /** One line in the bar: scenario, lab, seed. Markup. */
  readonly what: string;
  readonly standing: Standing;
  readonly nav: readonly (readonly [id: string, words: string])[];
  readonly body: string;
  /** Rules that only this page needs. */
  readonly style?: string;
  /** JSON for the script, already safe inside a script element. */
  readonly data: string;
  readonly foot: string;
};

/**
 * The page around the sections. The policy allows this page's one script by its hash, inline styles and the inline icon:
 * nothing is fetched, and nothing that a run says can become script.
 */
export const shell = (page: Shell): string => {
  const hash = createHash('sha256').update(SCRIPT).digest('base64');
  const policy = `default-src 'none';style-src 'unsafe-inline';script-src 'sha256-${hash}';img-src data:;base-uri 'none';form-action 'none'`;
  const nav = page.nav.map(([id, words]) => `<a href="#${id}">${words}</a>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark"><title>${esc(page.title)}</title><link rel="icon" href="${icon(page.standing)}"><style>${STYLE}${PLOT_STYLE}${page.style ?? ''}</style></head>
<body>${SYMBOLS}<a class="skip" href="#main">Skip to the verdict</a>
<header class="bar"><div class="wrap"><span class="logo">${LOGO}relaylab</span><span class="what">${page.what}</span><nav aria-label="Sections">${nav}</nav></div></header>
<main id="main">${tight(page.body)}</main><footer><div class="wrap">${page.foot}</div></footer>
<script type="application/json" id="replay">${page.data}</script><script>${SCRIPT}</script></body></html>
`;
};
