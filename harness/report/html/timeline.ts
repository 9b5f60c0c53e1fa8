import type { FaultRow, Outage } from '../../measure/faults.ts';
import type { Lane } from '../../measure/lanes.ts';
import type { LedgerTable } from '../../measure/ledger-table.ts';
import { BIN_MICROS, levelAt, peakOf, type Steps } from '../../measure/series.ts';
import type { ReportModel } from '../model.ts';
import { count, duration, moment, whole } from '../words.ts';
import { across, esc, heads, mark, r1, r2, table } from './markup.ts';

const TOP = 20;
const FAULT_ROWS_MAX = 300;
/** Flags nearer than this share of the width are drawn as one. */
const FLAG_SHARE = 0.018;

/** Area between two step functions in a box `bins` wide and `TOP` high; `base` undefined: from the ground. */
const area = (upper: Steps, scale: number, bins: number, base?: Steps): string => {
  const y = (n: number): string => r2(TOP - n * scale);
  const at = [...new Set([...upper.at, ...(base?.at ?? [])])].sort((a, b) => a - b);
  let path = '';
  at.forEach((bin, index) => {
    const high = levelAt(upper, bin);
    const low = base === undefined ? 0 : levelAt(base, bin);
    const next = Math.min(bins, at[index + 1] ?? bins);
    if (high > low && next > bin) path += `M${bin} ${y(low)}V${y(high)}H${next}V${y(low)}z`;
  });
  return path;
};

/** The upper edge of a step function. */
const edge = (steps: Steps, scale: number, bins: number): string => {
  let path = `M0 ${TOP}`;
  steps.at.forEach((bin, index) => {
    if (bin <= bins) path += `H${bin}V${r2(TOP - (steps.count[index] ?? 0) * scale)}`;
  });
  return `${path}H${bins}`;
};

/** `a - b`, where both are counts over the same bins. */
const minus = (a: Steps, b: Steps): Steps => {
  if (b.at.length === 0) return a;
  const at = [...new Set([...a.at, ...b.at])].sort((x, y) => x - y);
  return { at, count: at.map((bin) => Math.max(0, levelAt(a, bin) - levelAt(b, bin))) };
};

const lanePlot = (lane: Lane, bins: number): string => {
  const scale = TOP / Math.max(1, lane.clients);
  const aware = minus(lane.connected, lane.unaware);
  const tries = lane.refused.at
    .map((bin, index) => {
      const n = lane.refused.count[index] ?? 0;
      return `M${bin * 2 + 1} ${TOP}v-${r1(Math.min(TOP, 3 + (n / Math.max(1, lane.clients)) * TOP * 2))}`;
    })
    .join('');
  const hatch = area(lane.connected, scale, bins, aware);
  return `<svg viewBox="0 0 ${bins} ${TOP}" preserveAspectRatio="none" aria-hidden="true"><path class="on" d="${area(aware, scale, bins)}"/>${hatch === '' ? '' : `<path class="un" d="${hatch}"/>`}<path class="edge" d="${edge(aware, scale, bins)}"/>${tries === '' ? '' : `<path class="try" d="${tries}"/>`}</svg>`;
};

const whatHappened = (fault: FaultRow): string => {
  const receipt = fault.receipt?.text ?? 'none';
  return `${fault.text} at ${moment(fault.beganMicros)}. Receipt: ${receipt}${fault.proved ? '' : ' (no proof)'}`;
};

/** Faults of one lane; those too close to be told apart share a flag. */
const flags = (faults: readonly FaultRow[], end: number): string => {
  const groups: FaultRow[][] = [];
  for (const fault of faults) {
    const first = groups.at(-1)?.[0];
    if (first !== undefined && fault.beganMicros - first.beganMicros < end * FLAG_SHARE)
      groups.at(-1)?.push(fault);
    else groups.push([fault]);
  }
  return groups
    .map((group) => {
      const [fault] = group;
      if (fault === undefined) return '';
      const last = group.at(-1)?.fault ?? fault.fault;
      const label = group.length === 1 ? `${fault.fault}` : `${fault.fault}–${last}`;
      const tip = esc(group.slice(0, 3).map(whatHappened).join(' · '));
      const late = fault.beganMicros > end * 0.7 ? ' late' : '';
      return `<a class="flag${fault.proved ? '' : ' unproved'}${late}" style="left:${across(fault.beganMicros, end)}" href="#fault-${fault.fault}" aria-label="Fault ${label}: ${tip}" data-tip="${tip}">${label}</a>`;
    })
    .join('');
};

const laneRow = (model: ReportModel, lane: Lane, bins: number, siteFaults: readonly FaultRow[]): string => {
  const about = model.grouped ? count(lane.sites.length, 'site') : `${lane.link}, ${lane.nat} NAT`;
  const away = lane.losses === 0 ? '' : ` lost; longest away ${duration(lane.longestAwayMicros)}`;
  const missing = lane.missingAtEnd > 0 ? ` <b class="t-fail">${whole(lane.missingAtEnd)} not back</b>` : '';
  return `<li class="lane"><span class="lab"><b>${esc(lane.name)}</b><span class="tiny dim"> ${esc(about)}</span></span><span class="plot">${lanePlot(lane, bins)}${flags(siteFaults, model.run.endMicros)}</span><span class="sum tiny"><b>${whole(lane.losses)}</b><span class="dim">${away === '' ? ' lost' : away}</span>${missing}</span></li>`;
};

