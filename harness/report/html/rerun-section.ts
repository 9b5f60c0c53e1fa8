import type { SiteFacts } from '../../measure/run-facts.ts';
import type { ReportModel } from '../model.ts';
import { duration, short, whole } from '../words.ts';
import { copyable, esc, heads, table } from './markup.ts';

const list = (rows: readonly (readonly [string, string])[]): string =>
  `<dl class="kv">${rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`)
    .join('')}</dl>`;

/** The fixed epoch is what the simulator writes: it has no wall clock. */
const started = (startedAt: string): string =>
  startedAt.startsWith('1970-01-01T00:00:00')
    ? ''
    : esc(startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'));

const SITES_MAX = 24;

/** What stood between clients and relay, in full: the topology has room for a line or two only. */
const places = (model: ReportModel): string => {
  const kinds = new Map<string, { readonly site: SiteFacts; readonly names: string[]; clients: number }>();
  for (const site of model.sites) {
    const key = [site.nat, site.natNote, site.link, site.linkNote].join('\n');
    const kind = kinds.get(key) ?? { site, names: [], clients: 0 };
    kind.names.push(site.name);
    kind.clients += site.clients;
    kinds.set(key, kind);
  }
  if (kinds.size === 0) return '';
  const rows = [...kinds.values()].slice(0, SITES_MAX).map(({ site, names, clients }) => {
    const more = names.length > 4 ? ` and ${whole(names.length - 4)} more` : '';
    return `<tr><th scope="row">${esc(names.slice(0, 4).join(', '))}${more}</th><td class="num">${whole(clients)}</td><td><b>${esc(site.link)}</b> <span class="dim">${esc(site.linkNote)} (${esc(site.linkForm)})</span></td><td><b>${esc(site.nat)}</b> <span class="dim">${esc(site.natNote)} (${esc(site.natForm)})</span></td></tr>`;
  });
  const more = kinds.size - SITES_MAX;
  return `<div class="gap">${table('What stood between the clients and the relay', heads('site', '#clients', 'link', 'NAT'), rows.join(''), 'places')}${more > 0 ? `<p class="small dim">and ${whole(more)} more in report.json</p>` : ''}</div>`;
};

/** Seed, environment, and the command with a button to copy it. */
export const rerunSection = (model: ReportModel): string => {
  const { run } = model;
  const virtual = run.lab === 'sim';
  const how = virtual
    ? 'Same seed, same trace, to the byte.'
    : 'Same seed, same plan; real machines keep their own time.';
  const command =
    run.rerun === '' ? '<p>The trace has no beginning, so its command is unknown.</p>' : copyable(run.rerun);
  const forms = [...new Set(model.sites.map((site) => `${site.natForm} NAT, ${site.linkForm} links`))];
  const left = list([
    ['seed', run.seed === '' ? '' : `<code>${esc(run.seed)}</code>`],
    ['plan', run.plan === '' ? '' : `<code>${esc(run.plan)}</code>`],
    ['lab', `${esc(run.lab)}${run.labReason === '' ? '' : `: ${esc(run.labReason)}`}`],
    ['sites', esc(forms.join('; '))],
    ['target', run.target === '' ? '' : `<code>${esc(run.target)}</code>`],
    ['goals', esc(model.goals.map(({ goal, value }) => `${goal} ${short(value, 3)}`).join(', '))],
  ]);
  const right = list([
    ['took', `${duration(run.endMicros)}${virtual ? ' of virtual time' : ''}`],
    ['started', started(run.startedAt)],
    ['time scale', String(run.timeScale)],
    ['machine', esc(run.machine)],
    ['Node', esc(run.node)],
    ['relaylab', esc(run.version)],
    ['notes', model.notes.slice(0, 20).map(esc).join('<br>')],
    [
      'beside this page',
      '<a href="trace.ndjson">trace.ndjson</a>, <a href="report.json">report.json</a>, <a href="junit.xml">junit.xml</a>, <a href="report.tap">report.tap</a>, <a href="report.md">report.md</a>',
    ],
  ]);
  return `<section id="rerun"><div class="wrap"><h2>Run it again</h2><p class="lede">${how}</p>${command}<p class="small dim again">Judge this run’s trace again, off line, in its folder:</p>${copyable('relaylab judge trace.ndjson')}<div class="two even facts">${left}${right}</div>${places(model)}</div></section>`;
};
