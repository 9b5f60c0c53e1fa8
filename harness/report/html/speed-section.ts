import type { LatencyRow, RatioRow } from '../../measure/speed.ts';
import type { Standing } from '../checks.ts';
import type { ReportModel } from '../model.ts';
import { bytes, short, whole } from '../words.ts';
import { mark, pin, r1 } from './markup.ts';

/** A goal's state as a mark: an interval across the goal is undecided, never met. */
const STATE: Readonly<Record<RatioRow['state'], Standing | undefined>> = {
  met: 'pass',
  undecided: 'inconclusive',
  missed: 'fail',
  'no goal': undefined,
};

const ratioPlace = (rows: readonly RatioRow[]): ((v: number) => string) => {
  const most = Math.max(1, ...rows.map((row) => row.interval?.[1] ?? row.ratio));
  return (v) => r1((v / (most * 1.15)) * 100);
};

const ratioRow = (row: RatioRow, x: (v: number) => string): string => {
  const [low, high] = row.interval ?? [row.ratio, row.ratio];
  const standing = STATE[row.state];
  const goal = row.goal === undefined ? '' : `<i class="goal" style="left:${x(row.goal)}%"></i>`;
  const doubt =
    row.interval === undefined
      ? `${row.rounds} rounds: no interval`
      : `${low.toFixed(2)} to ${high.toFixed(2)}`;
  const against =
    row.goal === undefined ? '' : `<span class="tiny dim nw">goal ${short(row.goal, 2)}: ${row.state}</span>`;
  return `<tr><th scope="row">${row.mode}</th><td class="dotcell"><span class="track" aria-hidden="true">${goal}<i class="one" style="left:${x(1)}%"></i><i class="ci" style="left:${x(low)}%;width:${r1(Number(x(high)) - Number(x(low)))}%"></i><i class="pt" style="left:${x(row.ratio)}%"></i></span></td><td class="num">${standing === undefined ? '' : `${mark(standing, false)} `}<b>${row.ratio.toFixed(2)}</b> <span class="dim3">${doubt}</span><br>${against}</td><td class="num dim">${bytes(row.bytesPerSecond)}/s</td></tr>`;
};

const ratios = (model: ReportModel): string => {
  const { ratios: rows, directBytesPerSecond } = model.speed;
  if (rows.length === 0) return '';
  const x = ratioPlace(rows);
  const rounds = Math.min(...rows.map((row) => row.rounds));
  const pins = model.checks
    .map((check, index) => (check.section === 'speed' && check.pin !== '' ? pin(check, index) : ''))
    .join(' ');
  const direct =
    directBytesPerSecond === undefined ? '' : `, the direct path at ${bytes(directBytesPerSecond)}/s`;
  const dashed = rows.some((row) => row.goal !== undefined)
    ? ' Dashed: the goal; a bar across it is undecided.'
    : '';
  return `<figure><h3>Throughput, as a share of the direct path ${pins}</h3><p class="small dim">Same run, same machine, ${rounds} interleaved rounds${direct}. Dot: median; bar: its 95 % interval.${dashed}</p><div class="scroll"><table class="dots-t"><caption class="vh">Throughput through the relay divided by the direct path</caption><thead><tr><th scope="col">mode</th><th scope="col" class="sc"><span style="left:0">0</span><span style="left:${x(1)}%">1 = direct</span></th><th scope="col" class="num">ratio, 95 %</th><th scope="col" class="num">median rate</th></tr></thead><tbody>${rows.map((row) => ratioRow(row, x)).join('')}</tbody></table></div></figure>`;
};

const NAMES = ['p50', 'p90', 'p99', 'p99.9'] as const;
const values = (row: LatencyRow): readonly (number | undefined)[] => [row.p50, row.p90, row.p99, row.p999];

const millisText = (micros: number | undefined): string => {
  if (micros === undefined) return '<span class="dim3">–</span>';
  const millis = micros / 1_000;
  return short(millis, millis >= 100 ? 0 : millis >= 10 ? 1 : 2);
};

const latencyPlace = (rows: readonly LatencyRow[]) => {
  const all = rows.flatMap((row) => values(row).flatMap((v) => (v === undefined ? [] : [Math.max(1, v)])));
  const low = Math.log10(Math.min(...all) / 1_000 / 1.5);
  const high = Math.log10((Math.max(...all) / 1_000) * 1.5);
  const x = (millis: number): string => r1(((Math.log10(millis) - low) / (high - low)) * 100);
  const ticks = [0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000].filter(
    (v) => Math.log10(v) >= low && Math.log10(v) <= high,
  );
  return { x, ticks };
};

const latencyRow = (row: LatencyRow, x: (millis: number) => string): string => {
  const kind = row.path === 'direct' ? 'di' : 're';
  const known = values(row).flatMap((v) => (v === undefined ? [] : [Math.max(1, v) / 1_000]));
  const first = x(known[0] ?? 1);
  const last = x(known.at(-1) ?? 1);
  const strip = `<i class="rg ${kind}" style="left:${first}%;width:${r1(Number(last) - Number(first))}%"></i>${known.map((v, i) => `<i class="q ${kind} q${i}" style="left:${x(v)}%"></i>`).join('')}`;
  return `<tr><th scope="row">${row.mode}<br><span class="tiny dim light">${row.path}, n = ${whole(row.n)}</span></th><td class="dotcell"><span class="track q" aria-hidden="true">${strip}</span></td>${values(
    row,
  )
    .map((v) => `<td class="num">${millisText(v)}</td>`)
    .join('')}</tr>`;
};

const latencies = (model: ReportModel): string => {
  const rows = model.speed.latencies;
  if (rows.length === 0) return '';
  const { x, ticks } = latencyPlace(rows);
  const missing = rows.some((row) => row.p999 === undefined)
    ? ' –: too few tunnels for that percentile.'
    : '';
  const virtual = model.run.lab === 'sim' ? ' Virtual time: links and NATs only, no machine.' : '';
  return `<figure><h3>From opening a tunnel to its first byte</h3><p class="small dim">Milliseconds, logarithmic, all users’ tunnels, faults included. Each strip runs from p50 (disc) to the highest percentile known.${missing}${virtual}</p><div class="scroll"><table class="dots-t lat"><caption class="vh">Latency percentiles in milliseconds</caption><thead><tr><th scope="col">mode</th><th scope="col" class="sc">${ticks.map((v) => `<span style="left:${x(v)}%">${v}</span>`).join('')}<span class="vh">percentiles</span></th>${NAMES.map((name) => `<th scope="col" class="num">${name}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => latencyRow(row, x)).join('')}</tbody></table></div></figure>`;
};

/** Throughput against the direct path, and latencies; says why when there is nothing to show. */
export const speedSection = (model: ReportModel): string => {
  const parts = [ratios(model), latencies(model)].filter((part) => part !== '');
  if (parts.length === 0 && model.ledger.tunnels === 0) return '';
  const none =
    model.run.lab === 'sim'
      ? 'Throughput is not measured in the simulator: its time is virtual.'
      : 'No round of throughput was measured in this run.';
  const lede =
    model.speed.ratios.length > 0
      ? 'Compared with the direct path in the same run, so that the machine’s own speed cancels out.'
      : none;
  return `<section id="speed"><div class="wrap"><h2>Speed</h2><p class="lede">${lede}</p><div class="two even">${parts.join('')}</div></div></section>`;
};
