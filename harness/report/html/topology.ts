import type { Lane } from '../../measure/lanes.ts';
import type { ModeCounts } from '../../measure/run-facts.ts';
import type { Check } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { count, whole } from '../words.ts';
import { esc, pin, r1 } from './markup.ts';

/** Glyphs drawn for a row; beyond it one glyph stands for several. */
export const GLYPHS_MAX = 20;
const STEP = 8.4;
const MODES = ['pool', 'event', 'multiplex'] as const;
type Shape = (typeof MODES)[number];

/** Stroke patterns tell links apart without colour; an unknown profile gets one of its own by its name. */
const DASHES: Readonly<Record<string, string>> = {
  clean: '',
  mobile: '7 4',
  slow: '2 4',
  lossy: '11 4 2 4',
  stalling: '18 9',
  satellite: '1 6',
};
const dashOf = (link: string): string =>
  DASHES[link] ?? `${3 + (link.length % 5) * 3} ${2 + (link.length % 3) * 2}`;

const glyph = (shape: Shape | 'square', x: number): string => {
  switch (shape) {
    case 'pool':
      return `<circle class="d" cx="${r1(x)}" cy="6" r="3.4"/>`;
    case 'event':
      return `<path class="d" d="M${r1(x)} 2.1l4 7.2h-8z"/>`;
    case 'multiplex':
    case 'square':
      return `<path class="d" d="M${r1(x - 3.2)} 2.8h6.4v6.4h-6.4z"/>`;
  }
};

/** What stands for whom in one row: a glyph a client, or a square a site. */
export type RowGlyphs = { readonly shapes: readonly (Shape | 'square')[]; readonly each: number };

export const glyphsOf = (model: ReportModel, lane: Lane): RowGlyphs => {
  if (model.grouped) {
    const each = Math.max(1, Math.ceil(lane.sites.length / GLYPHS_MAX));
    return {
      shapes: Array.from({ length: Math.ceil(lane.sites.length / each) }, () => 'square' as const),
      each,
    };
  }
  const modes = modesOf(model, lane);
  const each = Math.max(1, Math.ceil(lane.clients / GLYPHS_MAX));
  const shapes = MODES.flatMap((mode) => Array.from({ length: Math.ceil(modes[mode] / each) }, () => mode));
  return { shapes, each };
};

const modesOf = (model: ReportModel, lane: Lane): ModeCounts => {
  const sum = { pool: 0, event: 0, multiplex: 0, forwarder: 0 };
  for (const index of lane.sites) {
    const modes = model.sites[index]?.modes;
    if (modes === undefined) continue;
    for (const mode of [...MODES, 'forwarder'] as const) sum[mode] += modes[mode];
  }
  return sum;
};

const dots = (glyphs: RowGlyphs, row: number): string => {
  const width = r1(glyphs.shapes.length * STEP + 2);
  return `<svg class="dots" width="${width}" height="12" viewBox="0 0 ${width} 12" aria-hidden="true" data-row="${row}">${glyphs.shapes.map((shape, k) => glyph(shape, 5 + k * STEP)).join('')}</svg>`;
};

const rowPins = (model: ReportModel, lane: Lane): string => {
  const names = new Set(lane.sites.map((index) => model.sites[index]?.name));
  return model.checks
    .map((check, index) => (onMap(check) && names.has(check.place) ? pin(check, index) : ''))
    .join('');
};

const onMap = (check: Check): boolean => check.pin !== '';

const relayPins = (model: ReportModel): string =>
  model.checks
    .map((check, index) => (onMap(check) && check.place === 'relay' ? pin(check, index) : ''))
    .join('');

const row = (model: ReportModel, lane: Lane, index: number): string => {
  const site = model.sites[lane.sites[0] ?? 0];
  const modes = modesOf(model, lane);
  const spoken = MODES.filter((mode) => modes[mode] > 0).map((mode) => `${modes[mode]} ${mode}`);
  if (modes.forwarder > 0) spoken.push(count(modes.forwarder, 'forwarder'));
  const name = model.grouped ? count(lane.sites.length, 'site') : lane.name;
  const pins = rowPins(model, lane);
  return `<li><div class="who"><b>${esc(name)}</b>${pins === '' ? '' : `<span class="pins">${pins}</span>`}<span class="vh">, ${count(lane.clients, 'client')}: ${spoken.join(', ')}</span>${dots(glyphsOf(model, lane), index)}<span class="narrow tiny dim" aria-hidden="true">${esc(lane.link)}, ${esc(lane.nat)} NAT</span></div>
<div class="lk tiny"><svg viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true"><path data-link="${index}" d="M0 1H100" stroke-dasharray="${dashOf(lane.link)}"/></svg><b><span class="vh">over the link </span>${esc(lane.link)}</b><i title="${esc(site?.linkNote ?? '')}">${esc(site?.linkNote ?? '')}</i></div>
<div class="nat"><b><span class="vh">behind the NAT </span>${esc(lane.nat)}</b><span class="tiny dim note" title="${esc(site?.natNote ?? '')}">${esc(site?.natNote ?? '')}</span></div></li>`;
};

