import type { BackoffPoint, Fleet, Herd } from '../../measure/comeback.ts';
import { differs, type Estimate } from '../../measure/fit.ts';
import { type Check, checkFor } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { fleetWords } from '../summary-lines.ts';
import { count, percent, short, whole } from '../words.ts';
import { esc, heads, mark, pin, r1, r2, table } from './markup.ts';

const WIDE = 600;
const HIGH = 200;
/** Attempts drawn on the x axis; later ones are in report.json. */
const ATTEMPTS_MAX = 10;

const decades = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000,
];

/** Log scale in seconds that holds every envelope and every wait. */
const scaleOf = (points: readonly BackoffPoint[], jitter: number) => {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const { waitMicros, stepMicros } of points) {
    low = Math.min(low, Math.max(1_000, waitMicros), Math.max(1_000, stepMicros * (1 - jitter)));
    high = Math.max(high, waitMicros, stepMicros);
  }
  const bottom = Math.log10((low / 1e6) * 0.7);
  const top = Math.log10((high / 1e6) * 1.4);
  const y = (seconds: number): number =>
    ((top - Math.log10(Math.max(seconds, 1e-4))) / (top - bottom)) * HIGH;
  const inside = decades.filter((v) => Math.log10(v) > bottom && Math.log10(v) < top);
  const every = Math.ceil(inside.length / 7);
  return { y, ticks: inside.filter((_, index) => index % every === 0) };
};

/** Spreads dots of one attempt over its column; the same on every machine. */
const spread = (index: number): number => ((index * 0.618_033_988_75) % 1) * 0.8 + 0.1;

const backoffPlot = (fleet: Fleet): string => {
  const points = fleet.points.filter((point) => point.attempt < ATTEMPTS_MAX);
  const columns = Math.max(4, ...points.map((point) => point.attempt + 1));
  const { y, ticks } = scaleOf(points, fleet.schedule.jitter);
  const width = WIDE / columns;
  const steps = new Map(points.map((point) => [point.attempt, point.stepMicros / 1e6]));
  const low = 1 - fleet.schedule.jitter;
  const boxes = [...steps]
    .map(([attempt, step]) => {
      const [left, right] = [r1(attempt * width + 4), r1((attempt + 1) * width - 4)];
      const bottom = Math.max(step * low, 0.0005);
      return `M${left} ${r1(y(step))}H${right}V${r1(y(bottom))}H${left}z`;
    })
    .join('');
  const dots = points
    .filter((point) => point.inside)
    .map(
      ({ attempt, waitMicros }, index) =>
        `M${r1((attempt + spread(index)) * width)} ${r1(y(waitMicros / 1e6))}h0`,
    )
    .join('');
  const crosses = points
    .filter((point) => !point.inside)
    .slice(0, 300)
    .map(
      ({ attempt, waitMicros }, index) =>
        `<i class="x" style="left:${r2(((attempt + spread(index)) / columns) * 100)}%;top:${r2((y(waitMicros / 1e6) / HIGH) * 100)}%"></i>`,
    )
    .join('');
  const labels = Array.from(
    { length: columns },
    (_, n) =>
      `<i style="left:${r1(((n + 0.5) / columns) * 100)}%">${n + 1}${n === 0 ? '<span>st wait</span>' : ''}</i>`,
  ).join('');
  return `<figure><figcaption class="tiny dim">Each wait before an attempt, against its declared envelope</figcaption><div class="ax"><div class="yl tiny dim">${ticks.map((v) => `<i style="top:${r1((y(v) / HIGH) * 100)}%">${short(v, 3)}\u202fs</i>`).join('')}</div><div class="pl" aria-hidden="true"><svg viewBox="0 0 ${WIDE} ${HIGH}" preserveAspectRatio="none"><path class="grid" d="${ticks.map((v) => `M0 ${r1(y(v))}H${WIDE}`).join('')}"/><path class="env" d="${boxes}"/><path class="dot" d="${dots}"/></svg>${crosses}</div><div class="xl tiny dim" aria-hidden="true">${labels}</div></div></figure>`;
};

/** Bins worth drawing: until the last attempt, whole seconds, at least one. */
const herdBins = (herd: Herd): number => {
  const ready =
    herd.readyMicros === undefined ? 0 : Math.ceil((herd.readyMicros - herd.goneMicros) / 100_000) + 10;
  return Math.max(10, Math.ceil(Math.min(600, Math.max(herd.attempts.length, ready)) / 10) * 10);
};

