import { CLAUSES } from '../../conformance/clauses/registry.ts';
import type { GateModel, GateRow } from '../../conformance/gate.ts';
import type { WireEvent } from '../../conformance/wire/wire-log.ts';
import { OUTCOMES } from '../checks.ts';
import { CLASS, copyable, esc, heads, mark, table } from '../html/markup.ts';
import { inScript } from '../html/replay.ts';
import { shell } from '../html/shell.ts';
import { capital, whole } from '../words.ts';
import { byPath, caseAnchor, gridSection, wall } from './gate-grid.ts';
import { GATE_STYLE } from './gate-style.ts';
import { drawnAs, onPath, shownCounts, standingOfGate } from './gate-words.ts';

const WIRE_MAX = 60;
const PINS_MAX = 8;

const BLAMED = {
  target: 'target: the program that was judged',
  harness: 'harness: the gate, not the target',
  environment: 'environment: the machine, its load or the path',
} as const;

const isPinned = ({ standing }: GateRow): boolean => standing === 'fail' || standing === 'inconclusive';

const pins = (model: GateModel): string => {
  const pinned = model.rows.filter(isPinned);
  if (pinned.length === 0) return '';
  const more = pinned.length - PINS_MAX;
  const items = pinned
    .slice(0, PINS_MAX)
    .map(
      ({ pin, standing, title, path }) =>
        `<li><span class="pin ${CLASS[drawnAs(standing)]}" aria-hidden="true">${pin}</span><a href="#${pin.toLowerCase()}"><span class="vh">${pin}: </span>${esc(capital(title))}${esc(onPath(path))}</a></li>`,
    );
  const rest = more > 0 ? `<li><span></span><a href="#failed">and ${whole(more)} more</a></li>` : '';
  return `<ol class="fails">${items.join('')}${rest}</ol>`;
};

const verdict = (model: GateModel): string => {
  const standing = standingOfGate(model);
  const partial = model.partial === '' ? '' : `<span class="tag">partial: ${esc(model.partial)}</span>`;
  const counts = shownCounts(model)
    .map(([kind, word, n]) => `<li>${mark(drawnAs(kind), false)}<span><b>${whole(n)}</b> ${word}</span></li>`)
    .join('');
  const baseline =
    model.baseline === '' ? 'No baseline was given.' : `Known failures: <code>${esc(model.baseline)}</code>.`;
  const asked = `<p class="asked small"><b>Asked:</b> ${esc(model.profile)}, ${whole(model.rows.length)} judgements on ${model.paths.length} path${model.paths.length === 1 ? '' : 's'}, against <code>${esc(model.target)}</code>. ${baseline}</p>`;
  const side = byPath(model);
  return `<section class="v"><div class="wrap top${side === '' ? ' alone' : ''}"><div><p class="badges"><span class="badge ${CLASS[standing]}">${mark(standing, false)}${OUTCOMES[model.exitCode].badge}</span>${partial}</p><h1>${esc(model.headline)}</h1><ul class="counts">${counts}</ul>${pins(model)}${asked}</div>${side}</div><div class="wrap">${model.rows.length === 0 ? '' : wall(model)}</div></section>`;
};

/** Bytes in pairs, as they are read in a wire log. */
const pairs = (hex: string): string => hex.replace(/(..)(?!$)/g, '$1 ');

const WHO = { us: 'gate → target', target: 'target → gate', note: '' } as const;

const wireRow = ({ millis, conn, from, text, hex, bytes, here }: WireEvent): string =>
  `<tr role="row" class="${here ? 'here' : ''}"><td role="cell" class="mono num">${millis.toFixed(1)}</td><td role="cell" class="mono">${esc(conn)}</td><td role="cell">${WHO[from]}</td><td role="cell" class="mono bytes${bytes === 0 ? ' none' : ''}">${bytes === 0 ? '<span class="dim3">–</span>' : `${esc(pairs(hex))}${bytes * 2 > hex.length ? ` <span class="dim">of ${whole(bytes)} B</span>` : ''}`}</td><td role="cell" class="read">${here ? '<b>here:</b> ' : ''}${esc(text)}</td></tr>`;

const wire = (row: GateRow): string => {
  if (row.wire.length === 0) return '';
  const shown = row.wire.slice(-WIRE_MAX);
  const before = row.wire.length - shown.length;
  return `${table(`${row.pin}: what went over the wire`, heads('#ms', 'connection', 'direction', 'bytes', 'reading'), shown.map(wireRow).join(''), 'wire')}${before > 0 ? `<p class="small dim">${whole(before)} events before these are in report.json</p>` : ''}`;
};

