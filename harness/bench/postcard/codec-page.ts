/** report.html of the postcard bench: for somebody who chooses a wire format. One self-contained page, printed from report.json. */

import { CLASS, copyable, esc, mark, r1 } from '../../report/html/markup.ts';
import { shell } from '../../report/html/shell.ts';
import { goalRow, panel, STANDINGS, standingOf } from '../bench-page.ts';
import { figure, verdictSentence } from '../bench-terminal.ts';
import { countVerdicts, type GoalVerdict } from '../goals.ts';
import { BENCH_STYLE } from '../page-style.ts';
import type { Estimate } from '../statistics.ts';
import type { CodecReport } from './codec-bench.ts';
import { BASE, headline, type Standing, standings } from './headline.ts';
import type { Workload } from './race.ts';
import { WORKLOAD_WORDS } from './workload-words.ts';

const STYLE = `
.glance td,.glance th{white-space:nowrap;vertical-align:middle}.glance th[scope=row]{font-weight:400}.glance .own th{font-weight:650}.glance .fo{width:21%;min-width:130px}.glance .by{width:13%;min-width:90px}
.glance .tr .one{height:30px;border-left-style:dashed}.pt.ours{background:var(--blue)}.pt.peer{background:var(--surface);border:1.6px solid var(--ink2)}.ci.ours{background:var(--blue)}.ci.peer{background:var(--ink3)}
.glance .base .pt{display:none}.axis{position:relative;height:22px}.axis span{position:absolute;bottom:3px;transform:translateX(-50%);font-weight:400}
.work{margin-top:28px}.work h3{margin-bottom:4px}.work details{margin-top:12px}.work summary{cursor:pointer}.work .panels{margin-top:16px}
@media (max-width:719px){.work .panel td,.work .panel th{white-space:normal}.work .panel{min-width:0}.glance .by{display:none}.glance .fo,.glance .by .bar1{display:none}.glance td,.glance th{white-space:normal}.glance .axis{display:none}}`;

/** The overview's axis: from a 32nd to 16 times, by powers of two. */
const AXIS = { low: -5, high: 4 } as const;
const place = (times: number): number =>
  Math.min(100, Math.max(0, ((Math.log2(times) - AXIS.low) / (AXIS.high - AXIS.low)) * 100));

const plot = (times: Estimate | undefined, own: boolean): string => {
  if (times === undefined || times.rounds === 0) return '';
  const [left, right] = [place(times.low), place(times.high)];
  const kind = own ? 'ours' : 'peer';
  return `<span class="tr" aria-hidden="true"><i class="one" style="left:${r1(place(1))}%"></i><i class="ci ${kind}" style="left:${r1(left)}%;width:${r1(right - left)}%"></i><i class="pt ${kind}" style="left:${r1(place(times.value))}%"></i></span>`;
};

const nanos = (row: Standing['write']): string =>
  row === undefined ? '<span class="dim3">-</span>' : `${figure(row.estimate.value)}`;

const speed = (times: Estimate | undefined): string =>
  times === undefined || times.rounds === 0 ? '' : `<b>${figure(times.value)} x</b>`;

const AXIS_WORDS = [0.0625, 0.25, 1, 4]
  .map((times) => `<span style="left:${r1(place(times))}%">${times < 1 ? `1/${1 / times}` : times} x</span>`)
  .join('');

const glanceRow = (one: Standing, most: number): string => {
  const { name, own, bytesPerPoint, write, read, writeTimes, readTimes } = one;
  const kind = [own ? 'own' : '', name === BASE ? 'base' : ''].join(' ').trim();
  const size =
    bytesPerPoint === undefined
      ? '<td class="by"></td><td class="num dim3">-</td>'
      : `<td class="by"><span class="bar1" aria-hidden="true"><i style="width:${r1((bytesPerPoint / most) * 100)}%"></i></span></td><td class="num">${figure(bytesPerPoint)}</td>`;
  return `<tr class="${kind}"><th scope="row">${esc(name)}</th>${size}<td class="fo">${plot(writeTimes, own)}</td><td class="num">${speed(writeTimes)}</td><td class="num dim">${nanos(write)}</td><td class="fo">${plot(readTimes, own)}</td><td class="num">${speed(readTimes)}</td><td class="num dim">${nanos(read)}</td></tr>`;
};

const glance = (report: CodecReport): string => {
  const rows = standings(report);
  if (rows.length === 0) return '';
  const most = Math.max(...rows.map(({ bytesPerPoint }) => bytesPerPoint ?? 0));
  const axis = `<th scope="col" class="fo"><span class="axis" style="display:block">${AXIS_WORDS}</span></th>`;
  return `<section id="glance"><div class="wrap"><h2>At a glance</h2><p class="lede">${esc(WORKLOAD_WORDS.A.words)} Here a message has ${report.points} points. Dots: how many times as fast as ${esc(BASE)} (the dashed line), in CPU time of the same round; bars through them: 95 %. Every contender runs as its documents say is fastest, and what it reads was checked to be what was written. The crate keeps its own types, so its rows have no bytes of their own: they are those of postcard-ts.</p><div class="scroll"><table class="glance"><caption class="vh">Bytes per point, speed of writing and of reading</caption><thead><tr><td></td><th scope="col" class="by">bytes</th><th scope="col" class="num">per point</th>${axis}<th scope="col" class="num">write</th><th scope="col" class="num dim">ns/point</th>${axis}<th scope="col" class="num">read</th><th scope="col" class="num dim">ns/point</th></tr></thead><tbody>${rows.map((row) => glanceRow(row, most)).join('')}</tbody></table></div></div></section>`;
};