const herdPlot = (fleet: Fleet, herd: Herd): string => {
  const bins = herdBins(herd);
  const away = fleet.schedule.server === 'relay' ? 'relay' : `${esc(fleet.schedule.server)} server`;
  const size = Math.max(1, fleet.size);
  const limit = fleet.herdLimit;
  const most = herd.attempts.slice(0, bins).reduce((top, n) => Math.max(top, n), 0) / size;
  const top = Math.max((limit ?? 0) * 1.35, most * 1.05, 0.02);
  const readyBin = herd.readyMicros === undefined ? bins : (herd.readyMicros - herd.goneMicros) / 100_000;
  const y = (share: number): number => 100 - (share / top) * 100;
  const bars = (over: boolean): string =>
    herd.attempts
      .slice(0, bins)
      .map((n, bin) => {
        const beyond = limit !== undefined && bin >= Math.floor(readyBin) && n / size > limit;
        return n > 0 && beyond === over ? `M${r2(bin + 0.1)} 100V${r1(y(n / size))}h.8V100z` : '';
      })
      .join('');
  const readyAt = r1((readyBin / bins) * 100);
  const marks = limit === undefined ? [top / 1.05] : [limit];
  const seconds = bins / 10;
  const step = [1, 2, 5, 10, 20, 30].find((s) => seconds / s <= 6) ?? 60;
  const axis = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, k) => k * step);
  const words = `${herd.readyMicros === undefined ? '' : limit === undefined ? `${away} back` : `${away} back${readyBin / bins > 0.55 ? '' : `<span class="wide">: at most ${percent(limit)} in any 100 ms</span>`}`}`;
  return `<figure><figcaption class="tiny dim">Attempts per 100 ms since the ${away} went (fault ${herd.fault}), as a share of the fleet</figcaption><div class="ax"><div class="yl tiny dim">${marks.map((v) => `<i style="top:${r1(y(v))}%">${percent(v)}</i>`).join('')}<i style="top:100%">0</i></div><div class="pl" aria-hidden="true"><svg viewBox="0 0 ${bins} 100" preserveAspectRatio="none"><path class="away" d="M0 0H${r2(Math.min(bins, readyBin))}V100H0z"/><path class="bar1" d="${bars(false)}"/><path class="bar2" d="${bars(true)}"/>${limit === undefined ? '' : `<path class="limit" d="M${r2(Math.min(bins, readyBin))} ${r1(y(limit))}H${bins}"/>`}</svg><span class="lbl tiny" style="left:0">${away} away</span><span class="lbl tiny" style="left:${readyAt}%">${words}</span></div><div class="xl tiny dim" aria-hidden="true">${axis.map((s) => `<i style="left:${r1((s / seconds) * 100)}%">${s}${s === 0 ? ' s' : ''}</i>`).join('')}</div></div></figure>`;
};

/** A fitted value; boxed where the backoff check would call it another schedule. */
const fitted = (
  estimate: Estimate | undefined,
  declared: number,
  unit: (n: number) => string,
  missing: string,
): string => {
  if (estimate === undefined) return `<span class="dim3">${missing}</span>`;
  const doubt = ` <span class="dim3">± ${unit(estimate.plusMinus)}</span>`;
  return differs(estimate, declared)
    ? `<span class="bad">${unit(estimate.value)}</span>${doubt}`
    : `${unit(estimate.value)}${doubt}`;
};

const scheduleTable = (fleet: Fleet): string => {
  const { schedule, fit } = fleet;
  const millis = (n: number): string => `${short(n / 1_000, n < 1_000 ? 3 : 2)}\u202fs`;
  const plainNumber = (n: number): string => short(n, 2);
  const early = fit.resetMillis !== undefined && fit.resetMillis < schedule.healthyMillis * 0.95;
  const reset =
    fit.resetMillis === undefined
      ? '<span class="dim3">not seen</span>'
      : early
        ? `<span class="bad">after ${millis(fit.resetMillis)}</span>`
        : `after ${millis(fit.resetMillis)} or less`;
  const few = 'too few waits';
  const declared = `<tr><th scope="row">declared</th><td class="num">${millis(schedule.baseMillis)}</td><td class="num">${plainNumber(schedule.factor)}</td><td class="num">${millis(schedule.capMillis)}</td><td class="num">${plainNumber(schedule.jitter)}</td><td>after ${millis(schedule.healthyMillis)} healthy</td></tr>`;
  const seen = `<tr><th scope="row">fitted</th><td class="num">${fitted(fit.baseMillis, schedule.baseMillis, millis, few)}</td><td class="num">${fitted(fit.factor, schedule.factor, plainNumber, few)}</td><td class="num">${fitted(fit.capMillis, schedule.capMillis, millis, 'not reached')}</td><td class="num">${fitted(fit.jitter, schedule.jitter, plainNumber, few)}</td><td>${reset}</td></tr>`;
  return table(
    `Schedule of the fleet ${esc(fleet.name)}: declared and fitted from ${count(fleet.attempts, 'wait')}!`,
    heads('', '#base', '#factor', '#cap', '#jitter', 'back to the base'),
    declared + seen,
    'fit',
  );
};

const fleetArticle = (model: ReportModel, fleet: Fleet): string => {
  const checks = model.checks.filter((check) => check.section === 'comeback');
  const worst: Check | undefined = checks[0];
  const pins = checks
    .filter((check) => check.pin !== '')
    .map((check) => pin(check, model.checks.indexOf(check)))
    .join(' ');
  const title = `${worst === undefined ? '' : `${mark(worst.standing)} `}${whole(fleet.size)} ${esc(fleet.name)} ${pins}`;
  const herd = fleet.herds.find((one) => one.attempts.length > 0);
  const more = fleet.herds.filter((one) => one.attempts.length > 0).length - 1;
  return `<article class="fleet"><h3>${title}</h3><p class="small dim">${esc(fleetWords(fleet))}.${more > 0 ? ` ${count(more, 'more outage')} in report.json.` : ''}</p><div class="two">${backoffPlot(fleet)}${herd === undefined ? '' : herdPlot(fleet, herd)}</div>${scheduleTable(fleet)}</article>`;
};

/** Waits against their envelopes, the return of the herd, and the schedule declared and fitted. */
export const comingBackSection = (model: ReportModel): string => {
  const fleets = model.fleets.filter((fleet) => fleet.attempts > 0);
  if (model.fleets.length === 0) return '';
  const herd = checkFor(model.checks, 'comeback');
  const lede =
    fleets.length === 0
      ? 'No client had to come back: no path was lost.'
      : `Each wait must fall inside its envelope: base × factor per attempt up to the cap, less the jitter.${model.outages.length > 0 ? ' After an outage nobody may come back in step.' : ''}${herd === undefined ? ' No check of this run judges it.' : ''}`;
  return `<section id="comeback"><div class="wrap"><h2>Coming back</h2><p class="lede">${lede}</p><div class="fleets">${fleets.map((fleet) => fleetArticle(model, fleet)).join('')}</div></div></section>`;
};