const article = (row: GateRow): string => {
  const clause = CLAUSES.get(row.clause);
  const facts = [
    ['clause', clause?.requires ?? ''],
    ['expected', row.expected],
    ['got', row.got],
    ['often', clause === undefined || row.standing !== 'fail' ? '' : clause.breaks.join('; ')],
    ['blame', row.blame === undefined ? '' : BLAMED[row.blame]],
    ['path', row.receipts.join('; ')],
    ['source', clause?.source ?? ''],
  ].filter(([, text]) => text !== '');
  const pin = row.pin.toLowerCase();
  return `<article class="failure" id="${pin}"><header><span class="pin ${CLASS[drawnAs(row.standing)]}" aria-hidden="true">${row.pin}</span><div><h3><span class="vh">${row.pin}: </span>${esc(capital(row.title))}</h3><p class="tiny dim"><a href="#${caseAnchor(row.id)}">${esc(row.id)}</a>${esc(onPath(row.path))} <b>${esc(row.clause)}</b> ${row.level}</p></div></header><dl class="kv">${facts.map(([name, text]) => `<dt>${name === 'often' ? 'usual cause' : name}</dt><dd>${esc(text ?? '')}</dd>`).join('')}</dl>${wire(row)}<div class="re"><p class="small dim">Run just this case again:</p>${copyable(row.rerun)}<p class="small"><code>relaylab explain ${esc(row.clause)}</code> <span class="dim">shows the clause and what usually breaks it.</span></p></div></article>`;
};

const failures = (model: GateModel): string => {
  const rows = model.rows.filter(isPinned);
  if (rows.length === 0) return '';
  return `<section id="failed"><div class="wrap"><h2>${model.counts.fail > 0 ? 'What failed' : 'What is undecided'}</h2>${rows.map(article).join('')}</div></section>`;
};

/** What is known to fail, why, whose it is and until when; and entries that have to go. */
const baselineSection = (model: GateModel): string => {
  const known = model.rows.filter(({ standing }) => standing === 'known');
  if (known.length + model.stale.length === 0) return '';
  const stale = model.stale.map(
    ({ entry, why }) =>
      `<tr><th scope="row"><code>${esc(entry.case)}</code></th><td><b>${esc(why)}</b></td><td>${esc(entry.reason)}</td><td>${esc(entry.owner)}</td><td>${esc(entry.expires)}</td></tr>`,
  );
  const rows = known.map(
    ({ id, path, baseline }) =>
      `<tr><th scope="row"><a href="#${caseAnchor(id)}">${esc(id)}</a>${esc(onPath(path))}</th><td>fails as known</td><td>${esc(baseline?.reason ?? '')}${baseline?.link ? ` <span class="dim">${esc(baseline.link)}</span>` : ''}</td><td>${esc(baseline?.owner ?? '')}</td><td>${esc(baseline?.expires ?? '')}</td></tr>`,
  );
  return `<section id="baseline"><div class="wrap"><h2>Known failures</h2><p class="lede">The list may only shrink: what passes now or has expired has to go.</p>${table('Entries of the baseline!', heads('case', 'now', 'reason', 'owner', 'expires'), [...stale, ...rows].join(''))}</div></section>`;
};

const list = (rows: readonly (readonly [string, string])[]): string =>
  `<dl class="kv">${rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`)
    .join('')}</dl>`;

const again = (model: GateModel): string => {
  const left = list([
    ['seed', `<code>${esc(model.seed)}</code>`],
    ['target', `<code>${esc(model.target)}</code>`],
    ['declares', model.capabilities === '' ? '' : `<code>${esc(model.capabilities)}</code>`],
    ['at a time', `${model.jobs} cases`],
    ['took', `${(model.millis / 1_000).toFixed(1)} s`],
  ]);
  const right = list([
    ['started', esc(model.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))],
    ['machine', esc(model.machine)],
    ['Node', esc(model.node)],
    ['relaylab', esc(model.version)],
    [
      'beside this page',
      ['report.json', 'junit.xml', 'report.tap', 'report.md', 'badge.json']
        .map((name) => `<a href="${name}">${name}</a>`)
        .join(', '),
    ],
  ]);
  const known =
    model.counts.fail > 0
      ? `<p class="small dim again">What is known and cannot be mended today goes to a baseline, with a reason, an owner and a day; what is new then fails the build, and what is healed asks to be struck off:</p>${copyable(`relaylab baseline update --profile ${model.profile} --owner you --reason 'see issue 31'`)}`
      : '';
  return `<section id="rerun"><div class="wrap"><h2>Run it again</h2>${copyable(model.rerun)}${known}<div class="two even facts">${left}${right}</div></div></section>`;
};

/** report.html: one self-contained page; works off line, without script and in print, from 360 to 1600 px, light and dark. */
export const renderGateHtml = (model: GateModel): string => {
  const failed = failures(model);
  const baseline = baselineSection(model);
  const nav = [
    ...(failed === '' ? [] : [['failed', model.counts.fail > 0 ? 'What failed' : 'Undecided'] as const]),
    ...(baseline === '' ? [] : [['baseline', 'Known failures'] as const]),
    ['cases', 'Cases'] as const,
    ['rerun', 'Run it again'] as const,
  ];
  return shell({
    title: `${OUTCOMES[model.exitCode].badge}: ${model.profile} conformance`,
    what: `<b>${esc(model.profile)}</b> conformance, seed ${esc(model.seed)}`,
    standing: standingOfGate(model),
    nav,
    body: verdict(model) + failed + baseline + gridSection(model) + again(model),
    data: inScript({}),
    style: GATE_STYLE,
    foot: `Printed by relaylab ${esc(model.version)} from the same model as report.json. Self-contained: no script, style, font or picture is fetched.`,
  });
};