const goalsOf = (report: CodecReport, workload: Workload['id']): string => {
  const goals = report.goals.filter((goal) => goal.workload === workload);
  if (goals.length === 0) return '';
  return `<div class="scroll"><table class="forest"><caption class="vh">Goals of workload ${workload}</caption><thead><tr><td class="mkc"></td><th scope="col">what</th><th scope="col">against</th><th scope="col" class="num">goal</th><th scope="col" class="fo sc"><span style="left:25%">half</span><span style="left:50%">the goal</span><span style="left:75%">twice</span></th><th scope="col" class="num">found, 95 %</th><td></td><th scope="col">verdict</th></tr></thead><tbody>${goals.map(goalRow).join('')}</tbody></table></div>`;
};

/** Panels beyond this many fold. */
const PANELS_OPEN_MAX = 4;

const workloadPart = (report: CodecReport, workload: Workload['id']): string => {
  const races = report.races.filter((race) => race.workload === workload);
  if (races.length === 0) return '';
  const { title, words } = WORKLOAD_WORDS[workload];
  const panels = `<div class="panels">${races.map(panel).join('')}</div>`;
  const shown =
    races.length > PANELS_OPEN_MAX
      ? `<details><summary>All ${races.length} figures of this workload</summary>${panels}</details>`
      : panels;
  return `<div class="work"><h3>${esc(title)}</h3><p class="lede">${esc(words)}</p>${goalsOf(report, workload)}${shown}</div>`;
};

const how = (report: CodecReport, command: string): string => {
  const { machine, versions, rounds, starts, seconds, quick, only } = report;
  const told = Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const facts: readonly (readonly [string, string])[] = [
    [
      'method',
      'one process a contender; in a round all of a race take turns of milliseconds back to back, in an order drawn by the seed and in its reverse; what counts is the CPU time of the whole process, compiling and collecting included',
    ],
    [
      'rounds',
      `${rounds}, spread over ${starts} starts of all processes, as what an engine makes of the same code differs from start to start; medians, and the interval of a hierarchical bootstrap: starts are drawn, then rounds within them. A goal is met or missed only when the whole interval is on one side`,
    ],
    [
      'fairness',
      'records and structures shared by both ends, static code, numbers instead of 64-bit objects, instances reused; values in the form each library takes are made beforehand',
    ],
    [
      'machine',
      `${machine.cpus} x ${machine.model}, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, ${machine.system}, Node ${machine.node} (V8 ${machine.v8}); load of others is not kept away, so read ratios rather than nanoseconds`,
    ],
    ['versions', told],
    [
      'extent',
      only !== undefined
        ? `workloads ${only.join(', ')} only`
        : quick
          ? 'quick: the races and rivals that goals name'
          : 'full',
    ],
    ['took', `${Math.round(seconds)} s`],
  ];
  const list = facts.map(([name, text]) => `<dt>${name}</dt><dd>${esc(text)}</dd>`).join('');
  return `<section id="how"><div class="wrap"><h2>How it was measured</h2><dl class="kv">${list}</dl><div class="gap">${copyable(command)}</div></div></section>`;
};

/** The command line that runs the same again. */
export const commandOf = ({ quick, only, seed }: CodecReport): string =>
  `npm run bench postcard -- ${quick ? '--quick ' : ''}${only === undefined ? '' : `--only ${only.join()} `}--seed ${seed.toString(16)}`;

/** The page. */
export const renderCodecPage = (report: CodecReport): string => {
  const { goals, seed, quick, only } = report;
  const counts = countVerdicts(goals);
  const standing = standingOf(goals);
  const sentence = verdictSentence(goals);
  const list = (Object.keys(STANDINGS) as GoalVerdict[])
    .map(
      (verdict) =>
        `<li>${mark(STANDINGS[verdict], false)}<span><b>${counts[verdict]}</b> ${verdict}</span></li>`,
    )
    .join('');
  const badge =
    counts.missed > 0 ? `${counts.missed} missed` : counts.undecided > 0 ? 'undecided' : 'all met';
  const partial = only === undefined ? '' : '<span class="badge na">partial</span>';
  const letters = Object.keys(WORKLOAD_WORDS) as Workload['id'][];
  return shell({
    title: `bench postcard: ${headline(report) ?? sentence}`,
    what: `<b>bench postcard</b>${quick ? ', quick' : ''}, seed ${seed.toString(16)}`,
    standing,
    nav: [
      ...(standings(report).length > 0 ? ([['glance', 'At a glance']] as const) : []),
      ['workloads', 'Workloads and goals'],
      ['how', 'How it was measured'],
    ],
    body: `<style>${BENCH_STYLE}${STYLE}</style><section class="v"><div class="wrap"><p class="badges"><span class="badge ${CLASS[standing]}">${mark(standing, false)}${badge}</span>${partial}</p><h1>${esc(headline(report) ?? sentence)}.</h1><p class="asked">${esc(sentence)}. Goals of speed are observations: they never fail a run.</p><ul class="counts">${list}</ul></div></section>${glance(report)}<section id="workloads"><div class="wrap"><h2>Workloads and goals</h2><p class="lede">The axis is scaled to each goal: right of the line is met, and only an interval that lies on one side decides. In the bars, filled is ours, outlined are the others.</p>${letters.map((letter) => workloadPart(report, letter)).join('')}</div></section>${how(report, commandOf(report))}`,
    data: '{}',
    foot: 'Printed by relaylab from the same model as report.json. Self-contained: no script, style, font or picture is fetched.',
  });
};