const usersLane = (ledger: LedgerTable, bins: number, end: number): string => {
  if (ledger.tunnels === 0) return '';
  const peak = peakOf(ledger.open);
  const crosses = ledger.cuts
    .map((cut) => `<i class="${cut.fault === 0 ? 'x' : 'tick'}" style="left:${across(cut.t, end)}"></i>`)
    .join('');
  const scale = TOP / Math.max(1, peak);
  const cut =
    ledger.cutsUnexplained > 0
      ? `<b class="t-fail">${whole(ledger.cutsUnexplained)}</b> <span class="dim">cut without a cause</span>`
      : ledger.cutsExplained > 0
        ? `<b>${whole(ledger.cutsExplained)}</b> <span class="dim">cut by faults</span>`
        : '<span class="dim">all ended as they should</span>';
  return `<li class="lane users-lane"><span class="lab"><b>users</b><span class="tiny dim"> open tunnels, at most ${whole(peak)}</span></span><span class="plot"><svg viewBox="0 0 ${bins} ${TOP}" preserveAspectRatio="none" aria-hidden="true"><path class="us" d="${area(ledger.open, scale, bins)}"/><path class="edge us" d="${edge(ledger.open, scale, bins)}"/></svg>${crosses}</span><span class="sum tiny">${cut}</span></li>`;
};

const STEPS_SECONDS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400,
];

/** Round moments for an axis: at most eight steps. */
export const ticksOf = (
  endMicros: number,
): { readonly stepSeconds: number; readonly at: readonly number[] } => {
  const seconds = endMicros / 1_000_000;
  const stepSeconds =
    STEPS_SECONDS.find((step) => seconds / step <= 8) ?? 86_400 * Math.ceil(seconds / 691_200);
  const at: number[] = [];
  for (let k = 0; k * stepSeconds <= seconds + 1e-9; k++) at.push(Math.round(k * stepSeconds * 10) / 10);
  return { stepSeconds, at };
};

const outageFlag = (outage: Outage, fault: FaultRow | undefined, end: number): string => {
  const to = outage.toMicros ?? end;
  const words = `relay away ${duration(to - outage.fromMicros)}`;
  const middle = across((outage.fromMicros + to) / 2, end);
  if (fault === undefined) return `<b class="flag band" style="left:${middle}">${words}, by itself</b>`;
  const tip = esc(whatHappened(fault));
  return `<a class="flag band${fault.proved ? '' : ' unproved'}" style="left:${middle}" href="#fault-${fault.fault}" aria-label="Fault ${fault.fault}: ${words}. ${tip}" data-tip="${tip}">${fault.fault} <span class="long">${words}</span></a>`;
};

const key = (model: ReportModel): string => {
  const parts = ['<span><i class="sw on"></i>connected clients</span>'];
  if (model.lanes.some((lane) => lane.unaware.at.length > 0))
    parts.push('<span><i class="sw un"></i>path dead, client unaware</span>');
  if (model.lanes.some((lane) => lane.refused.at.length > 0))
    parts.push('<span><i class="sw tr"></i>attempts in vain</span>');
  if (model.faults.length > 0) parts.push('<span><i class="flag still">1</i>fault, numbered as below</span>');
  if (model.faults.some((fault) => !fault.proved))
    parts.push('<span><i class="flag still unproved">1</i>fault without proof</span>');
  if (model.outages.length > 0) parts.push('<span><i class="sw aw"></i>relay away</span>');
  if (model.ledger.cutsUnexplained > 0)
    parts.push('<span><i class="x still"></i>tunnel cut short without a cause</span>');
  if (model.ledger.cutsExplained > 0)
    parts.push('<span><i class="tick still"></i>tunnel cut by a fault</span>');
  return `<p class="key tiny dim">${parts.join('')}</p>`;
};