/** First word of a command, without its folder: what the box of the relay says. */
export const targetName = (target: string): string => {
  if (target.startsWith('relaylab')) return 'reference relay';
  const word = target.trim().split(/\s+/)[0] ?? '';
  return word.split('/').at(-1) || 'relay';
};

const key = (model: ReportModel): string => {
  const each = Math.max(1, ...model.lanes.map((lane) => glyphsOf(model, lane).each));
  const sample = (shape: Shape | 'square', words: string): string =>
    `<span><svg width="12" height="12" aria-hidden="true">${glyph(shape, 6)}</svg>${words}</span>`;
  const hollow = (words: string): string =>
    `<span class="js"><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="3.2" fill="none" stroke="var(--ink3)" stroke-width="1.2"/></svg>${words}<span id="when"></span></span>`;
  if (model.grouped)
    return `<p class="key tiny dim">${sample('square', each === 1 ? 'a site' : `${each} sites`)}${hollow('hollow: that share of the clients is not connected')}</p>`;
  const words = each === 1 ? '' : `: one mark for up to ${each} clients`;
  return `<p class="key tiny dim">${MODES.filter((mode) => model.sites.some((site) => site.modes[mode] > 0))
    .map((mode) => sample(mode, mode))
    .join('')}${hollow(`hollow: not connected${words}`)}</p>`;
};

const users = (model: ReportModel): string => {
  const forwarders = model.sites.reduce((sum, site) => sum + site.modes.forwarder, 0);
  const items: string[] = [];
  if (model.ledger.tunnels > 0)
    items.push(
      `<li><b>users</b><span class="tiny dim">${count(model.ledger.tunnels, 'tunnel')} of position-coded data</span></li>`,
    );
  if (forwarders > 0)
    items.push(
      `<li><b>${count(forwarders, 'forwarder')}</b><span class="tiny dim">to a service that knows no relay</span></li>`,
    );
  return items.join('');
};

/** Sites, their links and NATs, the relay and its users: client, link, NAT, relay, in the order of the path. */
export const topology = (model: ReportModel): string => {
  if (model.lanes.length === 0) return '';
  const height = model.lanes.length > 14 ? 46 : 60;
  const total = model.lanes.length * height;
  const middle = total / 2;
  const curves = model.lanes
    .map((_, index) => {
      const y = index * height + height / 2;
      const end = r1(middle + (y - middle) * Math.min(0.3, 40 / Math.max(1, middle)));
      return `<path data-link="${index}" d="M0 ${y}C60 ${y} 40 ${end} 100 ${end}"/>`;
    })
    .join('');
  const outside = users(model);
  const pins = relayPins(model);
  return `<figure class="map" aria-label="Topology: sites, their links and NATs, the relay, its users"><div class="topo${outside === '' ? ' lonely' : ''}" style="--row:${height}px;--h:${total}px"><div class="colhead tiny dim" aria-hidden="true"><span>${count(model.clients.declared, 'client')} in ${count(model.sites.length, 'site')}</span><span>over a link</span><span>behind a NAT</span><span></span><span>relay</span><span></span><span>outside</span></div>
<ol class="sites">${model.lanes.map((lane, index) => row(model, lane, index)).join('')}</ol>
<div class="curves" aria-hidden="true"><svg viewBox="0 0 100 ${total}" preserveAspectRatio="none">${curves}</svg></div>
<div class="relay" data-relay><span class="box"><b>${esc(targetName(model.run.target))}</b><span class="tiny">${whole(model.clients.everConnected)} of ${whole(model.clients.declared)} registered</span>${pins === '' ? '' : `<span class="pins">${pins}</span>`}</span></div>
${outside === '' ? '' : `<div class="out" aria-hidden="true"></div><ul class="users">${outside}</ul>`}</div>${key(model)}</figure>`;
};