/** Lanes of all sites with faults, the relay's absences, phases, the users' tunnels and the replay slider. */
const lanes = (model: ReportModel): string => {
  const end = model.run.endMicros;
  const bins = Math.max(1, Math.ceil(end / BIN_MICROS));
  const ticks = ticksOf(end);
  const laneOf = new Map<string, number>();
  model.lanes.forEach((lane, index) => {
    for (const site of lane.sites) laneOf.set(model.sites[site]?.name ?? '', index);
  });
  const faultsOf = new Map<number, FaultRow[]>();
  for (const fault of model.faults) {
    const lane = laneOf.get(fault.site);
    if (lane !== undefined) faultsOf.set(lane, [...(faultsOf.get(lane) ?? []), fault]);
  }
  const phases = model.phases
    .map(
      ({ name, fromMicros, toMicros }) =>
        `<i style="left:${across(fromMicros, end)};width:${across(toMicros - fromMicros, end)}">${esc(name)}</i>`,
    )
    .join('');
  const byNumber = new Map(model.faults.map((fault) => [fault.fault, fault]));
  const bandNumbers = new Set(model.outages.map((outage) => outage.fault));
  const relayFaults = model.faults.filter((fault) => fault.site === '' && !bandNumbers.has(fault.fault));
  const bands = model.outages
    .map(
      ({ fromMicros, toMicros }) =>
        `<i class="away" style="left:${across(fromMicros, end)};width:${across((toMicros ?? end) - fromMicros, end)}"></i>`,
    )
    .join('');
  const unit = ticks.stepSeconds >= 60 ? 60 : 1;
  const axis = ticks.at
    .map(
      (second, k) =>
        `<i class="${k % 2 === 1 ? 'odd' : ''}" style="left:${across(second * 1e6, end)}">${second / unit}${k === 0 ? (unit === 60 ? ' min' : ' s') : ''}</i>`,
    )
    .join('');
  return `<div class="tl${model.lanes.length > 14 ? ' compact' : ''}" id="tl"><div class="phases tiny"><span class="lab"></span><span class="plot">${phases}${model.outages.map((outage) => outageFlag(outage, byNumber.get(outage.fault), end)).join('')}${flags(relayFaults, end)}</span><span class="sum dim">paths lost</span></div>
<div class="over" aria-hidden="true"><span class="plot">${ticks.at.map((second) => `<i class="gl" style="left:${across(second * 1e6, end)}"></i>`).join('')}${bands}<i class="cur" id="cur" hidden></i></span></div>
<ol>${model.lanes.map((lane, index) => laneRow(model, lane, bins, faultsOf.get(index) ?? [])).join('')}${usersLane(model.ledger, bins, end)}</ol>
<div class="axis tiny dim" aria-hidden="true"><span class="lab"></span><span class="plot">${axis}</span><span class="sum"></span></div>
<div class="scrub js noprint"><span class="lab"><button type="button" id="play">Replay</button></span><span class="plot"><input type="range" id="time" min="0" max="1" value="1" aria-label="Moment of the run"></span><span class="sum tiny" id="now"></span></div></div>${key(model)}`;
};

const faultRow = (fault: FaultRow): string => {
  const back =
    fault.clientsLost === 0
      ? '<span class="dim3">nobody lost a path</span>'
      : fault.backAfterMicros === undefined
        ? `<span class="bad">${whole(fault.clientsBack)} of ${whole(fault.clientsLost)} back</span>`
        : `all ${whole(fault.clientsLost)} after ${duration(fault.backAfterMicros)}${fault.countedFrom === 'fault' ? '' : '<br><span class="tiny dim">from the relay’s return</span>'}`;
  const proof = fault.proved
    ? mark('pass')
    : `${mark('inconclusive')} <span class="t-unsure">${fault.receipt === undefined ? 'no receipt' : 'no effect'}</span>`;
  return `<tr id="fault-${fault.fault}"><td>${fault.fault}</td><td class="num">${moment(fault.beganMicros)}</td><td>${fault.site === '' ? 'relay' : esc(fault.site)}</td><td>${esc(fault.text)}</td><td>${fault.receipt === undefined ? '<span class="dim3">none</span>' : esc(fault.receipt.text)}</td><td class="nw">${proof}</td><td class="nw">${back}</td></tr>`;
};

const faultTable = (model: ReportModel): string => {
  if (model.faults.length === 0) return '';
  const rows = model.faults.slice(0, FAULT_ROWS_MAX).map(faultRow).join('');
  const more = model.faults.length - FAULT_ROWS_MAX;
  return `<div class="gap">${table(
    'Faults and their receipts: what each really did, and when its clients were back',
    heads('fault', '#at', 'where', 'what', 'receipt', 'proved', 'clients back'),
    rows,
    'receipts',
  )}${more > 0 ? `<p class="small dim">and ${whole(more)} more in report.json</p>` : ''}</div>`;
};

const lede = (model: ReportModel): string => {
  const unproved = model.faults.filter((fault) => !fault.proved).length;
  const each = model.grouped ? 'One lane for all sites with the same NAT and link' : 'One lane a site';
  const receipts =
    model.faults.length === 0
      ? 'No fault was planned.'
      : unproved === 0
        ? 'Every fault left a receipt.'
        : `${count(unproved, 'fault')} left no proof and ${unproved === 1 ? 'is' : 'are'} dashed: what rests on ${unproved === 1 ? 'it' : 'them'} is inconclusive.`;
  const virtual = model.run.lab === 'sim' ? ' Time is virtual.' : '';
  return `${each}: how many of its clients were connected. ${receipts}${virtual}`;
};

export const timelineSection = (model: ReportModel): string =>
  model.lanes.length === 0 && model.ledger.tunnels === 0 && model.faults.length === 0
    ? ''
    : `<section id="timeline"><div class="wrap"><h2>What happened</h2><p class="lede">${lede(model)}</p>${model.run.endMicros > 0 ? lanes(model) : ''}${faultTable(model)}</div></section>`;
